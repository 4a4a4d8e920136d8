"""The engine as an operation of PyTorch: with torch.library if available (from 2.4), otherwise as an
autograd.Function."""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from torch import Tensor

from ._operation import Engine, Hold, kept_size


def apply(
    engine: Engine, weights: list[Tensor], inputs: Tensor, rules: Tensor | None,
    resets: Tensor | None, state: Tensor | None, *, noise: float, seed: int, recompute: bool,
    states: bool,
) -> tuple[Tensor | None, Tensor]:  # fmt: skip
    """States (None unless asked for) and logits. The caller checks the tensors."""
    differentiable = [*weights, inputs, *([] if state is None else [state])]
    keep = "nothing"
    if torch.is_grad_enabled() and any(x.requires_grad for x in differentiable):
        keep = "segments" if recompute else "states"
    try:
        all_states, logits, _ = _run(
            *weights, inputs, rules, resets, state, engine.handle, noise, seed, keep, states
        )
    except RuntimeError as error:
        if "functorch" not in str(error):
            raise
        raise RuntimeError(
            'LMRNN: the engine cannot be differentiated by torch.func; use LMRNN(..., backend="reference"), or '
            "backward() and torch.autograd.grad"
        ) from error
    return (all_states if states else None), logits


# What both kinds of operation do -----------------------------------------------------------------


def _numpy(x: Tensor | None):
    return None if x is None else x.detach().contiguous().numpy()


def _arrays(weights, inputs, rules, resets, state):
    """The arrays in the form that the engine needs."""
    resets = None if resets is None else _numpy(resets).view(np.uint8)
    rules = None if rules is None else _numpy(_int32(rules))
    return tuple(map(_numpy, weights)), _numpy(inputs), rules, resets, _numpy(state)


def _int32(rules):
    """Rules in the engine's type; raises for a number that does not fit into it, which cannot be a rule."""
    if rules.dtype != torch.int32 and rules.numel():
        for extreme in (rules.min().item(), rules.max().item()):
            if not -(2**31) <= extreme < 2**31:
                raise ValueError(f"rules: {extreme}; rules are counted from 0, and -1 is none")
    return rules.to(torch.int32)


def _forward(weights, inputs, rules, resets, state, operation, noise, seed, keep, states):
    all_states, logits, kept = Engine.of(operation).forward(
        *_arrays(weights, inputs, rules, resets, state),
        noise, seed, torch.get_num_threads(), keep, states,
    )  # fmt: skip
    if all_states is None:
        all_states = np.empty(0, np.float32)
    # As integers, so that autograd neither differentiates the kept states nor makes a gradient of 0 for them.
    kept = torch.from_numpy(kept.view(np.int32))
    return torch.from_numpy(all_states), torch.from_numpy(logits), kept


def _backward(
    of_states, of_logits, weights, inputs, rules, resets, state, kept, operation, noise, seed, keep,
    with_inputs, with_state,
):  # fmt: skip
    if of_states is not None and of_states.dim() != 3:  # states were not asked for
        of_states = None
    of_weights, of_inputs, of_state = Engine.of(operation).backward(
        *_arrays(weights, inputs, rules, resets, state),
        noise, seed, torch.get_num_threads(), keep, _numpy(kept).view(np.float32),
        _numpy(of_states), _numpy(of_logits), with_inputs, with_state,
    )  # fmt: skip
    nothing = torch.empty(0)
    return (
        *map(torch.from_numpy, of_weights),
        nothing if of_inputs is None else torch.from_numpy(of_inputs),
        nothing.clone() if of_state is None else torch.from_numpy(of_state),
    )


class _Saved:
    """What forward saves in a context for backward."""

    @staticmethod
    def save(ctx, weights, inputs, rules, resets, state, kept, *numbers):
        ctx.save_for_backward(*weights, inputs, rules, resets, state, kept)
        ctx.numbers = numbers
        ctx.hold = Hold(Engine.of(numbers[0]))  # a loss may outlive its module
        ctx.set_materialize_grads(False)

    @staticmethod
    def gradients(ctx, backward, of_states, of_logits):
        """Gradients, one per argument of forward."""
        *weights, inputs, rules, resets, state, kept = ctx.saved_tensors
        operation, noise, seed, keep = ctx.numbers
        if of_states is None and of_logits is None:
            return (None,) * 15
        with_inputs = ctx.needs_input_grad[6]
        with_state = state is not None and ctx.needs_input_grad[9]
        *of_weights, of_inputs, of_state = backward(
            of_states, of_logits, weights, inputs, rules, resets, state, kept, operation, noise,
            seed, keep, with_inputs, with_state,
        )  # fmt: skip
        of_inputs = of_inputs if with_inputs else None
        of_state = of_state if with_state else None
        return (*of_weights, of_inputs, None, None, of_state, None, None, None, None, None)


_TWICE = (
    "LMRNN: the engine has no gradients of gradients (create_graph=True, hessians); use "
    'LMRNN(..., backend="reference")'
)


# torch.library -----------------------------------------------------------------------------------

if hasattr(torch.library, "custom_op"):

    @torch.library.custom_op("lmrnn::forward", mutates_args=(), device_types="cpu")
    def _run(
        recurrent: Tensor, input: Tensor, rule: Tensor, bias: Tensor, readout: Tensor,
        readout_bias: Tensor, inputs: Tensor, rules: Optional[Tensor], resets: Optional[Tensor],
        state: Optional[Tensor], operation: int, noise: float, seed: int, keep: str, states: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        weights = [recurrent, input, rule, bias, readout, readout_bias]
        return _forward(
            weights, inputs, rules, resets, state, operation, noise, seed, keep, states
        )

    @_run.register_fake
    def _(
        recurrent, input, rule, bias, readout, readout_bias, inputs, rules, resets, state,
        operation, noise, seed, keep, states,
    ):  # fmt: skip
        Engine.of(operation).keep()  # compiled code may outlive the module
        n_steps, n_rows, _ = inputs.shape
        n_units, n_classes = bias.shape[0], readout_bias.shape[0]
        all_states = (n_steps, n_rows, n_units) if states else (0,)
        n_kept = kept_size(n_steps, n_rows, n_units, keep)
        return (
            inputs.new_empty(all_states),
            inputs.new_empty((n_steps, n_rows, n_classes)),
            inputs.new_empty(n_kept, dtype=torch.int32),
        )

    @torch.library.custom_op("lmrnn::backward", mutates_args=(), device_types="cpu")
    def _run_backward(
        of_states: Optional[Tensor], of_logits: Optional[Tensor], recurrent: Tensor, input: Tensor,
        rule: Tensor, bias: Tensor, readout: Tensor, readout_bias: Tensor, inputs: Tensor,
        rules: Optional[Tensor], resets: Optional[Tensor], state: Optional[Tensor], kept: Tensor,
        operation: int, noise: float, seed: int, keep: str, with_inputs: bool, with_state: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        weights = [recurrent, input, rule, bias, readout, readout_bias]
        return _backward(
            of_states, of_logits, weights, inputs, rules, resets, state, kept, operation, noise,
            seed, keep, with_inputs, with_state,
        )  # fmt: skip

    @_run_backward.register_fake
    def _(
        of_states, of_logits, recurrent, input, rule, bias, readout, readout_bias, inputs, rules,
        resets, state, kept, operation, noise, seed, keep, with_inputs, with_state,
    ):  # fmt: skip
        weights = (recurrent, input, rule, bias, readout, readout_bias)
        nothing = inputs.new_empty(0)
        return (
            *(torch.empty_like(w, memory_format=torch.contiguous_format) for w in weights),
            torch.empty_like(inputs, memory_format=torch.contiguous_format)
            if with_inputs
            else nothing,
            inputs.new_empty((inputs.shape[1], bias.shape[0])) if with_state else nothing.clone(),
        )

    def _refuse(ctx, *_):
        raise RuntimeError(_TWICE)

    _run_backward.register_autograd(_refuse)

    def _setup(ctx, inputs, output):
        *weights, x, rules, resets, state, operation, noise, seed, keep, _ = inputs
        _Saved.save(
            ctx, weights, x, rules, resets, state, output[2], operation, noise, seed, keep
        )

    def _differentiate(ctx, of_states, of_logits, _):
        def backward(of_states, of_logits, weights, *others):
            return _run_backward(of_states, of_logits, *weights, *others)

        return _Saved.gradients(ctx, backward, of_states, of_logits)

    _run.register_autograd(_differentiate, setup_context=_setup)

else:

    class _Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            *weights, x, rules, resets, state, operation, noise, seed, keep, states = inputs
            output = _forward(
                weights, x, rules, resets, state, operation, noise, seed, keep, states
            )
            _Saved.save(
                ctx, weights, x, rules, resets, state, output[2], operation, noise, seed, keep
            )
            ctx.mark_non_differentiable(output[2])
            return output

        @staticmethod
        def backward(ctx, of_states, of_logits, _):
            def backward(of_states, of_logits, weights, *others):
                return _Gradients.apply(of_states, of_logits, *weights, *others)

            return _Saved.gradients(ctx, backward, of_states, of_logits)

    class _Gradients(torch.autograd.Function):
        """Backward as a function of its own, to report what is missing if it is differentiated again."""

        @staticmethod
        def forward(ctx, of_states, of_logits, *inputs):
            return _backward(of_states, of_logits, inputs[:6], *inputs[6:])

        @staticmethod
        def backward(ctx, *_):
            raise RuntimeError(_TWICE)

    _run = _Function.apply
