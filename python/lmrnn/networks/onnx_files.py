"""ONNX: the operator RNN, and Scan for our leaky networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .. import _core
from .._core import Network, UsageError
from ..wirings.files import library
from ..writing import written
from .build import Options, Weights, agreeing_activation, given_readout, network, of_lmrnn

OPSET = 17
_NAMES = {"relu": "Relu", "tanh": "Tanh", "softplus": "Softplus"}
_MARK = "lmrnn"


# Writing -----------------------------------------------------------------------------------------


def write(ours: Network, path: Path) -> None:
    onnx = library("onnx", path)
    if path.suffix != ".onnx":
        raise UsageError(f"{path}: the name must end in .onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    w = ours.weights
    drive = np.concatenate([w["input"], w["rule"].T], axis=1) if ours.n_rules else w["input"]
    n_in, n_units = drive.shape[1], ours.n_units
    constants = {"recurrent": ours.recurrent_matrix, "input": drive, "bias": w["bias"],
                 "readout": w["readout"].T, "readout_bias": w["readout_bias"]}  # fmt: skip
    is_operator = ours.alpha == 1 and ours.equation != "voltage"
    nodes, more = (_rnn if is_operator else _scan)(helper, floats, ours, n_in)
    if is_operator:
        constants = {"readout": constants["readout"], "readout_bias": constants["readout_bias"]}
        zeros = np.zeros_like(w["bias"])
        constants |= {
            "W": drive[None], "R": ours.recurrent_matrix[None], "B": np.concatenate([w["bias"], zeros])[None],
        }  # fmt: skip
    seen = "states"
    if ours.equation == "voltage":
        seen = "rates"
        nodes.append(helper.make_node(_NAMES[ours.activation], ["states"], [seen]))
    nodes += [
        helper.make_node("MatMul", [seen, "readout"], ["read"]),
        helper.make_node("Add", ["read", "readout_bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "lmrnn",
        [helper.make_tensor_value_info("inputs", floats, ["time", "row", n_in])],
        [
            helper.make_tensor_value_info("logits", floats, ["time", "row", ours.n_classes]),
            helper.make_tensor_value_info("states", floats, ["time", "row", n_units]),
        ],
        [
            onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in (constants | more).items()
        ],
    )
    model = helper.make_model(
        graph, producer_name=_MARK, producer_version=_core.__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )  # fmt: skip
    model.ir_version = 8  # the oldest that has this opset
    # Information that the graph does not have: synapses of weight 0, the rules, and units' types.
    about = {
        "alpha": ours.alpha, "activation": ours.activation, "n_rules": ours.n_rules,
        "targets": ours.recurrent.targets.tolist(), "sources": ours.recurrent.sources.tolist(),
    }  # fmt: skip
    if ours.equation != "rate":
        about["equation"] = ours.equation
    for name in ("input", "readout"):
        mask = getattr(ours, name)
        if mask.density < 1:
            about[name] = {"targets": mask.targets.tolist(), "sources": mask.sources.tolist()}
    if ours.excitatory is not None:
        about["excitatory"] = ours.excitatory.tolist()
    helper.set_model_props(model, {_MARK: json.dumps(about)})
    onnx.checker.check_model(model)
    with written(path) as temporary:
        onnx.save(model, temporary)


def _rnn(helper, floats, ours, n_in):
    return [
        helper.make_node(
            "RNN", ["inputs", "W", "R", "B"], ["all"], hidden_size=ours.n_units,
            activations=[_NAMES[ours.activation]],
        ),
        helper.make_node("Squeeze", ["all", "direction"], ["states"]),
    ], {"direction": np.array([1])}  # fmt: skip


def _scan(helper, floats, ours, n_in):
    n_units, f = ours.n_units, _NAMES[ours.activation]
    step = helper.make_graph(
        [*_one_step(helper.make_node, f, ours.equation), helper.make_node("Identity", ["next"], ["state"])],
        "step",
        [
            helper.make_tensor_value_info("h", floats, ["row", n_units]),
            helper.make_tensor_value_info("u", floats, ["row", n_units]),
        ],
        [
            helper.make_tensor_value_info("next", floats, ["row", n_units]),
            helper.make_tensor_value_info("state", floats, ["row", n_units]),
        ],
    )
    nodes = [
        helper.make_node("Transpose", ["recurrent"], ["recurrent_t"], perm=[1, 0]),
        helper.make_node("Transpose", ["input"], ["input_t"], perm=[1, 0]),
        helper.make_node("MatMul", ["inputs", "input_t"], ["driven"]),
        helper.make_node("Add", ["driven", "bias"], ["drive"]),
        helper.make_node("Shape", ["inputs"], ["n_rows"], start=1, end=2),
        helper.make_node("Concat", ["n_rows", "n_units"], ["shape"], axis=0),
        helper.make_node("ConstantOfShape", ["shape"], ["before_the_first"]),
        helper.make_node("Scan", ["before_the_first", "drive"], ["last", "states"], num_scan_inputs=1, body=step),
    ]
    alpha = np.float32(ours.alpha)
    return nodes, {"n_units": np.array([n_units]), "alpha": alpha, "rest": np.float32(1) - alpha}


def _one_step(node, f: str, equation: str) -> list:
    """Nodes from the state h and the drive u to `next`."""
    sources, driven = "h", "before"
    nodes = []
    if equation == "voltage":
        nodes.append(node(f, ["h"], ["rates"]))
        sources = "rates"
    nodes += [
        node("MatMul", [sources, "recurrent_t"], ["recurrence"]),
        node("Add", ["recurrence", "u"], ["before"]),
    ]
    if equation == "rate":
        nodes.append(node(f, ["before"], ["f"]))
        driven = "f"
    blend = "blend" if equation == "leak-inside" else "next"
    nodes += [
        node("Mul", [driven, "alpha"], ["new"]),
        node("Mul", ["h", "rest"], ["old"]),
        node("Add", ["new", "old"], [blend]),
    ]
    if equation == "leak-inside":
        nodes.append(node(f, ["blend"], ["next"]))
    return nodes


# Reading -----------------------------------------------------------------------------------------


def read(path: Path, options: Options) -> Network:
    onnx = library("onnx", path)
    try:
        model = onnx.load(path)
    except Exception as error:  # noqa: BLE001  protobuf's
        raise UsageError(f"{path}: not a whole ONNX file ({str(error).splitlines()[0]})") from None
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    arrays[node.output[0]] = onnx.numpy_helper.to_array(attribute.t)
                elif attribute.name in ("value_int", "value_ints", "value_float", "value_floats"):
                    arrays[node.output[0]] = np.asarray(onnx.helper.get_attribute_value(attribute))
        elif node.op_type == "Identity" and node.input[0] in arrays:  # PyTorch writes equal weights once
            arrays[node.output[0]] = arrays[node.input[0]]
    properties = {entry.key: entry.value for entry in model.metadata_props}
    if model.producer_name == _MARK and _MARK in properties:
        return of_lmrnn(_read_ours(arrays, json.loads(properties[_MARK]), str(path)), options, str(path))
    return _read_operator(onnx, model.graph, arrays, options, str(path))


def _read_ours(arrays: dict, about: dict, where: str) -> Network:
    if "W" in arrays:
        drive, recurrent = arrays["W"][0], arrays["R"][0]
        bias = arrays["B"][0][: len(recurrent)]
    else:
        drive, recurrent, bias = arrays["input"], arrays["recurrent"], arrays["bias"]
    readout = arrays["readout"].T
    weights = Weights(
        recurrent, drive, bias, readout, arrays["readout_bias"], recurrent_mask=_mask(about, recurrent),
        input_mask=_mask(about.get("input"), drive), readout_mask=_mask(about.get("readout"), readout),
        excitatory=about.get("excitatory"), alpha=about["alpha"], activation=about["activation"],
        equation=about.get("equation", "rate"),
    )  # fmt: skip
    return network(weights, Options(n_rules=about["n_rules"]), where)


def _mask(synapses: dict | None, weights) -> np.ndarray | None:
    if synapses is None:
        return None
    mask = np.zeros(weights.shape, dtype=bool)
    mask[synapses["targets"], synapses["sources"]] = True
    return mask


def _read_operator(onnx, graph, arrays: dict, options: Options, where: str) -> Network:
    nodes = list(graph.node)
    gated = [node.op_type for node in nodes if node.op_type in ("LSTM", "GRU")]
    recurrent = [node for node in nodes if node.op_type == "RNN"]
    if gated or len(recurrent) != 1:
        names = ", ".join(gated + ["RNN"] * len(recurrent)) or "no recurrent operator"
        raise UsageError(f"{where}: {names}; one RNN operator can be read")
    node = recurrent[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    if attributes.get("direction", b"forward") != b"forward":
        raise UsageError(f"{where}: runs {attributes['direction'].decode()}; only forward can be read")
    if attributes.get("clip"):
        raise UsageError(f"{where}: clips what enters its units at {attributes['clip']}; the core does not")
    activation = attributes.get("activations", [b"Tanh"])[0].decode().lower()
    inputs = list(node.input) + [""] * (6 - len(node.input))
    if inputs[5] and not _is_zero(inputs[5], nodes, arrays, {i.name for i in graph.input}):
        raise UsageError(f"{where}: begins from a state that may not be 0; the core begins from 0")
    missing = [name for name in inputs[1:4] if name and name not in arrays]
    if missing:
        raise UsageError(f"{where}: the weights {', '.join(missing)} are computed in the graph; fold constants first")
    weight, square = arrays[inputs[1]][0], arrays[inputs[2]][0]
    weights = Weights(
        recurrent=square,
        input=weight,
        bias=arrays[inputs[3]][0].reshape(2, -1).sum(axis=0) if inputs[3] else None,
        activation=agreeing_activation(activation, options, where),
    )
    _refuse_before(onnx, graph, arrays, inputs[0], where)
    if inputs[4]:
        raise UsageError(
            f"{where}: has sequence_lens ({inputs[4]}), which may end rows early; the core runs all steps of all rows. "
            "Export the network without them, in PyTorch without packed sequences"
        )
    weights.readout, weights.readout_bias = _readout(onnx, graph, arrays, node, len(square), where)
    if options.readout is not None:
        if weights.readout is not None:
            raise UsageError(f"{where}: has its own readout, so readout= would be ignored; leave it out")
        weights.readout, weights.readout_bias = given_readout(options.readout, where)
    return network(weights, options, where)


def _is_zero(name: str, nodes, arrays, graph_inputs) -> bool:
    """Whether a value is 0 for all inputs, or left to the caller."""
    if name in arrays:
        return not np.any(arrays[name])
    if name in graph_inputs:
        return True
    node = next((node for node in nodes if name in node.output), None)
    if node is None:
        return False
    if node.op_type == "ConstantOfShape":
        from onnx import numpy_helper

        return not any(np.any(numpy_helper.to_array(a.t)) for a in node.attribute if a.name == "value")
    if node.op_type in ("Expand", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Identity", "Cast", "Tile", "Slice"):
        return _is_zero(node.input[0], nodes, arrays, graph_inputs)
    return False


def _attributes(onnx, node) -> dict:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _refuse_before(onnx, graph, arrays: dict, name: str, where: str) -> None:
    """Raises UsageError if an operation before the RNN changes values. Allowed are another order of the axes, as
    PyTorch writes it for batch_first, and an axis of length 1."""
    outside = {i.name for i in graph.input} - set(arrays)
    while name not in outside:
        node = next((node for node in graph.node if name in node.output), None)
        if node is None:
            raise UsageError(f"{where}: the RNN runs on {name}, which is not an input of the graph")
        if not _keeps_values(onnx, node, arrays) and node.op_type not in ("Transpose", "Squeeze", "Unsqueeze"):
            raise UsageError(
                f"{where}: {node.op_type} before the RNN; the inputs of the RNN must be those of the graph. Export the "
                "RNN and its readout alone, or evaluate the function itself with lmrnn.evaluate"
            )
        name = node.input[0]


def _keeps_values(onnx, node, arrays: dict) -> bool:
    if node.op_type == "Identity":
        return True
    if node.op_type == "Dropout":  # in training mode only if an input sets it
        mode = node.input[2] if len(node.input) > 2 else ""
        return not mode or (mode in arrays and not np.any(arrays[mode]))
    types = onnx.TensorProto
    return node.op_type == "Cast" and _attributes(onnx, node)["to"] in (types.FLOAT, types.DOUBLE)


def _readout(onnx, graph, arrays, rnn, n_units: int, where: str):
    """The one linear map of the RNN's outputs, or nothing.

    Follows the axes of every value, so that no operation that changes values or their order is missed.
    """
    axes = _axes_of(rnn, bool(_attributes(onnx, rnn).get("layout")))
    sizes = {"unit": n_units}
    logits, decided = set(), set()  # names of values: those after the readout, and those after a softmax
    weight = bias = None
    for node in graph.node:
        name = next((name for name in node.input if name in axes), None)
        if node is rnn or name is None or node.op_type == "Shape":
            continue
        after = None
        if node.input[0] == name and not set(node.input[1:]) & set(axes):
            after = _axes_after(onnx, graph, node, arrays, axes[name], sizes)
        if after is not None:
            pass
        elif name in decided and node.op_type in ("ArgMax", "TopK", "ReduceMax", "Cast"):
            continue
        elif name in logits and node.op_type in ("Softmax", "LogSoftmax", "ArgMax"):
            after = axes[name]
            decided |= set(node.output)  # the logits are its input
        elif name in logits - decided and node.op_type == "Add" and axes[name][-1:] == ["class"]:
            if sum(name in other.input for other in graph.node) > 1:
                raise UsageError(f"{where}: Add after the readout, which something else takes without it")
            more = _constant_of_add(node, name, arrays, sizes["class"], where)
            bias, after = more if bias is None else bias + more, axes[name]
        elif name not in logits and node.op_type in ("MatMul", "Gemm") and node.input[1] in arrays:
            if weight is not None:
                raise UsageError(f"{where}: several linear maps after the RNN; one readout can be read")
            if axes[name][-1:] != ["unit"]:
                raise UsageError(f"{where}: {node.op_type} after the RNN does not act on its units; it cannot be read")
            weight, bias = _linear_map(onnx, node, arrays, where)
            sizes["class"] = len(weight)
            logits |= set(node.output)
            after = [*axes[name][:-1], "class"]
        else:
            place = "the readout; it must be linear" if name in logits else "the RNN; one linear readout can be read"
            raise UsageError(f"{where}: {node.op_type} after {place}")
        for group in (logits, decided):
            if name in group:
                group |= set(node.output)
        axes |= dict.fromkeys(node.output, after)
    return weight, bias


def _axes_of(rnn, is_row_first: bool) -> dict[str, list[str]]:
    """Axes of the operator's outputs: all states, and the last one."""
    both = (["time", "direction", "row", "unit"], ["direction", "row", "unit"])
    if is_row_first:
        both = (["row", "time", "direction", "unit"], ["row", "direction", "unit"])
    return {name: axes for name, axes in zip(rnn.output, both) if name}


def _axes_after(onnx, graph, node, arrays: dict, axes: list[str], sizes: dict[str, int]) -> list[str] | None:
    """The axes after an operation that changes no value; None if it may change values or their order."""
    op, attributes, n = node.op_type, _attributes(onnx, node), len(axes)
    if _keeps_values(onnx, node, arrays):
        return axes
    if op == "Transpose":
        order = attributes.get("perm", range(n)[::-1])
        return [axes[k] for k in order] if len(order) == n else None
    constants = [arrays.get(name) for name in node.input[1:]]
    if op in ("Squeeze", "Unsqueeze"):
        which = constants[0] if constants else attributes.get("axes")
        if which is None:  # all axes of length 1; unknown if they are computed
            return None if constants or op == "Unsqueeze" else [a for a in axes if a not in ("direction", "one")]
        which = np.ravel(which)
        total = n + (len(which) if op == "Unsqueeze" else 0)
        which = sorted(int(k) % total for k in which)
        if op == "Squeeze":
            return [axis for k, axis in enumerate(axes) if k not in which]
        axes = list(axes)
        for k in which:
            axes.insert(k, "one")
        return axes
    if op == "Reshape" and axes[-1] in sizes:
        n_after, end = _shape(graph, node.input[1], arrays)
        # As PyTorch writes it: the axis of the one direction joins that of the units.
        joins = axes[-2] == "direction" and end == -1 and not np.any(arrays[node.input[1]][:-1])
        return ["?"] * (n_after - 1) + axes[-1:] if joins or end == sizes[axes[-1]] else None
    if op == "Gather" and constants[0] is not None and np.size(constants[0]) == 1:  # one step, one row
        at = attributes.get("axis", 0) % n
        inserted = ["one"] * np.ndim(constants[0])
        return None if axes[at] in sizes else axes[:at] + inserted + axes[at + 1 :]
    if op == "Slice" and len(constants) >= 2 and all(constant is not None for constant in constants):
        which = constants[2] if len(constants) > 2 else range(len(constants[0]))
        backwards = len(constants) > 3 and np.any(constants[3] < 0)
        return None if backwards or {axes[int(k) % n] for k in np.ravel(which)} & set(sizes) else axes
    return None


def _shape(graph, name: str, arrays: dict) -> tuple[int, int | None]:
    """The number of axes and the length of the last one, if the graph has it. The parts of a dynamic shape are
    joined."""
    if name in arrays:
        return len(arrays[name]), int(arrays[name][-1]) if len(arrays[name]) else None
    node = next((node for node in graph.node if name in node.output), None)
    if node is None or node.op_type != "Concat" or node.input[-1] not in arrays:
        return 1, None
    end = arrays[node.input[-1]].ravel()
    return len(node.input) - 1 + len(end), int(end[-1]) if len(end) and end[-1] > 0 else None


def _constant_of_add(node, name: str, arrays: dict, n_classes: int, where: str):
    other = node.input[1] if node.input[0] == name else node.input[0]
    if other not in arrays:
        raise UsageError(f"{where}: the readout adds something that is not constant")
    return _one_per_class(arrays[other], n_classes, where)


def _linear_map(onnx, node, arrays: dict, where: str):
    weight = arrays[node.input[1]]
    if weight.ndim != 2:
        raise UsageError(f"{where}: {node.op_type} with weights of {weight.ndim} axes after the RNN; a readout has 2")
    if node.op_type == "MatMul":
        return weight.T, None
    attributes = _attributes(onnx, node)
    if attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1 or attributes.get("transA", 0):
        raise UsageError(f"{where}: a Gemm with factors; only plain ones can be read")
    bias = node.input[2] if len(node.input) > 2 else ""
    if bias and bias not in arrays:
        raise UsageError(f"{where}: the readout adds something that is not constant")
    weight = weight if attributes.get("transB", 0) else weight.T
    return weight, _one_per_class(arrays[bias], len(weight), where) if bias else None


def _one_per_class(bias, n_classes: int, where: str):
    if bias.size not in (1, n_classes) or (bias.size > 1 and bias.shape[-1] != n_classes):
        raise UsageError(f"{where}: the readout adds an array of shape {bias.shape}; it must have one number a class")
    return np.broadcast_to(bias.reshape(-1), n_classes)
