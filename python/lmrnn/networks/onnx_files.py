"""ONNX: the operator RNN, and Scan for leaky networks of our own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .. import _core
from .._core import Network, UsageError
from ..wirings.files import library
from ..writing import written
from .build import Options, Weights, agreeing_activation, network

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
    # What the graph does not say: which synapses exist although they weigh 0, the rules, and units' types.
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
    """From the state h and the drive u to `next`."""
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
    properties = {entry.key: entry.value for entry in model.metadata_props}
    if model.producer_name == _MARK and _MARK in properties:
        return _read_ours(arrays, json.loads(properties[_MARK]), str(path))
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
    weights.readout, weights.readout_bias = _readout(onnx, nodes, arrays, node, len(square), where)
    return network(weights, options, where)


def _is_zero(name: str, nodes, arrays, graph_inputs) -> bool:
    """Whether a value is 0 whatever the inputs are, or left to the caller."""
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


def _readout(onnx, nodes, arrays, rnn, n_units: int, where: str):
    """The one linear map of what the RNN gives out; nothing if there is none."""
    reached, found = set(rnn.output), []
    for node in nodes:
        if node is rnn or not reached & set(node.input):
            continue
        if node.op_type in ("Squeeze", "Transpose", "Reshape", "Identity", "Unsqueeze", "Slice", "Gather"):
            reached |= set(node.output)
        elif node.op_type in ("MatMul", "Gemm") and node.input[1] in arrays:
            found.append(node)
        else:
            raise UsageError(f"{where}: {node.op_type} after the RNN; one linear readout can be read")
    if len(found) > 1:
        raise UsageError(f"{where}: {len(found)} linear maps after the RNN; one readout can be read")
    if not found:
        return None, None
    node = found[0]
    weight = arrays[node.input[1]]
    if node.op_type == "Gemm":
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1 or attributes.get("transA", 0):
            raise UsageError(f"{where}: a Gemm with factors; only plain ones can be read")
        weight = weight if attributes.get("transB", 0) else weight.T
        return weight, arrays[node.input[2]] if len(node.input) > 2 else None
    bias = None
    after = [other for other in nodes if node.output[0] in other.input]
    if len(after) == 1 and after[0].op_type == "Add":
        other = next(name for name in after[0].input if name != node.output[0])
        if other not in arrays:
            raise UsageError(f"{where}: the readout adds something that is not constant")
        bias = arrays[other].reshape(-1)
        after = [n for n in nodes if after[0].output[0] in n.input]
    if any(n.op_type not in ("Softmax", "LogSoftmax", "Identity", "Transpose", "Squeeze") for n in after):
        raise UsageError(f"{where}: {after[0].op_type} after the readout; it must be linear")
    return weight.T, bias
