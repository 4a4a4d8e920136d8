"""A study of seconds, read back: its tables as an object, its figures, its report."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lmrnn
from lmrnn import plot, report
from lmrnn.table import Table

FIGURES = {"study_cells", "study_curves", "study_density", "study_rates", "study_units", "study_wire"}

STUDY = """
claim = "small <networks> learn"
support = "they do"
seeds = [1, 2]
[config]
battery.tasks = "go,dlygo"
wiring = { rows = 4, cols = 4, radius = 1 }
stream = { batch = 8, steps = 20 }
train.steps = 20
evaluation = { every = 10, trials = 20 }
[axis.length.short]
[axis.length.long]
train.steps = 30
[axis.network.autapse16]
wiring.kind = "autapse"
[axis.network.autapse64]
wiring = { kind = "autapse", rows = 8, cols = 8 }
[axis.network.local]
[axis.network.random]
wiring.kind = "random"
[[override]]
when = { length = "long", network = "random" }
skip = true
[tuning]
values = [1e-3, 3e-3, 1e-2]
seeds = [101]
extend = 0
[[contrast]]
axis = "network"
a = "local"
b = "autapse16"
measure = "area"
supported_above = 0.1
refuted_within = [-0.1, 0.1]
[[contrast]]
axis = "network"
a = "random"
b = "local"
measure = "wire"
scale = "ratio"
headline = false
[[best]]
axis = "network"
measure = "area"
[[best]]
axis = "network"
measure = "wire"
[statistics]
seed = 1
"""


def run_study(place, text, verbs=("run", "collect")):
    (place / "tiny.toml").write_text(text)
    for verb in verbs:
        subprocess.run(
            [os.environ.get("LMRNN", "lmrnn"), "study", verb, "tiny.toml"],
            cwd=place, check=True, capture_output=True,
        )
    return lmrnn.Study(place / "runs/tiny")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_study(tmp_path_factory.mktemp("study"), STUDY)


def test_cells_are_found_by_their_levels(study):
    assert study.name == "tiny" and study.axes == ["length", "network"] and study.axis == "network"
    assert study.panels == ["short", "long"]
    assert study.levels == ["autapse16", "autapse64", "local", "random"]
    assert study.levels_of("long") == ["autapse16", "autapse64", "local"]
    assert study.value("long", "autapse64", "units")["mean"] == 64
    mean, lower, upper = study.values("short", "area", study.levels)
    assert np.all((lower <= mean) & (mean <= upper))
    assert study.differ("short", "units") and not study.differ("short", "clipped_share")
    assert not study.reached("short", "local", "steps_to_90")
    assert study.text("short", "local", "steps_to_90") == "not within 20"
    assert study.text("long", "local", "density").startswith("0.3")
    assert study.registered["claim"] == "small <networks> learn"


def test_costs_stand_beside_what_is_compared(study):
    for row in study.table("contrasts").rows():
        sizes = {"a": row["a"], "b": row["b"]}
        for side, level in sizes.items():
            for measure in ("synapses", "parameters", "multiply_adds"):
                mean = study.value(study.panel(row | {"length": row["where"]}), level, measure)["mean"]
                assert row[f"{measure}_{side}"] == mean > 0
    times = study.table("times").rows()
    assert all(0 < row["processor_seconds"] < 60 for row in times)


def test_wire_is_a_measure_that_can_be_compared(study):
    for row in study.table("runs").rows():
        if row["stage"] == "report":
            last = lmrnn.Run(study.directory / "runs" / f"{row['run']}-{row['hash'][:8]}").metrics["wire"][-1]
            assert row["wire"] == last and (last == 0) == row["network"].startswith("autapse")
    (contrast,) = [row for row in study.table("contrasts").rows() if row["measure"] == "wire"]
    wires = {level: study.value("short", level, "wire")["mean"] for level in ("random", "local")}
    assert contrast["mean_a"] == wires["random"] > contrast["mean_b"] == wires["local"] > 0
    assert contrast["ratio"] > 1
    short, long = plot.study_wire(study, "area")
    assert [c.get_label() for c in short.containers] == ["local", "random"]
    assert [c.get_label() for c in long.containers] == ["local"]
    assert short.containers[1].lines[0].get_xdata() == [wires["random"]]
    assert short.containers[1].lines[0].get_ydata() == [study.value("short", "random", "area")["mean"]]
    with pytest.raises(lmrnn.UsageError, match="no measure 'aera'; it has "):
        plot.study_wire(study, "aera")


def test_the_best_of_what_costs_is_the_least(study):
    best = [row["level"] for row in study.table("best").rows() if row["measure"] == "wire" and row["best"]]
    assert best == ["autapse16", "autapse64"] * 2  # without wire, in both panels: they tie


def test_results_without_wire_are_told_from_networks_without(root):
    earlier = lmrnn.Study(root / "tests/fixtures/study_format_1/out")
    with pytest.raises(lmrnn.UsageError, match="no network has wire"):
        plot.study_wire(earlier)


def test_every_figure_draws_what_the_tables_say(study, tmp_path):
    for name in FIGURES:
        axes = getattr(plot, name)(study)
        assert plot.save(axes, tmp_path / f"{name}.svg").read_bytes().startswith(b"<?xml")
    curves = plot.study_curves(study)
    assert [ax.get_title(loc="left") for ax in curves] == study.panels
    line = next(line for line in curves[1].lines if line.get_label() == "local")
    assert list(line.get_xdata()) == [10, 20, 30] and line.get_markevery() == 1
    costs = plot.study_curves(study, "multiply_adds")
    spent = next(line for line in costs[1].lines if line.get_label() == "local").get_xdata()
    each = study.value("long", "local", "multiply_adds")["mean"]  # of 8 rows of 20 steps
    assert list(spent) == [each * 8 * 20 * step for step in (10, 20, 30)] and each > 0
    with pytest.raises(lmrnn.UsageError, match="over='steps'; one of step, trials, multiply_adds"):
        plot.study_curves(study, "steps")
    cells = plot.study_cells(study, "area")
    assert [label.get_text() for label in cells.get_yticklabels()] == study.panels
    # (random has no row in "long")
    assert [len(c.lines[0].get_xdata()) for c in cells.containers] == [2, 2, 2, 1]
    assert cells.containers[0].lines[0].get_xdata()[1] == study.value("long", "autapse16", "area")["mean"]
    with pytest.raises(lmrnn.UsageError, match="no measure 'aera'; it has "):
        plot.study_cells(study, "aera")
    rates = plot.study_rates(study)[0].images[0].get_array()
    assert rates.shape == (4, 3) and np.nanmax(rates) <= 1


def test_the_report_tells_claim_results_and_contrasts(study, tmp_path):
    page = report.write_report(study.directory, tmp_path / "page.html").read_text()
    for title in ("Claim", "Results", "Learning", "Density", "Units", "Wire", "Tuning",
                  "Contrasts"):
        assert f"<h2>{title}</h2>" in page
    assert "small &lt;networks&gt; learn" in page and "local − autapse16" in page
    assert "supported above 0.1, refuted within -0.1 to 0.1" in page
    assert ">descriptive</td>" in page  # two pairs
    assert re.search(r"<th[^>]*><button[^>]*>wire<", page)  # a measure that only a contrast names
    assert ">nan<" not in page
    assert report.write_report(study.directory, tmp_path / "again.html").read_text() == page


def test_a_study_with_one_axis_has_no_place_of_comparison(tmp_path):
    one_axis = STUDY.split("[axis.length.short]")[0] + STUDY[STUDY.index("[axis.network.autapse16]"):]
    one_axis = one_axis.replace('when = { length = "long", network = "random" }', 'when.network = "random"')
    page = report.write_report(run_study(tmp_path, one_axis).directory, tmp_path / "page.html").read_text()
    assert ">descriptive</td>" in page and ">nan<" not in page


def test_reports_and_figures_show_the_marks_that_the_study_has(study, root, tmp_path):
    shutil.copytree(study.directory, tmp_path / "runs/tiny")
    marks = STUDY.replace("[statistics]", "[statistics]\nmarks = [0.1, 0.125]")
    other = run_study(tmp_path, marks, ["collect"])
    assert other.marks() == ["steps_to_10", "steps_to_12.5"]
    page = report.write_report(other.directory, tmp_path / "page.html").read_text()
    assert "steps to 12.5%<" in page and "steps to 80%<" not in page and "Trials until" in page
    with pytest.raises(lmrnn.UsageError, match="no measure 'trials_to_50'; it has "):
        plot.study_density(other, ["trials_to_50"])
    made = subprocess.run([sys.executable, root / "studies/figures.py", other.directory, tmp_path],
                          check=True, capture_output=True, text=True)  # fmt: skip
    assert "| steps to 10% | steps to 12.5% |" in made.stdout


def test_a_study_without_an_axis_compares_its_only_cell(tmp_path):
    config = STUDY[: STUDY.index("[axis.")] + "[tuning]\nvalues = [1e-3, 3e-3, 1e-2]\nseeds = [101]\nextend = 0\n"
    study = run_study(tmp_path, config + "[statistics]\nseed = 1\n")
    assert (study.axes, study.axis, study.panels, study.levels) == ([], "cell", [""], ["run"])
    assert study.value("", "run", "area")["runs"] == 2
    assert "<td style='text-align:left'>run</td>" in study._repr_html_() and "cell" in repr(study)
    for draw in (plot.study_cells, plot.study_curves, plot.study_rates):
        plot.save(draw(study), tmp_path / "figure.svg")
    assert "<h2>Results</h2>" in report.write_report(study.directory, tmp_path / "page.html").read_text()


def test_labels_say_what_was_varied(study, tmp_path):
    page = report.write_report(study.directory, tmp_path / "page.html").read_text()
    assert "at every learning rate;" in page
    assert plot.study_rates(study)[0].get_xlabel() == "learning rate"
    wirings = {"local0": {"wiring": {"kind": "local"}}, "local16": {"wiring": {"rows": 4, "cols": 4}}}
    named = SimpleNamespace(axis="network", registered={"axis": {"network": wirings}})
    assert [plot.study.level_words(named, level) for level in wirings] == ["local 0", "local, 16 units"]


LEVELS_OF_NUMBERS = STUDY[: STUDY.index("[axis.")] + """
[axis.size.16]
[axis.size.64]
wiring = { rows = 8, cols = 8 }
[grid]
train.average = [0, 0.9]
[[contrast]]
axis = "size"
a = "16"
b = "64"
measure = "area"
supported_above = 0.1
[[best]]
axis = "train.average"
measure = "area"
[tuning]
key = "network.gain"
values = [0.5, 1, 2]
seeds = [101]
extend = 0
[statistics]
seed = 1
"""


def test_levels_may_be_numbers(tmp_path):
    study = run_study(tmp_path, LEVELS_OF_NUMBERS)
    assert study.levels == ["16", "64"] and study.panels == ["average 0", "average 0.9"]
    assert study.value("average 0", "16", "units")["mean"] == 16
    assert list(study.table("best")["level"][:2]) == ["0", "0.9"]
    for draw in (plot.study_cells, plot.study_curves):
        plot.save(draw(study), tmp_path / "figure.svg")
    page = report.write_report(study.directory, tmp_path / "page.html").read_text()
    assert "The verdicts" in page and ">supported above 0.1</td>" in page
    assert re.search(r">16 − 64</td>\s*<td[^>]*>0\.9</td>", page)  # where
    assert ">nan<" not in page
    assert "at every gain;" in page and plot.study_rates(study)[0].get_xlabel() == "gain"
    assert re.search(r">train\.average</td>\s*<td[^>]*>16</td>\s*<td[^>]*>area</td>\s*<td[^>]*>0<", page)  # the best


def test_names_of_tasks_are_text_and_seeds_are_exact(tmp_path):
    (tmp_path / "t.csv").write_text("task,task_a,tasks,seed\n1,007,3,18446744073709551615\n2,1e3,4,0\n")
    table = Table.read(tmp_path / "t.csv")
    assert list(table["task"]) == ["1", "2"] and list(table["task_a"]) == ["007", "1e3"]
    assert list(table["tasks"]) == [3, 4] and list(map(int, table["seed"])) == [2**64 - 1, 0]


def test_names_stay_text(tmp_path):
    (tmp_path / "t.csv").write_text("level,mean,where\n0,1,\n0.90,2,\n")
    table = Table.read(tmp_path / "t.csv", text={"level", "where"})
    assert list(table["level"]) == ["0", "0.90"] and list(table["where"]) == ["", ""]
    assert table["mean"].dtype == np.int64


def test_a_directory_without_tables_is_told_what_to_do(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(lmrnn.UsageError, match="lmrnn study collect STUDY.toml"):
        lmrnn.Study(tmp_path)
    with pytest.raises(lmrnn.UsageError, match="lmrnn study collect STUDY.toml"):
        report.write_report(tmp_path)


def test_what_did_not_happen_is_not_drawn(study, tmp_path):
    (study.directory / "tables/tuning.csv").rename(tmp_path / "tuning.csv")
    try:
        with pytest.raises(ValueError, match="nothing was tuned"):
            plot.study_rates(study)
        assert "<h2>Tuning</h2>" not in report.write_report(study.directory, tmp_path / "p.html").read_text()
    finally:
        (tmp_path / "tuning.csv").rename(study.directory / "tables/tuning.csv")


def test_a_report_says_why_a_figure_is_missing(study, tmp_path):
    shutil.copytree(study.directory, tmp_path / "study")
    for table, named in (("cells", "mean"), ("tuning", "score")):
        path = tmp_path / "study/tables" / f"{table}.csv"
        header, *rows = csv.reader(path.read_text().splitlines())
        for row in rows:
            if table == "tuning" or "final_share" in row:
                row[header.index(named)] = ""
        with path.open("w") as file:
            csv.writer(file).writerows([header, *rows])
    undefined = lmrnn.Study(tmp_path / "study")
    with pytest.raises(lmrnn.UsageError, match="no tuning run has a score"):
        plot.study_rates(undefined)
    page = report.write_report(undefined.directory, tmp_path / "p.html").read_text()
    assert "no cell has a value of" in page and "no tuning run has a score" in page and "<h2>Contrasts</h2>" in page


def test_limits_that_changed_after_the_first_run_are_told(study, tmp_path):
    shutil.copytree(study.directory, tmp_path / "runs/tiny")
    registered = tmp_path / "runs/tiny/registered.toml"
    registered.write_text(registered.read_text().replace("supported_above = 0.1", "supported_above = 0.9"))
    changed = run_study(tmp_path, STUDY, verbs=["collect"])
    assert {(row["criterion"], row["registered"]) for row in changed.table("contrasts").rows()} >= {
        ("supported above 0.1, refuted within -0.1 to 0.1", "supported above 0.9, refuted within -0.1 to 0.1")
    }
    page = report.write_report(changed.directory, tmp_path / "p.html").read_text()
    assert "by limits that were changed after the first run" in page
    assert ("supported above 0.1, refuted within -0.1 to 0.1 "
            "(before the first run: supported above 0.9, refuted within -0.1 to 0.1)") in page  # fmt: skip


def test_tables_of_a_results_file_alone_do_not_say_what_was_registered(tmp_path):
    """Another machine has the study file and its results, and no run has begun there."""
    text = STUDY.replace("seeds = [1, 2]", 'seeds = [1, 2]\nresults = "r.csv"', 1)
    text = text.replace("extend = 0\n", 'extend = 0\nmeasure = "steps_to_50"\n')
    text = text.replace("[statistics]\n", "[statistics]\nmarks = [0.5]\n")
    first = run_study(tmp_path, text)
    shown = [t.get_text() for axes in plot.study_rates(first) for t in axes.texts]
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "r.csv", tmp_path / "other")
    other = run_study(tmp_path / "other", text, verbs=["collect"])
    assert not other.registered and other.config["claim"] == "small <networks> learn"
    assert [t.get_text() for axes in plot.study_rates(other) for t in axes.texts] == shown
    page = report.write_report(other.directory, tmp_path / "p.html").read_text()
    assert "small &lt;networks&gt; learn" in page and "by the limits of the study file; no run has begun" in page
    assert "changed after" not in page and "before the first run:" not in page


def test_contrasts_that_differ_only_in_their_scale_keep_their_limits(tmp_path):
    ratio = STUDY.replace('measure = "area"\nsupported_above = 0.1\nrefuted_within = [-0.1, 0.1]',
                          'measure = "area"\nscale = "ratio"\nsupported_above = 1.5')  # fmt: skip
    assert ratio != STUDY
    contrast = ratio[ratio.index("[[contrast]]") : ratio.index("[[contrast]]", ratio.index("[[contrast]]") + 1)]
    run_study(tmp_path, STUDY.replace("[[best]]", contrast + "[[best]]", 1))
    page = report.write_report(tmp_path / "runs/tiny", tmp_path / "p.html").read_text()
    verdicts = re.findall(r"local [−/] autapse16</td>.*?</tr>", page, flags=re.S)[:2 * 2]
    assert any("−" in row and "supported above 0.1, " in row for row in verdicts)
    assert any("/ autapse16" in row and "supported above 1.5" in row for row in verdicts)


def test_a_study_of_which_all_runs_diverged_has_a_report(tmp_path):
    bad = STUDY.replace("train.steps = 20", 'train.steps = 20\noptimiser = { kind = "sgd", clip = 0 }\n'
                        'schedule = { kind = "constant", warmup = 0 }', 1).split("[tuning]")[0]  # fmt: skip
    bad = bad.replace('kind = "sgd"', 'kind = "sgd", learning_rate = 1e30') + "[statistics]\nseed = 1\n"
    run_study(tmp_path, bad)
    every = lmrnn.Study(tmp_path / "runs/tiny")
    with pytest.raises(lmrnn.UsageError, match="no run has an evaluation"):
        plot.study_curves(every)
    page = report.write_report(every.directory, tmp_path / "p.html").read_text()
    n = every.table("states").n_rows
    assert f"{n} of {n}" in page and "Runs that failed or diverged" in page and "no run has an evaluation" in page


def test_lines_are_dotted_where_a_criterion_ended_some_runs(study, tmp_path):
    shutil.copytree(study.directory, tmp_path / "study")
    path = tmp_path / "study/tables/curves.csv"
    header, *rows = csv.reader(path.read_text().splitlines())
    for row in rows:
        if row[header.index("step")] == "20" and row[header.index("network")] == "local":
            row[header.index("runs")] = "1"
    with path.open("w") as file:
        csv.writer(file).writerows([header, *rows])
    lines = plot.study_curves(lmrnn.Study(tmp_path / "study"))[0].lines
    dotted = [line for line in lines if line.get_linestyle() == ":" and len(line.get_xdata()) > 1 and line.get_xdata()[0] == 10]
    assert [list(line.get_xdata()) for line in dotted] == [[10, 20]]


def test_a_level_is_a_control_by_its_wiring_not_by_its_name(study):
    levels = {"shuffled": {"wiring": {"kind": "random"}}, "random_init": {"wiring": {"kind": "local"}}, "blocks4": {}}
    named = SimpleNamespace(axis="network", registered={"axis": {"network": levels}})
    assert [plot.study._is_control(named, level) for level in levels] == [True, False, True]


def test_scores_of_times_are_geometric_means(study, tmp_path):
    shutil.copytree(study.directory, tmp_path / "study")
    path = tmp_path / "study/tables/tuning.csv"
    header, *rows = csv.reader(path.read_text().splitlines())
    for row in rows:
        row[header.index("score")] = str(-np.log(200))
    with path.open("w") as file:
        csv.writer(file).writerows([header, *rows])
    (tmp_path / "study/collected.toml").unlink()  # earlier versions did not write it
    registered = tmp_path / "study/registered.toml"
    registered.write_text(registered.read_text().replace("[tuning]", '[tuning]\nmeasure = "steps_to_80"'))
    ax = plot.study_rates(lmrnn.Study(tmp_path / "study"))[0]
    assert {text.get_text() for text in ax.texts} == {"200"}
    assert ax.figure.axes[-1].get_ylabel() == "steps to 80%" or ax.figure.axes[-1].get_xlabel() == "steps to 80%"


def test_numbers_in_labels_keep_their_minus():
    words = plot.style.words
    assert words("weight_decay 1e-05") == "weight decay 1e-05" and words("-0.5") == "-0.5"
    assert words("local4") == "local 4" and words("dense-256") == "dense 256" and words("x=-2") == "x=-2"


def test_a_study_of_an_earlier_version_is_read(root):
    study = lmrnn.Study(root / "tests/fixtures/study_format_1/out")
    assert study.value("", "local", "final_share")["runs"] == 2
    run = lmrnn.Run(root / "tests/fixtures/study_format_1/out/runs/local-seed1-f3fa6f92")
    assert "tasks_passed" in run.metrics and "passed" in run.scores and "reached" not in run.scores
    assert run.config["recipe"] == "neurogym" and run.network().n_units == 9


def test_no_report_shows_the_contrasts_of_an_earlier_version(root, tmp_path):
    out = root / "tests/fixtures/study_format_1/out"
    with pytest.raises(lmrnn.UsageError, match="contrasts.csv: an earlier version wrote it.*study collect"):
        report.write_report(out, tmp_path / "p.html")
    assert not (tmp_path / "p.html").exists()


def test_the_figure_of_e7_shows_the_committed_tables(tmp_path):
    """studies/figures.py on the tables of analyses: every number in them is a marker, in the committed figure."""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, root / "studies/figures.py", root / "docs/results/data/e7-small", tmp_path],
                   check=True)  # fmt: skip
    drawn = (tmp_path / "e7-small-structure.svg").read_text()
    for words in ("trained", "untrained", "weights permuted within the mask", "local, modcog82", "mean Moran"):
        assert words in drawn, words
    # 4 cells, 3 seeds: trained and untrained in three panels, the null in one; and the legend.
    markers = Counter(re.findall(r'<use [^>]*fill: (#\w+); fill-opacity', drawn))
    assert markers == {"#0072b2": 4 * 3 * 3 + 1, "#e69f00": 4 * 3 * 3 + 1, "#222222": 4 * 3 + 1}


def with_cells(study, place, change):
    """A copy of a study whose rows of cells.csv are `change`(row): a list of rows."""
    shutil.copytree(study.directory / "tables", place / "tables")
    path = place / "tables/cells.csv"
    header, *rows = csv.reader(path.read_text().splitlines())
    with path.open("w") as file:
        changed = [new for row in rows for new in change(dict(zip(header, row)))]
        csv.writer(file).writerows([header, *([row[name] for name in header] for row in changed)])
    return lmrnn.Study(place)


def test_no_level_and_no_measure_is_left_out_of_a_figure(study, tmp_path):
    def nine(row):
        if row["network"] not in ("autapse16", "autapse64"):
            return []
        return [row | {"network": f"{letter}{row['network'][7:]}"} for letter in "abcdefghi"]

    many = with_cells(study, tmp_path, nine)
    drawn = plot.study_units(many)[0].containers
    assert [c.get_label() for c in drawn] == list("abcdefghi")
    looks = {(c.lines[0].get_color(), c.lines[0].get_marker()) for c in drawn}
    assert len(looks) == 9
    cells = plot.study_cells(many).containers
    assert len({(c.lines[0].get_color(), c.lines[0].get_marker()) for c in cells}) == len(cells) == 18
    measures = many.measures[:9]
    along = plot.study_density(many, measures)[0].containers
    assert [c.get_label() for c in along] == [plot.study.measure_words(m) for m in measures]
    assert len({(c.lines[0].get_color(), c.lines[0].get_marker()) for c in along}) == 9


def test_measures_below_0_are_not_cut_off(study, tmp_path):
    losses = {"mean": "-0.05", "lower": "-0.08", "upper": "-0.02"}
    lost = with_cells(study, tmp_path, lambda row: [row | losses if row["measure"] == "late_gain" else row])
    assert plot.study_cells(lost, "late_gain").get_xlim()[0] < -0.08
    assert plot.study_units(lost, ["late_gain"])[0].get_ylim()[0] < -0.08
    assert plot.study_cells(lost).get_xlim()[0] == 0


@pytest.mark.parametrize("ends", ["own", ""])  # as earlier versions wrote them, and as they are now
def test_one_run_has_no_interval(study, tmp_path, ends):
    def one(row):
        return [row | {"runs": "1", "lower": ends and row["mean"], "upper": ends and row["mean"]}]

    single = with_cells(study, tmp_path, one)
    value = single.value("short", "local", "area")
    assert np.isnan([value["lower"], value["upper"]]).all()
    assert single.text("short", "local", "area") == f"{float(format(value['mean'], '.3g')):g}"
    for name in ("study_cells", "study_density", "study_units"):
        ax = np.ravel(getattr(plot, name)(single))[0]
        assert len(ax.containers) > 1
        assert all(np.isfinite(c.lines[0].get_xydata()).all() for c in ax.containers)
        bars = [s for c in ax.containers for line in c.lines[2] for s in line.get_segments()]
        assert not any(len(bar) and np.isfinite(bar).all() for bar in bars)
    for name in ("curves", "contrasts", "states"):
        shutil.copy(study.directory / "tables" / f"{name}.csv", tmp_path / "tables")
    shutil.copy(study.directory / "registered.toml", tmp_path)
    page = report.write_report(tmp_path, tmp_path / "page.html").read_text()
    assert "Values of one run per cell; one run has no interval." in page
    assert "with bootstrap intervals" not in page and "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)


def test_a_mark_that_some_runs_missed_has_its_counts_in_any_case(study, tmp_path):
    row = {"runs": "2", "mean": "15", "lower": "", "upper": "", "censored": "1", "horizon": "20"}
    missed = with_cells(study, tmp_path, lambda r: [r | row if r["measure"] == "steps_to_50" else r])
    assert missed.text("short", "local", "steps_to_50") == "≥ 15 (1 of 2 never)"


@pytest.mark.parametrize("cell, message", [
    (("shrt", "local", "area"), "no panel 'shrt'; it has 'short', 'long'"),
    (("long", "random", "area"), "no level 'random' of network in panel 'long'; it has 'autapse16', 'autapse64', 'local'"),
    (("long", "local", "aera"), "no measure 'aera'; it has .*area"),
])  # fmt: skip
def test_cells_that_are_not_there_are_refused_in_words(study, cell, message):
    panel, level, measure = cell
    for call in (lambda: study.value(*cell), lambda: study.text(*cell), lambda: study.reached(*cell),
                 lambda: study.values(panel, measure, [level]), lambda: study.values_in([panel], level, measure)):
        with pytest.raises(lmrnn.UsageError, match=message):
            call()
    if panel == "shrt":
        for call in (lambda: study.levels_of(panel), lambda: study.differ(panel, "area")):
            with pytest.raises(lmrnn.UsageError, match=message):
                call()
