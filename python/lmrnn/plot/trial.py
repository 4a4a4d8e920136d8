"""One trial: what the network sees, what it should answer, and what it answers."""

from __future__ import annotations

import numpy as np

from .. import _core
from ..evaluation import mismatch
from . import style
from .inputs import network_of

PERIOD_WORDS = {
    "stimulus1": "stimulus 1", "stimulus2": "stimulus 2", "second_stimulus": "stimulus 2",
    "stim1": "stimulus 1", "stim2": "stimulus 2",
}  # fmt: skip


@style.figure
def trial(trial, network=None, *, height: float = 4.8, ax=None):
    """Cue, both rings and the target over time; with a network, its answer, as the probability of
    each direction, with the target's outline over it, and the probability of fixating.

    trial : lmrnn.Trial. network : a Network, a Run or the path of either; optional. ax : five Axes,
    one to divide, or a Figure. Returns an array of five Axes.
    """
    if not isinstance(trial, _core.Trial):
        raise _core.UsageError(
            f'trial: expected an lmrnn.Trial, such as battery["go"].trial(seed=1); got {type(trial).__name__}'
        )
    n_ring, dt = trial.task.battery.n_ring, trial.task.battery.dt
    grid = {"gridspec_kw": {"height_ratios": [1, 3, 3, 3.4, 1.2]}}
    axes = style.new_grid(ax, 5, 1, style.WIDTH, height, sharex=True, **grid)[:, 0]
    span = (0, len(trial) * dt)
    probability = None if network is None else answer(trial, network_of(network))
    _cue(axes[0], trial.inputs[:, 0], dt)
    largest = max(float(trial.inputs[:, 1:].max()), 1e-6)
    for modality in range(2):
        ring = trial.inputs[:, 1 + modality * n_ring : 1 + (modality + 1) * n_ring]
        _ring(axes[1 + modality], ring, span, n_ring, cmap="Greys", vmin=0, vmax=largest)
        axes[1 + modality].set_ylabel(f"ring {modality}")
    _answer(axes[3], trial, probability, span, n_ring)
    _fixation(axes[4], trial, probability)
    _periods(axes, trial, dt)
    axes[-1].set_xlabel("time (ms)")
    axes[-1].set_xlim(span)
    axes[0].set_title(trial.task.name, pad=16, fontweight="bold")
    for place in axes[:-1]:
        place.tick_params(axis="x", labelbottom=False)
    axes[0].figure.align_ylabels(axes)
    return axes


def _cue(ax, cue, dt):
    ax.stairs(cue, np.arange(len(cue) + 1) * dt, color=style.INK, baseline=None)
    ax.set_ylabel("cue")
    ax.set_ylim(-0.3, 1.4)
    ax.set_yticks([0, 1])


def _degree_ticks(ax, n_ring):
    at = [n_ring * k / 4 for k in range(4)]
    ax.set_yticks(at, ["0°", "90°", "180°", "270°"])


def _ring(ax, values, span, n_ring, **options):
    _degree_ticks(ax, n_ring)
    image = ax.imshow(
        values.T, origin="lower", extent=(*span, -0.5, n_ring - 0.5), aspect="auto", **options
    )
    style.on_white(image)
    return image


def _answer(ax, trial, probability, span, n_ring):
    targets = np.asarray(trial.targets)
    steps = np.arange(len(targets) + 1) * trial.task.battery.dt
    if probability is not None:
        _ring(ax, probability[:, 1:], span, n_ring, cmap="Blues", vmin=0, vmax=1)
        ax.set_ylabel("answer")
    else:
        ax.set_ylim(-0.5, n_ring - 0.5)
        _degree_ticks(ax, n_ring)
        ax.set_ylabel("target")
    _target(ax, targets, steps, filled=probability is None)


def _fixation(ax, trial, probability):
    targets = np.asarray(trial.targets)
    steps = np.arange(len(targets) + 1) * trial.task.battery.dt
    colour = style.COLOURS["vermillion"]
    ax.stairs((targets == 0).astype(float), steps, color=colour, linewidth=1.2, baseline=None)
    if probability is not None:
        ax.stairs(probability[:, 0], steps, color=style.COLOURS["blue"], fill=True, alpha=0.35)
        ax.stairs(probability[:, 0], steps, color=style.COLOURS["blue"], linewidth=1, baseline=None)
    ax.set_ylim(-0.15, 1.25)
    ax.set_yticks([0, 1])
    ax.set_ylabel("fixate")


def _target(ax, targets, steps, filled):
    """The target, filled or as an outline: one line above and one below, so that the inside stays visible."""
    colour = style.COLOURS["vermillion"]
    low = np.where(targets > 0, targets - 1.5, np.nan)
    if filled:
        ax.fill_between(steps, np.append(low, low[-1]), np.append(low, low[-1]) + 1, step="post",
                        color=colour, linewidth=0)  # fmt: skip
        return
    for edge in (low, low + 1):
        ax.stairs(edge, steps, color=colour, linewidth=1.2, baseline=None)


def answer(trial, network) -> np.ndarray:
    """(time, class) probabilities of a network's answer to one trial."""
    inputs = np.ascontiguousarray(trial.inputs[:, None, :])
    rules = np.tile(np.array(trial.rule, dtype=np.int32), (len(trial), 1, 1))
    complaint = mismatch(network, trial.task.battery)
    if complaint:
        raise _core.UsageError(f"trial: {complaint}")
    logits = network.forward(inputs, rules)[1][:, 0]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _periods(axes, trial, dt):
    """A dotted line where each period begins, with its name above; short periods use a second line."""
    total = len(trial)
    for number, (name, first, last) in enumerate(trial.periods):
        if last == first:  # a delay of 0 ms
            continue
        if first > 0:
            for ax in axes:
                ax.axvline(first * dt, color=style.GREY, linewidth=0.7, linestyle=":")
        word = PERIOD_WORDS.get(name, style.words(name))
        short = (last - first) / total < 0.018 * len(word)
        axes[0].annotate(
            word,
            ((first + last) / 2 * dt, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + (8 if short and number % 2 else 0)),
            textcoords="offset points",
            ha="center",
            fontsize=6.5 if short else 7.5,
            color="#666666",
        )
