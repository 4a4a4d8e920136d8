"""The sections of a study's report."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ... import _core, plot
from ..html import Markup, Section, escape, figure, folded, join, table, values

MEASURES = {
    "units": "units",
    "synapses": "synapses",
    "learning rate": "learning_rate",
    "final share": "final_share",
    "gain, last quarter": "late_gain",
    "area": "area",
    "tasks solved": "tasks_solved",
}
PLAIN = {"units": ",.0f", "synapses": ",.0f", "learning rate": "g"}

NOTE = Markup(
    "Final share: mean over tasks of the share of the "
    "ceiling at the end; area: its mean over training. Gain, last quarter: what the share gained over "
    "the last quarter of the steps; a network is at its plateau if that is less than 0.003. Times are "
    "restricted means: where not every run got there, they are a lower bound, marked ≥.</p><p>"
) + escape(_core.solved_definition) + Markup(".</p>")


def _note(study) -> Markup:
    runs = {int(study.value(panel, level, "area")["runs"])
            for panel in study.panels for level in study.levels_of(panel)}  # fmt: skip
    if runs == {1}:
        means = "Values of one run per cell; one run has no interval."
    else:
        means = "Means over seeds, with bootstrap intervals."
        means += " A value without an interval is that of one run, which has none." if 1 in runs else ""
    return Markup("<p>") + escape(means) + Markup(" ") + NOTE


def _with_intervals(study, text: str, measure: str, of: str = "intervals") -> str:
    """A caption that says that there are intervals, if any cell has one."""
    known = any(np.isfinite(study.value(panel, level, measure)["lower"])
                for panel in study.panels for level in study.levels_of(panel))  # fmt: skip
    return f"{text}, with bootstrap {of}." if known else f"{text}; one run per network, so there are no {of}."


def compared(study) -> list:
    """Rows of the contrasts. Raises UsageError if an earlier version wrote them, with other columns or intervals."""
    found = study.table("contrasts")
    if found.n_rows and not {"scale", "registered"} <= set(found):
        raise _core.UsageError(
            f"{study.directory}/tables/contrasts.csv: an earlier version wrote it; "
            "lmrnn study collect STUDY.toml writes it again"
        )
    return list(found.rows())


def claim(study) -> Section:
    stated = study.registered or study.config
    states = Counter(study.table("states").get("state", np.array([])))
    done = states["done"] + states["recorded"] + states["diverged"]
    cells = len({row["cell"] for row in study.cells.rows()})
    pairs = {
        "axes": ", ".join(study.axes),
        "cells with results": cells,
        "runs over": f"{done} of {sum(states.values())}" if states else "",
        "seeds": ", ".join(map(str, sorted(set(study.table("runs").get("seed", []))))),
        "machine": ", ".join(sorted({str(name) for name in study.table("times").get("processor", [])})),
    }
    pieces = [values({name: value for name, value in pairs.items() if value != ""})]
    if stated:
        pieces.insert(0, Markup('<p class="lead">') + escape(stated["claim"]) + Markup("</p>"))
        since = "as it was written down before the first run" if study.registered else "by the study file"
        pieces.append(Markup(f"<p>What counts as support, {since}: ") + escape(stated["support"]) + Markup("</p>"))
    pieces += verdicts(study)
    failed = [row for row in study.table("states").rows() if row["error"]]
    if failed:
        pieces.append(table(["run", "error"], [[row["run"], row["error"]] for row in failed],
                            caption="Runs that failed or diverged."))
    return Section("Claim", join(*pieces))


def shown_measures(study) -> dict[str, str]:
    """Measures in the table of results: those of MEASURES that the study has, its marks, and others that contrasts
    name."""
    shown = {name: measure for name, measure in MEASURES.items() if measure in study.measures}
    shown |= {plot.study.measure_words(mark): mark for mark in study.marks("steps")}
    known = {row["measure"] for row in study.cells.rows() if np.isfinite(row["mean"])}
    named = (row["measure"] for row in compared(study))
    return shown | {plot.study.measure_words(m): m for m in named if m in known and m not in shown.values()}


def results(study) -> Section:
    rows = []
    measures = shown_measures(study)
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
                    for name, key in measures.items()
                ),
            ])
    caption = _with_intervals(study, "Share of the ceiling at the end", "final_share")
    cells = _drawn(plot.study_cells, study, caption)
    return Section("Results", join(_note(study), cells, table([*study.axes, "runs", *measures], rows)))


def learning(study) -> Section:
    caption = _with_intervals(study, "Share of the ceiling over steps", "final_share", "bands")
    pieces = [_drawn(plot.study_curves, study, caption)]
    costs = [row["multiply_adds"] for row in study.table("curves").rows() if "multiply_adds" in row]
    if np.isfinite(np.array(costs, dtype=float)).any():
        axes = plot.study_curves(study, "multiply_adds")
        pieces.append(figure(axes, "The same over the multiply-adds of training."))
    return Section("Learning", join(*pieces))


def density(study) -> Section | None:
    if not any(study.differ(panel, "density") for panel in study.panels):
        return None
    pieces = [figure(plot.study_density(study), "Against the density of recurrent synapses.")]
    marks = study.marks("trials")
    if any(study.reached(p, level, m) for m in marks for p in study.panels for level in study.levels_of(p)):
        axes = plot.study_density(study, marks, "trials to a share of the ceiling")
        pieces.append(figure(axes, "Trials until a share of the ceiling is held."))
    return Section("Density", join(*pieces))


def units(study) -> Section | None:
    if not study.differ(study.panels[0], "units"):
        return None
    return Section("Units", figure(plot.study_units(study), "Against the number of units."))


def wire(study) -> Section | None:
    if not any(row["measure"] == "wire" for row in compared(study)) or not any(row["measure"] == "wire" and row["mean"] > 0 for row in study.cells.rows()):
        return None
    text = "Share of the ceiling at the end against wire, the sum of length times |weight| over recurrent synapses"
    caption = _with_intervals(study, text, "final_share")
    return Section("Wire", _drawn(plot.study_wire, study, caption))


def tuning(study) -> Section | None:
    if not study.table("tuning").n_rows:
        return None
    key = plot.study.tuned_words(study)
    caption = f"Mean score on the tuning seeds at every {key}; framed: the one that was chosen."
    return Section("Tuning", _drawn(plot.study_rates, study, caption))


def _drawn(draw, study, caption: str) -> Markup:
    """The figure, or the reason why there is none, e.g. if all runs diverged."""
    try:
        return figure(draw(study), caption)
    except _core.UsageError as error:
        return Markup("<p>") + escape(error) + Markup("</p>")


def effect(row) -> tuple[str, float, float, float]:
    """What a contrast compares, its estimate and interval, on the contrast's scale."""
    if row["scale"] == "ratio":
        return f"{row['a']} / {row['b']}", row["ratio"], row["ratio_lower"], row["ratio_upper"]
    return f"{row['a']} − {row['b']}", row["difference"], row["lower"], row["upper"]


def verdicts(study) -> list[Markup]:
    """A table of the contrasts that have a criterion; empty if none has. Verdicts are by the limits of the study file
    when its tables were made; where others were registered before the first run, it says so."""
    rows, changed = [], False
    for row in compared(study):
        words, before = (cell if isinstance(cell := row[name], str) else "" for name in ("criterion", "registered"))
        if not words or not row["pairs"]:
            continue
        if study.registered and words != before:
            words, changed = f"{words} (before the first run: {before or 'no limits'})", True
        name, estimate, lower, upper = effect(row)
        found = f"{estimate:.3g}" if np.isfinite(estimate) else "undefined"
        interval = f" ({lower:.3g} to {upper:.3g})" if np.isfinite(lower + upper) else ""
        rows.append([row["verdict"], name, row["where"], row["measure"], found + interval, words, int(row["pairs"])])
    if not rows:
        return []
    columns = ["verdict", "contrast", "where", "measure", "effect", "criterion: the interval lies", "pairs"]
    limits = "the limits that were written down before the first run"
    if changed:
        limits = "limits that were changed after the first run"
    if not study.registered:  # the tables are of a results file alone
        limits = ("the limits of the study file; no run has begun in this folder, so what they were before is not "
                  "known here")  # fmt: skip
    return [table(columns, rows, caption=f"The verdicts, by {limits}. Fewer than six pairs are descriptive.")]


def contrasts(study) -> Section | None:
    rows = []
    for row in compared(study):
        if row["pairs"] > 0:
            missed = f"{row['censored_a']:g}, {row['censored_b']:g}"
            rows.append([effect(row)[0], row["where"], row["measure"], int(row["pairs"]),
                         *effect(row)[1:], missed, row["p"], row["least_p"], row["p_holm"]])
    if not rows:
        return None
    columns = ["contrast", "where", "measure", "pairs", "effect", "lower", "upper", "missed the mark",
               "p", "least p", "p, Holm"]
    note = ("Paired by seed. Effects are means of differences, or geometric means of ratios, with "
            "t-intervals; p is that of sign flips, and cannot be below the least p.")
    return Section("Contrasts", table(columns, rows, caption=note))


def best(study) -> Section | None:
    found = study.table("best")
    if not found.n_rows:
        return None
    rows = [
        [row["axis"], row["where"], row["measure"], row["level"], row["mean"], row["share_best"],
         bool(row["best"])]
        for row in found.rows()
    ]
    columns = ["axis", "where", "measure", "level", "mean", "best in resamples", "best"]
    return Section("The best", folded(f"{len(rows)} levels", table(columns, rows)))
