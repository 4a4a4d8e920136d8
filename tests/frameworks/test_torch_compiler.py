"""Tests that need a recent PyTorch: opcheck, torch.compile without graph breaks, torch.func's errors."""

import gc

import numpy as np
import pytest

import lmrnn

torch = pytest.importorskip("torch", minversion="2.4")
import lmrnn.torch as lt  # noqa: E402
from lmrnn import _operation, _torch_operation  # noqa: E402


def make(**options):
    return lt.LMRNN(
        mask=lmrnn.Mask.make("local", rows=6, cols=6, radius=2), n_channels=9, n_classes=5, n_rules=4,
        seed=1, activation="tanh", alpha=0.5, backend="engine", **options,
    )  # fmt: skip


def arguments():
    torch.manual_seed(2)
    return torch.randn(20, 19, 9), torch.randint(-1, 4, (20, 19, 1)), torch.randn(19, 36)


@pytest.mark.parametrize("keep", ["states", "segments"])
@pytest.mark.parametrize("states", [True, False])
def test_opcheck(keep, states):
    module, (inputs, rules, state) = make(), arguments()
    weights = [w.detach().clone().requires_grad_() for w in module.parameters()]
    names = [name for name, _ in module.named_parameters()]
    assert names == list(_operation.GROUPS)
    sample = (
        *weights, inputs.requires_grad_(), rules, torch.rand(20, 19) < 0.1, state.requires_grad_(),
        module._engine.handle, 0.1, 7, keep, states,
    )  # fmt: skip
    torch.library.opcheck(_torch_operation._run, sample)
    torch.library.opcheck(
        _torch_operation._run, (*weights, inputs, None, None, None, *sample[10:])
    )


def test_opcheck_of_backward():
    module, (inputs, rules, state) = make(), arguments()
    weights = [w.detach() for w in module.parameters()]
    numbers = (module._engine.handle, 0.1, 7, "states")
    states, logits, kept = _torch_operation._run(
        *weights, inputs, rules, None, state, *numbers, True
    )
    for of_states, of_logits in ((states, logits), (None, logits), (states, None)):
        sample = (of_states, of_logits, *weights, inputs, rules, None, state, kept, *numbers)
        torch.library.opcheck(_torch_operation._run_backward, (*sample, True, True))
        torch.library.opcheck(_torch_operation._run_backward, (*sample, False, False))


@pytest.mark.parametrize("dense", [False, True])
def test_a_compiled_module_has_no_graph_breaks_and_the_same_gradients(dense):
    module, (inputs, rules, state) = make(), arguments()
    given = {"rules": rules, "state": state}
    if dense:
        inputs, given = torch.cat([inputs, torch.rand(20, 19, 4)], dim=-1), {"state": state}

    def loss(inputs):
        _, logits = module(inputs, **given, recurrent_noise=0.1, seed=3)
        return logits.square().mean()

    assert torch._dynamo.explain(loss)(inputs).graph_break_count == 0
    gradients = []
    for function in (loss, torch.compile(loss, fullgraph=True, backend="aot_eager")):
        module.zero_grad()
        function(inputs).backward()
        gradients.append([w.grad.clone() for w in module.parameters() if w.grad is not None])
    assert all(torch.equal(a, b) for a, b in zip(*gradients)) and len(gradients[0]) >= 5


def test_gradients_of_gradients_are_a_clear_error():
    module, (inputs, rules, _) = make(), arguments()
    loss = module(inputs, rules)[1].square().mean()
    (gradient,) = torch.autograd.grad(loss, module.recurrent, create_graph=True)
    with pytest.raises(RuntimeError, match='no gradients of gradients .*backend="reference"'):
        gradient.square().sum().backward()


def test_weights_that_changed_since_forward_are_a_clear_error():
    module, (inputs, rules, _) = make(), arguments()
    loss = module(inputs, rules)[1].square().mean()
    with torch.no_grad():
        module.recurrent.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    assert np.isfinite(loss.item())


def test_torch_func_differentiates_the_reference_alone():
    inputs, rules, _ = arguments()

    def gradient(module):
        def loss(weights):
            return torch.func.functional_call(module, weights, (inputs, rules))[1].square().mean()

        return torch.func.grad(loss)({name: w.detach() for name, w in module.named_parameters()})

    module = make()
    with pytest.raises(RuntimeError, match='cannot be differentiated by torch.func; use .*backend="reference"'):
        gradient(module)
    module(inputs, rules)[1].square().mean().backward()
    module.backend = "reference"
    for name, found in gradient(module).items():
        torch.testing.assert_close(found, getattr(module, name).grad, atol=1e-6, rtol=1e-4)


def test_a_compiled_loss_outlives_its_module():
    inputs, rules, _ = arguments()

    def made():
        module = make()
        function = torch.compile(lambda x: module(x, rules)[1].sum(), fullgraph=True, backend="aot_eager")
        return function(inputs), module.bias

    loss, bias = made()
    gc.collect()
    loss.backward()
    assert bias.grad.abs().sum() > 0
