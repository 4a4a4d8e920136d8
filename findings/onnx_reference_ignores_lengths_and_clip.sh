#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator ignores lengths, clip and input_forget of recurrent networks. (2026-11-29)
#
# A good guess: onnx.reference.ReferenceEvaluator is what the standard means: a model that it and another runtime
#               run is run alike, or it refuses what it does not support. It is what an export is tested with.
# Instead:      RNN, GRU and LSTM run without a word as if the input sequence_lens and the attributes clip and
#               input_forget were not there. Padded trials are computed to the end of the padding, so that the states
#               after their end are not 0 and the last state Y_h is that of the padding. ONNX Runtime does
#               as the standard says. An activation other than Tanh is refused.
# What to do:   test the export of recurrent networks with onnxruntime; use the reference only for trials of full
#               length.
. "$(dirname "$0")/packages.inc" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
observe <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(1)
steps, trials, channels, units = 5, 2, 3, 4


def difference(operator, gates, lengths, **attributes):
    """Largest difference of the states and of the last states between the reference and ONNX Runtime."""
    values = {
        "X": random.normal(size=(steps, trials, channels)).astype("float32"),
        "W": random.normal(size=(1, gates * units, channels)).astype("float32"),
        "R": random.normal(size=(1, gates * units, units)).astype("float32"),
        "B": random.normal(size=(1, 2 * gates * units)).astype("float32"),
        "L": np.array(lengths, "int32"),
    }
    number = onnx.TensorProto.FLOAT
    kinds = [make_tensor_value_info(k, onnx.TensorProto.INT32 if k == "L" else number, v.shape) for k, v in values.items()]
    results = [make_tensor_value_info("Y", number, (steps, 1, trials, units)), make_tensor_value_info("Y_h", number, (1, trials, units))]
    node = make_node(operator, list(values), ["Y", "Y_h"], hidden_size=units, **attributes)
    model = make_model(make_graph([node], "network", kinds, results), opset_imports=[make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    reference = ReferenceEvaluator(model).run(None, values)
    runtime = onnxruntime.InferenceSession(model.SerializeToString()).run(None, values)
    if min(lengths) < steps:
        assert (runtime[0][lengths[0]:, 0, 0] == 0).all() and (runtime[1][0, 0] == runtime[0][lengths[0] - 1, 0, 0]).all()
    return [round(float(abs(a - b).max()), 3) for a, b in zip(reference, runtime)]


print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
for operator, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
    full = difference(operator, gates, [5, 5])
    padded = difference(operator, gates, [3, 5])
    clipped = difference(operator, gates, [5, 5], clip=0.1)
    print(f"{operator}: difference of (states, last states), trials of 5 and 5 steps: {full}  3 and 5 steps: {padded}"
          f"  clip=0.1: {clipped}")
    assert max(full) < 1e-3 and min(padded) > 0.01 and min(clipped) > 0.01
forget = difference("LSTM", 4, [5, 5], input_forget=1)
print("LSTM, input_forget=1:", forget)
assert min(forget) > 0.01
PYTHON
