"""The sections of a study's report."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ... import plot
from ..html import Markup, Section, escape, figure, folded, join, table, values

MEASURES = {
    "units": "units",
    "synapses": "synapses",
    "learning rate": "learning_rate",
    "final share": "final_share",
    "area": "area",
    "tasks solved": "tasks_solved",
    "steps to 50%": "steps_to_50",
    "steps to 80%": "steps_to_80",
}
PLAIN = {"units": ",.0f", "synapses": ",.0f", "learning rate": "g"}

NOTE = Markup(
    "<p>Means over seeds, with bootstrap intervals. Final share: mean over tasks of the share of the "
    "ceiling at the end; area: its mean over training. Times are restricted means: where not every "
    "run got there, a lower bound.</p>"
)


def claim(study) -> Section:
    registered = study.registered
    states = Counter(study.table("states").get("state", np.array([])))
    done = states["done"] + states["recorded"]
    cells = len({row["cell"] for row in study.cells.rows()})
    pairs = {
        "axes": ", ".join(study.axes),
        "cells with results": cells,
        "runs over": f"{done} of {sum(states.values())}" if states else "",
        "seeds": ", ".join(str(seed) for seed in registered.get("seeds", [])),
        "machine": ", ".join(sorted({str(name) for name in study.table("times").get("processor", [])})),
    }
    pieces = [values({name: value for name, value in pairs.items() if value != ""})]
    if registered:
        pieces.insert(0, Markup('<p class="lead">') + escape(registered["claim"]) + Markup("</p>"))
        pieces.append(
            Markup("<p>What counts as support, as it was written down before the first run: ")
            + escape(registered["support"]) + Markup("</p>")
        )
    failed = [row for row in study.table("states").rows() if row["error"] and str(row["error"]) != "nan"]
    if failed:
        pieces.append(table(["run", "error"], [[row["run"], row["error"]] for row in failed],
                            caption="Runs that failed."))
    return Section("Claim", join(*pieces))


def results(study) -> Section:
    rows = []
    for panel in study.panels:
        for level in study.levels_of(panel):
            first = study.value(panel, level, "area")
            rows.append([
                *(str(first[axis]) for axis in study.axes),
                int(first["runs"]),
                *(
                    format(study.value(panel, level, key)["mean"], PLAIN[name])
                    if name in PLAIN
                    else study.text(panel, level, key)
                    for name, key in MEASURES.items()
                ),
            ])
    return Section("Results", join(NOTE, table([*study.axes, "runs", *MEASURES], rows)))


def learning(study) -> Section:
    return Section("Learning", figure(plot.study_curves(study),
                                      "Share of the ceiling over steps, with bootstrap bands."))


def density(study) -> Section | None:
    if not any(study.differ(panel, "density") for panel in study.panels):
        return None
    pieces = [figure(plot.study_density(study), "Against the density of recurrent synapses.")]
    marks = ("trials_to_50", "trials_to_80")
    if any(study.reached(p, level, marks[0]) for p in study.panels for level in study.levels_of(p)):
        axes = plot.study_density(study, marks, "trials to a share of the ceiling")
        pieces.append(figure(axes, "Trials until 50% and 80% of the ceiling are held."))
    return Section("Density", join(*pieces))


def units(study) -> Section | None:
    if not study.differ(study.panels[0], "units"):
        return None
    return Section("Units", figure(plot.study_units(study), "Against the number of units."))


def tuning(study) -> Section | None:
    if not study.table("tuning").n_rows:
        return None
    caption = "Mean score on the tuning seeds at every learning rate; framed: the rate that was taken."
    return Section("Learning rates", figure(plot.study_rates(study), caption))


def contrasts(study) -> Section | None:
    found = study.table("contrasts")
    rows = [
        [f"{row['a']} − {row['b']}", str(row["where"]), row["measure"], int(row["pairs"]),
         row["difference"], row["lower"], row["upper"], row["p"], row["p_holm"]]
        for row in found.rows()
        if row["pairs"] > 0
    ]
    if not rows:
        return None
    columns = ["contrast", "where", "measure", "pairs", "difference", "lower", "upper", "p", "p, Holm"]
    n_pairs = min(row[3] for row in rows)
    note = f"Paired by seed. With {n_pairs} pairs, p cannot be below {2.0 ** (1 - n_pairs):g}."
    return Section("Contrasts", table(columns, rows, caption=note))


def best(study) -> Section | None:
    found = study.table("best")
    if not found.n_rows:
        return None
    rows = [
        [str(row["where"]), row["measure"], row["level"], row["mean"], row["share_best"],
         bool(row["best"])]
        for row in found.rows()
    ]
    columns = ["where", "measure", study.axis, "mean", "best in resamples", "best"]
    return Section("The best", folded(f"{len(rows)} levels", table(columns, rows)))
