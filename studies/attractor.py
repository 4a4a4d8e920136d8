#!/usr/bin/env python3
"""Is the delay of dlygo bridged by an approximate continuous attractor? The measures of E5, of every network of a
study.

    lmrnn study run studies/e5.toml
    studies/attractor.py studies/e5.toml docs/results      # with the package's Python

Writes DIRECTORY/data/STUDY-attractor.csv and DIRECTORY/figures/STUDY-attractor.svg, and prints the table of the page.

Trials have no noise, both modalities, and the longest trained delay, T. The delay counts from its third step on
(`SETTLED` steps in), when the stimulus has left a network without memory. Printed angles are in degrees.

Measures of a network with the map h' = F(h, input), state by state:

- delays: share of all tasks, at each withheld delay (`WITHHELD`), that pass; 4000 trials, with noise.
- angles: share of directions halfway between trained ones whose answer after T is within 11.25 degrees. The answer
  is the circular mean of the softmax over directions, 200 ms into the decision.
- kicks: slope of the answer against kicks that should move the angle by 11.25 and 22.5 degrees either way. A kick is
  a multiple of the tangent dh/dtheta (central difference over 1 degree).
- contraction: with M the product of the Jacobians over the delay, t the tangent at its beginning and t' = M t, the
  largest singular value of (1 - t't'^T) M (1 - t t^T), unit vectors, over |M t| / |t|: how much more a normal direction
  may grow than the tangent. The median over directions, and the share of directions below 0.3.
- drift: the largest change of the decoded angle over the delay, over the largest one in its first step times the number
  of steps. The bound of Sagodi et al. (arXiv 2408.00109): speed on the manifold times time. The decoder is a
  ridge regression from the state to (cos, sin), fitted to the trained directions in all steps of the delay; it decodes
  the directions halfway between them.
- rotation: in dlygointr and dlygointl, the share of the variance of states over direction and time that is explained
  by the angle direction + omega time alone, or direction - omega time if that explains more. Also by direction alone,
  and by time alone.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

import lmrnn
from lmrnn import plot

T, SETTLED = 1200.0, 2  # ms; steps
WITHHELD = (500.0, 900.0)
MODALITIES = (0, 1)
DEGREE = np.pi / 180

THRESHOLDS = {  # (low, high) between which the claim holds
    "delays": (1.0, 1.0),
    "angles": (0.95, 1.0),
    "kicks": (0.9, 1.1),
    "contraction": (0.9, 1.0),
    "drift": (0.0, 1.0),
    "rotation": (0.9, 1.0),
}


def wrapped(angle):
    """An angle or a difference of two, in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


class Dynamics:
    """The map of a network with the state equation "rate" and ReLU, in double precision."""

    def __init__(self, network):
        if (network.equation, network.activation) != ("rate", "relu"):
            sys.exit(f"a network with equation {network.equation} and activation {network.activation}: only rate and relu")
        self.alpha = network.alpha
        self.matrix = network.recurrent_matrix.astype(float)
        self.weights = {name: values.astype(float) for name, values in network.weights.items()}

    def drive(self, trial):
        """(time, unit): input, rule and bias."""
        w = self.weights
        return trial.inputs.astype(float) @ w["input"].T + w["rule"][trial.rule].sum(axis=0) + w["bias"]

    def step(self, h, drive):
        """The next states of many rows."""
        return (1 - self.alpha) * h + self.alpha * np.maximum(h @ self.matrix.T + drive, 0)

    def active(self, h, drive):
        """Whether units are above threshold in the step from states h: f' of ReLU."""
        return (h @ self.matrix.T + drive) > 0

    def along(self, v, active):
        """Jacobians of a step times vectors v (row, unit), row by row."""
        return (1 - self.alpha) * v + self.alpha * active * (v @ self.matrix.T)

    def back(self, v, active):
        """The same for the transposed Jacobians."""
        return (1 - self.alpha) * v + self.alpha * ((v * active) @ self.matrix)

    def answer(self, h):
        """The angle of the states' answers."""
        logits = h @ self.weights["readout"].T + self.weights["readout_bias"]
        rate = np.exp(logits[:, 1:] - logits[:, 1:].max(axis=1, keepdims=True))
        ring = 2 * np.pi * np.arange(rate.shape[1]) / rate.shape[1]
        return np.angle(rate @ np.exp(1j * ring))


class Delay:
    """Trials of a task over many directions and both modalities, at the delay T."""

    def __init__(self, dynamics, task, directions):
        self.dynamics = dynamics
        self.directions = np.tile(directions, len(MODALITIES))
        trials = [task.compose(task.draw(seed=1), direction=float(d), modality=m, durations={"delay": T})
                  for m in MODALITIES for d in directions]  # fmt: skip
        periods = {name: (first, last) for name, first, last in trials[0].periods}
        self.first, self.last = periods["delay"][0] + SETTLED, periods["delay"][1]
        self.drives = np.stack([dynamics.drive(trial) for trial in trials], axis=1)  # (time, row, unit)
        h, states = np.zeros_like(self.drives[0]), []
        for u in self.drives:
            h = dynamics.step(h, u)
            states.append(h)
        self.states = np.array(states)
        self.held = self.states[self.first : self.last]  # after each counted step of the delay
        self.n_steps = self.last - self.first

    def answers_from(self, h):
        """Answers if the states after step `first` were h."""
        for u in self.drives[self.first + 1 : self.last + 2]:  # to 200 ms into the decision
            h = self.dynamics.step(h, u)
        return self.dynamics.answer(h)


def directions_of(n):
    return 2 * np.pi * np.arange(n) / n


def tangents(dynamics, task, directions):
    """dh/dtheta (row, unit) after step `first` of the delay."""
    ends = [Delay(dynamics, task, (directions + shift) % (2 * np.pi)).held[0] for shift in (DEGREE, -DEGREE)]
    return (ends[0] - ends[1]) / (2 * DEGREE)


def errors(dynamics, task, n_ring):
    """Errors of the answers to directions halfway between trained ones; radians."""
    delay = Delay(dynamics, task, directions_of(n_ring) + np.pi / n_ring)
    return np.abs(wrapped(delay.answers_from(delay.held[0]) - delay.directions))


def kicks(dynamics, task, n_ring):
    directions = directions_of(n_ring)
    delay, along = Delay(dynamics, task, directions), tangents(dynamics, task, directions)
    straight = delay.answers_from(delay.held[0])
    sizes = np.array([-22.5, -11.25, 11.25, 22.5]) * DEGREE
    moved = [wrapped(delay.answers_from(delay.held[0] + size * along) - straight) for size in sizes]
    return float(sizes @ np.mean(moved, axis=1) / (sizes @ sizes))


def contraction(dynamics, task, n_ring):
    """For every direction: the growth of the fastest normal direction relative to that of the tangent, and the
    latter."""
    directions = directions_of(n_ring)
    delay, tangent = Delay(dynamics, task, directions), tangents(dynamics, task, directions)
    steps = range(delay.first, delay.last - 1)
    return growths(dynamics, [dynamics.active(delay.states[s], delay.drives[s + 1]) for s in steps], tangent)


def unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-300)


def without(v, direction):
    """Vectors without their components along unit vectors, row by row."""
    return v - (v * direction).sum(axis=1, keepdims=True) * direction


def growths(dynamics, active, tangent):
    """By power iteration: the largest singular value of the product of the Jacobians between the normal directions,
    over the growth of the tangent; and the latter. `active` (step)(row, unit), tangent (row, unit)."""
    before, after = unit(tangent), tangent
    for a in active:
        after = dynamics.along(after, a)
    growth = np.linalg.norm(after, axis=1) / np.linalg.norm(tangent, axis=1)
    after = unit(after)
    v = unit(np.random.default_rng(1).normal(size=tangent.shape))
    largest = np.zeros(len(v))
    for _ in range(1000):
        v = without(v, before)
        for a in active:
            v = dynamics.along(v, a)
        v = without(v, after)
        found = np.linalg.norm(v, axis=1)
        for a in reversed(active):
            v = dynamics.back(v, a)
        v = unit(without(v, before))
        if np.all(np.abs(found - largest) <= 1e-5 * found):
            break
        largest = found
    with np.errstate(divide="ignore"):
        return np.where(found > 0, found / growth, 0.0), growth


def drift(dynamics, task, n_ring):
    """The largest change of the decoded angle over the delay, and its bound; radians. With more units than fitted
    states, the decoder has no error on these, so it is tested on others."""
    fitted = Delay(dynamics, task, directions_of(n_ring))
    delay = Delay(dynamics, task, directions_of(n_ring) + np.pi / n_ring)
    x = fitted.held.reshape(-1, fitted.held.shape[2])
    mean = x.mean(axis=0)
    theta = np.tile(fitted.directions, fitted.n_steps)
    gram = (x - mean) @ (x - mean).T
    ridge = 1e-6 * np.trace(gram) / len(gram) * np.eye(len(gram))
    wanted = np.column_stack([np.cos(theta), np.sin(theta)])
    decoder = (x - mean).T @ np.linalg.solve(gram + ridge, wanted)
    plane = (delay.held - mean) @ decoder
    decoded = np.arctan2(plane[..., 1], plane[..., 0])
    changes = wrapped(np.diff(decoded, axis=0))
    return np.abs(changes.sum(axis=0)).max(), np.abs(changes[0]).max() * len(changes)


def explained(states, groups):
    """Share of the variance of states (row, unit) between groups."""
    total = ((states - states.mean(axis=0)) ** 2).sum()
    means = np.array([states[groups == g].mean(axis=0) for g in np.unique(groups)])
    counts = np.array([(groups == g).sum() for g in np.unique(groups)])
    return float((counts[:, None] * (means - states.mean(axis=0)) ** 2).sum() / total) if total > 0 else 0.0


def rotation(dynamics, task, n_ring):
    """Shares of the variance that the turning angle, the direction and the time explain; means over modalities."""
    delay = Delay(dynamics, task, directions_of(n_ring))
    config = task.battery.config
    per_step = round(config["omega"] * config["dt"] / (2 * np.pi / n_ring))  # in directions
    n_steps, rows = delay.held.shape[:2]
    time, row = np.meshgrid(np.arange(n_steps), np.arange(n_ring), indexing="ij")
    shares = []
    for m in range(len(MODALITIES)):
        states = delay.held[:, m * n_ring : (m + 1) * n_ring].reshape(n_steps * n_ring, -1)
        turning = max(explained(states, ((row + sign * per_step * time) % n_ring).ravel()) for sign in (1, -1))
        shares.append((turning, explained(states, row.ravel()), explained(states, time.ravel())))
    return np.mean(shares, axis=0)


def delays(network, battery, config, seed):
    """Share of pairs (task, withheld delay) that pass; and the tasks that do not, by delay."""
    missed = {}
    for delay in WITHHELD:
        other = lmrnn.Battery(**config | {"durations": {"reach": {"delay": delay}}})
        scores = lmrnn.evaluate(network, other, seed=seed, n_trials=4000, threads=1)
        missed[delay] = [task.name for task in scores.tasks if not task.passed]
    return 1 - sum(map(len, missed.values())) / (len(WITHHELD) * len(battery)), missed


def measures(run):
    """{measure: value}; the first six are those of THRESHOLDS."""
    network = run.network()
    battery = run.battery
    n_ring, base = battery.config["n_ring"], battery["dlygo"]
    dynamics = Dynamics(network)
    passed, missed = delays(network, battery, battery.config, run.config["seed"])
    growth, of_tangent = contraction(dynamics, base, n_ring)
    off = errors(dynamics, base, n_ring)
    moved, bound = drift(dynamics, base, n_ring)
    turns = np.array([rotation(dynamics, battery[f"dlygoint{side}"], n_ring) for side in "rl"])
    return {
        "delays": passed,
        "angles": np.mean(off < 11.25 * DEGREE),
        "kicks": kicks(dynamics, base, n_ring),
        "contraction": np.mean(growth < 0.3),
        "drift": moved / bound if bound > 0 else 0.0,
        "rotation": turns[:, 0].min(),
        "error halfway between trained directions, median, degrees": np.median(off) / DEGREE,
        "the same, largest": off.max() / DEGREE,
        "growth of the tangent over the delay, median": np.median(of_tangent),
        "growth of normal directions over that, median": np.median(growth),
        "drift, degrees": moved / DEGREE,
        "bound of the drift, degrees": bound / DEGREE,
        "explained by direction": turns[:, 1].mean(),
        "explained by time": turns[:, 2].mean(),
    } | {f"tasks missed at {delay:g} ms": len(names) for delay, names in missed.items()}


def holds(measure, value):
    low, high = THRESHOLDS[measure]
    return low <= value <= high


def runs_of(program, study):
    """(cell, seed, run) of the reporting runs that are over."""
    home = Path("runs") / study.stem
    subprocess.run([program, "study", "collect", study], check=True, stdout=subprocess.DEVNULL)
    for row in lmrnn.Study(home).table("runs").rows():
        directory = home / "runs" / f"{row['run']}-{row['hash'][:8]}"
        if row["stage"] == "report" and (directory / "DONE").exists():
            yield row["cell"], int(row["seed"]), lmrnn.Run(directory)


@plot.style.figure
def draw(found):
    """A panel for every measure of THRESHOLDS, a dot for every network; grey: the range in which it holds."""
    cells = list(dict.fromkeys(cell for cell, _ in found))
    axes = plot.style.new_grid(None, 1, len(THRESHOLDS), 7.6, 2.1)[0]
    for ax, (measure, (low, high)) in zip(axes, THRESHOLDS.items()):
        ax.axhspan(low, high, color=plot.style.PALE, linewidth=1.5 if low == high else 0)
        for place, cell in enumerate(cells):
            values = [row[measure] for (of, _), row in found.items() if of == cell]
            shift = 0.15 * (np.arange(len(values)) - (len(values) - 1) / 2)
            ax.plot(place + shift, values, plot.style.MARKERS[place], markersize=4,
                    color=list(plot.style.COLOURS.values())[place])  # fmt: skip
        ax.set_title(measure)
        ax.set_xlim(-0.6, len(cells) - 0.4)
        plot.style.name_ticks(ax, cells)
    return axes[0]


def write(path, found):
    with open(path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["cell", "seed", "measure", "value", "holds"])
        for (cell, seed), row in found.items():
            for measure, value in row.items():
                verdict = int(holds(measure, value)) if measure in THRESHOLDS else ""
                table.writerow([cell, seed, measure, f"{value:.6g}", verdict])


def print_table(found):
    cells = list(dict.fromkeys(cell for cell, _ in found))
    print("| measure | " + " | ".join(cells) + " |\n|---|" + "---|" * len(cells))
    for measure in next(iter(found.values())):
        texts = []
        for cell in cells:
            values = [row[measure] for (of, _), row in found.items() if of == cell]
            texts.append(", ".join(
                f"**{v:.3g}**" if measure in THRESHOLDS and holds(measure, v) else f"{v:.3g}" for v in values
            ))  # fmt: skip
        print(f"| {measure} | " + " | ".join(texts) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--lmrnn", default="lmrnn", help="the program")
    options = parser.parse_args()
    found = {}
    for cell, seed, run in runs_of(options.lmrnn, options.study):
        print(f"{cell}, seed {seed}", file=sys.stderr)
        found[cell, seed] = measures(run)
    if not found:
        sys.exit(f"{options.study}: no run is over; lmrnn study run {options.study}")
    stem = f"{options.study.stem}-attractor"
    write(options.directory / f"data/{stem}.csv", found)
    plot.save(draw(found), options.directory / f"figures/{stem}.svg")
    print_table(found)


if __name__ == "__main__":
    main()
