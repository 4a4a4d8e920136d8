"""Weights that PyTorch computes from others only in a forward pass."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm


def refresh(module: nn.Module) -> None:
    """Brings pruned and (by the older functions) normalised weights of a module and its parts up to date, as a forward
    pass does. After load_state_dict or an optimiser's step they are still those of the last forward pass."""
    for part in module.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, (BasePruningMethod, WeightNorm)):
                hook(part, None)
            elif isinstance(hook, SpectralNorm):  # its forward pass in training mode would change its vectors, too
                setattr(part, hook.name, hook.compute_weight(part, do_power_iteration=False))
