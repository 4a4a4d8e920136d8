"""One trial: what the network sees, what it should answer, and what it answers."""

from __future__ import annotations

import numpy as np

from . import style

PERIOD_WORDS = {"stimulus1": "stimulus 1", "stimulus2": "stimulus 2", "second_stimulus": "stimulus 2"}


@style.figure
def trial(trial, network=None, *, height: float = 4.2):
    """Cue, both rings and the target over time; with a network, its answer, as the probability of
    each direction, with the target's outline over it.

    trial : lmrnn.Trial; network : lmrnn.Network, optional. Returns an array of Axes.
    """
    n_ring, dt = trial.task.battery.n_ring, trial.task.battery.dt
    axes = style.new_stack([1, 3, 3, 3.4], height=height)
    span = (0, len(trial) * dt)
    _cue(axes[0], trial.inputs[:, 0], dt)
    largest = max(float(trial.inputs[:, 1:].max()), 1e-6)
    for modality in range(2):
        ring = trial.inputs[:, 1 + modality * n_ring : 1 + (modality + 1) * n_ring]
        _ring(axes[1 + modality], ring, span, n_ring, cmap="Greys", vmin=0, vmax=largest)
        axes[1 + modality].set_ylabel(f"ring {modality}\n(direction)")
    _answer(axes[3], trial, network, span, n_ring)
    _periods(axes, trial, dt)
    axes[-1].set_xlabel("time (ms)")
    axes[-1].set_xlim(span)
    axes[0].set_title(trial.task.name, pad=16, fontweight="bold")
    return axes


def _cue(ax, cue, dt):
    ax.stairs(cue, np.arange(len(cue) + 1) * dt, color=style.INK, baseline=None)
    ax.set_ylabel("cue")
    ax.set_ylim(-0.3, 1.4)
    ax.set_yticks([0, 1])


def _ring(ax, values, span, n_ring, **options):
    ax.set_yticks([0, n_ring // 2, n_ring - 1])
    return ax.imshow(
        values.T, origin="lower", extent=(*span, -0.5, n_ring - 0.5), **options
    )


def _answer(ax, trial, network, span, n_ring):
    targets = np.asarray(trial.targets)
    steps = np.arange(len(targets) + 1) * trial.task.battery.dt
    if network is not None:
        probability = answer(trial, network)
        _ring(ax, probability[:, 1:], span, n_ring, cmap="Blues", vmin=0, vmax=1)
        ax.set_ylabel("answer\n(direction)")
    else:
        ax.set_ylim(-0.5, n_ring - 0.5)
        ax.set_yticks([0, n_ring // 2, n_ring - 1])
        ax.set_ylabel("target\n(direction)")
    _target(ax, targets, steps, filled=network is None)


def _target(ax, targets, steps, filled):
    """Filled, or an outline: one line above and one below, so that what is inside stays visible."""
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
    logits = network.forward(inputs, rules)[1][:, 0]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _periods(axes, trial, dt):
    for name, first, last in trial.periods:
        if last == first:  # a delay of 0 ms
            continue
        if first > 0:
            for ax in axes:
                ax.axvline(first * dt, color=style.GREY, linewidth=0.7, linestyle=":")
        axes[0].annotate(
            PERIOD_WORDS.get(name, name),
            ((first + last) / 2 * dt, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=style.GREY,
        )
