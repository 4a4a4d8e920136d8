#!/usr/bin/env python3
"""Compares each change of studies/recipe-ablation.toml with setting A, by the criterion in that file.

    lmrnn study collect studies/recipe-ablation.toml
    studies/ablation.py studies/recipe-ablation.toml docs/results     # with the package's Python

Writes DIRECTORY/data/STUDY-ratios.csv, a row per network, change and mark: over the seeds that both sides finished, how
many runs of A and of the change miss the mark, the geometric means of steps, trials and processor seconds to it
with the change, and the ratios to A with paired t-intervals of their logarithms (95%; empty where a run misses the mark).
`sooner` counts the seeds in which the change takes fewer steps. `final_share` and `tasks_solved` are means.
Draws the ratios of steps, DIRECTORY/figures/STUDY-ratios.svg. Prints a Markdown table for each network.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import stats
from selection import REFERENCE, name_axes_of_ratios, write

import lmrnn
from lmrnn import plot

MARKS = (80, 90, 95)  # percent of the mean ceiling
DRAWN = 80
COSTS = ("steps", "trials", "seconds")


def runs_by_cell(study):
    """{network: {change: {seed: run}}}, runs as rows of runs.csv with their processor seconds."""
    seconds = {row["run"]: float(row["processor_seconds"]) for row in study.table("times").rows()}
    cells = {}
    for row in study.table("runs").rows():
        run = {**row, "processor_seconds": seconds[row["run"]]}
        cells.setdefault(row["network"], {}).setdefault(row["change"], {})[row["seed"]] = run
    return cells


def cost_to(run, mark, cost):
    """Steps, trials or processor seconds to a mark; evaluations are part of the seconds, spread evenly."""
    if cost == "seconds":
        return run["processor_seconds"] * run[f"steps_to_{mark}"] / run["steps"]
    return run[f"{cost}_to_{mark}"]


def ratio_with_interval(changed, reference):
    """Geometric mean of the paired ratios, and the ends of the 95% t-interval of their mean logarithm."""
    logs = np.log(changed) - np.log(reference)
    mean = logs.mean()
    half = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs)) if len(logs) > 1 else np.nan
    return np.exp([mean, mean - half, mean + half])


def compare(network, change, changed, reference, mark):
    """A row of the table, of the runs of a change and of A by seed; None if they share no seed."""
    seeds = sorted(changed.keys() & reference.keys())
    if not seeds:
        return None
    pairs = [(changed[seed], reference[seed]) for seed in seeds]
    missed, missed_reference = ([not pair[side][f"reached_{mark}"] for pair in pairs] for side in (0, 1))
    row = {"network": network, "change": change, "mark": mark, "seeds": len(seeds), "missed": sum(missed),
           "missed_reference": sum(missed_reference), "sooner": ""}  # fmt: skip
    costs = {cost: np.array([[cost_to(run, mark, cost) for run in pair] for pair in pairs]).T for cost in COSTS}
    all_reach = not any(missed + missed_reference)
    if all_reach:
        row["sooner"] = int(np.sum(costs["steps"][0] < costs["steps"][1]))
    for cost, (of_change, of_reference) in costs.items():
        row[cost] = round(float(np.exp(np.log(of_change).mean())), 1) if not any(missed) else ""
        ratios = ratio_with_interval(of_change, of_reference) if all_reach else [np.nan] * 3
        for name, value in zip(("ratio", "lower", "upper"), ratios):
            row[f"{cost}_{name}"] = "" if np.isnan(value) else round(float(value), 4)
    for column, digits in (("final_share", 4), ("tasks_solved", 2)):
        row[column] = round(float(np.mean([changed[seed][column] for seed in seeds])), digits)
    return row


def table_of(cells):
    rows = []
    for network, changes in cells.items():
        for change, runs in changes.items():
            rows += [compare(network, change, runs, changes.get(REFERENCE, {}), mark) for mark in MARKS]
    return [row for row in rows if row]


def markdown(table):
    """The criterion's words: a change is confirmed for a network if it takes fewer steps to 80% in all three seeds."""
    for network in dict.fromkeys(row["network"] for row in table):
        print(f"\n{network}:\n")
        print("| change | " + " | ".join(f"steps to {mark}%" for mark in MARKS)
              + " | processor time to 80% | share at the end | tasks solved | fewer steps to 80% in |")  # fmt: skip
        print("|" + "---|" * (len(MARKS) + 5))
        for change in dict.fromkeys(row["change"] for row in table if row["network"] == network):
            rows = {row["mark"]: row for row in table if (row["network"], row["change"]) == (network, change)}
            first = rows[MARKS[0]]
            cells = [ratio_text(rows[mark], "steps") for mark in MARKS] + [ratio_text(first, "seconds")]
            sooner = "" if change == REFERENCE else f"{first['sooner'] or 0} of {first['seeds']}"
            print(f"| `{change}` | {' | '.join(cells)} | {first['final_share']:.3f} | {first['tasks_solved']:.1f} | {sooner} |")


def ratio_text(row, cost):
    if row["change"] == REFERENCE:
        unit = " s" if cost == "seconds" else ""
        return f"{row[cost]:.0f}{unit}" if row[cost] != "" else f"missed by {row['missed']}"
    if row[f"{cost}_ratio"] == "":
        return f"missed by {row['missed']}" + (f", A by {row['missed_reference']}" if row["missed_reference"] else "")
    values = [row[f"{cost}_{name}"] for name in ("ratio", "lower", "upper")]
    return "{:.2f} ({:.2f} to {:.2f})".format(*values) if values[1] != "" else f"{values[0]:.2f}"


@plot.style.figure
def draw(cells):
    """Steps to 80% with each change, as ratios to A: a marker per network, one for every seed."""
    changes = [change for change in next(iter(cells.values())) if change != REFERENCE]
    ax = plot.style.new_axes(None, plot.style.WIDTH, 0.9 + 0.35 * len(changes))
    ax.axvline(1, color=plot.style.INK, linewidth=0.8)
    for number, (network, runs) in enumerate(cells.items()):
        points = [
            (runs[change][seed][f"steps_to_{DRAWN}"] / a[f"steps_to_{DRAWN}"], place + 0.22 * (number - 1))
            for place, change in enumerate(changes)
            for seed, a in runs.get(REFERENCE, {}).items()
            if seed in runs.get(change, {}) and a[f"reached_{DRAWN}"] and runs[change][seed][f"reached_{DRAWN}"]
        ]
        if points:
            ax.plot(*zip(*points), plot.style.MARKERS[number], label=network, markersize=4)
    name_axes_of_ratios(ax, changes, f"steps to {DRAWN}% of the ceiling, with the change / setting A")
    ax.set_ylim(len(changes) - 0.5, -0.5)
    ax.legend(loc="best")
    return ax


def main(study, out):
    study = Path(study)
    cells = runs_by_cell(lmrnn.Study(Path("runs") / study.stem))
    table = table_of(cells)
    write(table, lambda: draw(cells), study, out, "ratios")
    markdown(table)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
