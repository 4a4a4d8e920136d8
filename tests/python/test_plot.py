"""Every figure once: it draws, also on the caller's Axes, and saves as vector graphics."""

import shutil
import subprocess

import matplotlib
import numpy as np
import pytest
import test_analysis
import test_study
from matplotlib.figure import Figure

import lmrnn
from lmrnn import plot
from lmrnn.plot import command


def figures(run):
    network = run.network()
    trial = run.battery["dlygointr"].trial(seed=1)
    yield "trial", lambda: plot.trial(trial)
    yield "answer", lambda: plot.trial(trial, network)
    yield "mask", lambda **o: plot.mask(network.recurrent, **o)
    yield "neighbourhood", lambda **o: plot.neighbourhood(network.recurrent, run.sheet, **o)
    halves = lmrnn.Sheet.of_areas({"front": (3, 6), "back": (3, 6)})
    yield "areas", lambda **o: plot.areas(network.recurrent, halves, **o)
    yield "map", lambda **o: plot.sheet_map(network.weights["bias"], run.sheet, signed=True, **o)
    yield "curves", lambda **o: plot.learning_curves({"a": run, "b": [run, run]}, **o)
    yield "loss", lambda **o: plot.learning_curves(run, y="loss", x="trials", **o)
    yield "heat", lambda **o: plot.task_heat_map(run, **o)
    yield "bars", lambda **o: plot.task_bars(run, **o)
    yield "grid", lambda **o: plot.task_grid(run, **o)
    yield "comparison", lambda **o: plot.task_comparison({"a": run, "b": run.evaluate(n_trials=5)}, **o)
    yield "evaluation", lambda **o: plot.task_bars(run.evaluate(n_trials=20), **o)
    yield "weights", lambda **o: plot.weight_histogram({"a": run.network(0), "b": network}, **o)
    yield "eigenvalues", lambda **o: plot.eigenvalues(network, **o)
    yield "density", lambda **o: plot.accuracy_against_density([run, run], **o)


def test_every_figure_draws_and_saves(small_run, tmp_path):
    before = dict(matplotlib.rcParams)
    drawn = set()
    for name, draw in figures(small_run):
        axes = draw()
        for suffix, head in ((".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG")):
            path = plot.save(axes, tmp_path / (name + suffix))
            assert path.read_bytes().startswith(head), name
        first = np.ravel(np.array(axes, dtype=object))[0]
        assert first.figure.axes, name
        drawn.add(draw.__code__.co_names)
    assert dict(matplotlib.rcParams) == before, "a figure changed global settings"
    assert len(drawn) >= 11


def test_every_public_figure_is_tested(small_run):
    used = set().union(*(draw.__code__.co_names for _, draw in figures(small_run)))
    others = {"COLOURS", "psychometric_fit", "save"}
    assert set(plot.__all__) - others - test_analysis.FIGURES - test_study.FIGURES <= used


def test_figures_draw_on_axes_of_the_callers(small_run):
    for name, draw in figures(small_run):
        if "o" in draw.__code__.co_varnames:
            ax = Figure().add_subplot()
            assert draw(ax=ax) is ax, name


def test_saving_is_reproducible(small_run, tmp_path):
    a = plot.save(plot.task_bars(small_run), tmp_path / "a.svg").read_bytes()
    b = plot.save(plot.task_bars(small_run), tmp_path / "a.svg").read_bytes()
    assert a == b


def test_areas_are_drawn_side_by_side():
    sheet = lmrnn.Sheet.of_areas({"a": (2, 3), "b": (1, 2)}, boundary="open")
    values = np.arange(8.0)
    shown = plot.sheet_map(values, sheet).images[0].get_array()
    nan = np.nan
    assert np.array_equal(
        np.ma.filled(shown, nan), [[0, 1, 2, nan, 6, 7], [3, 4, 5, nan, nan, nan]], equal_nan=True
    )
    ax = plot.neighbourhood(np.eye(8), sheet, unit=7)
    assert (*ax.lines[0].get_xdata(), *ax.lines[0].get_ydata()) == (5, 0)
    assert [t.get_text() for t in ax.texts] == ["a", "b"]
    with pytest.raises(lmrnn.UsageError, match="8 units in areas"):
        plot.sheet_map(np.zeros(9), sheet)
    mask = np.zeros((8, 8))
    mask[6:, :3] = 1  # rows are targets: from a onto b
    density = plot.areas(mask, sheet).images[0].get_array()
    assert np.array_equal(density, [[0, 0], [0.5, 0]])
    with pytest.raises(lmrnn.UsageError, match="one sheet and no areas"):
        plot.areas(np.eye(4), lmrnn.Sheet(2, 2))


def test_answers_are_probabilities(small_run):
    from lmrnn.plot.trial import answer

    trial = small_run.battery["go"].trial(seed=1)
    p = answer(trial, small_run.network())
    assert p.shape == (len(trial), 17)
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)


def test_mask_figure_shows_the_mask():
    mask = lmrnn.Mask(np.eye(4))
    shown = plot.mask(mask).images[0].get_array()
    assert np.array_equal(shown, np.eye(4))


@pytest.mark.parametrize("y", ["mean_share_of_ceiling", "loss"])
def test_curves_show_the_columns_of_the_run(small_run, y):
    line = plot.learning_curves(small_run, y=y).lines[0]
    known = ~np.isnan(small_run.metrics[y])
    n = known.sum()
    assert np.array_equal(line.get_ydata()[-n:], small_run.metrics[y][known])
    assert np.array_equal(line.get_xdata()[-n:], small_run.metrics["step"][known])
    assert len(line.get_ydata()) == n + (y != "loss")


def test_curves_begin_with_the_untrained_network(small_run, tmp_path):
    line = plot.learning_curves(small_run).lines[0]
    n = min(200, small_run.config["evaluation"]["trials"])
    start = lmrnn.evaluate(small_run.network(0), small_run.battery, seed=small_run.seed, n_trials=n,
                           split=small_run.config["evaluation"]["split"])  # fmt: skip
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (0, start.mean_share_of_ceiling)
    # The checkpoint of step 0 is not needed: the configuration defines the initial network.
    shutil.copytree(small_run.directory, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints/step-00000000")
    again = lmrnn.Run(tmp_path / "run")
    assert again.untrained is None and again.untrained_scores == start
    line = plot.learning_curves(again, y="tasks_passed").lines[0]
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (0, 0)


def test_untrained_scores_take_seed_0(small_run):
    run = lmrnn.Run(small_run.directory)
    evaluation = run.config["evaluation"]
    evaluation["seed"] = 0
    wanted = lmrnn.evaluate(run.network(0), run.battery, seed=0, n_trials=min(200, evaluation["trials"]),
                            split=evaluation["split"])  # fmt: skip
    assert run.seed != 0 and run.untrained_scores == wanted


def panels(run):
    trial = run.battery["dlygointr"].trial(seed=1)
    yield 5, lambda **o: plot.trial(trial, run, **o)


def test_figures_of_several_panels_draw_where_they_are_told(small_run):
    for n, draw in panels(small_run):
        figure = Figure()
        axes = figure.subplots(n)
        assert list(draw(ax=axes)) == list(axes)
        divided = Figure().subplots(1, 2)
        assert len(draw(ax=divided[0])) == n
        assert len(draw(ax=Figure())) == n
        with pytest.raises(lmrnn.UsageError, match=f"has {n} panels"):
            draw(ax=axes[: n - 1])
    with pytest.raises(lmrnn.UsageError, match="expected one matplotlib Axes, got ndarray of 2"):
        plot.mask(small_run, ax=Figure().subplots(2))


def test_paths_and_runs_are_taken_alike(small_run):
    path = str(small_run.directory)
    for draw in (plot.learning_curves, plot.task_heat_map, plot.task_bars, plot.mask, plot.neighbourhood,
                 plot.weight_histogram, plot.eigenvalues, plot.solved_raster):  # fmt: skip
        assert draw(path).figure is not draw(small_run).figure
    assert len(plot.learning_curves([path, small_run]).lines) >= 2
    assert plot.sheet_map(np.zeros(36), small_run).images


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda run: plot.ring(run), "no analysis 'ring' yet; make it with run.analyze"),
        (lambda run: plot.ring(3), "expected an Analysis of 'ring', a Run, or the path of either; got int"),
        (lambda run: plot.learning_curves(3), "expected a Run, a Trainer or the path"),
        (lambda run: plot.learning_curves(run, y="acuracy"), "no column 'acuracy'; it has step"),
        (lambda run: plot.learning_curves(run, interval="sd"), "interval = 'sd'; it must be one of"),
        (lambda run: plot.eigenvalues({}), "the mapping is empty"),
        (lambda run: plot.neighbourhood(np.eye(36)), "sheet: needed"),
        (lambda run: plot.sheet_map(np.zeros(35), run.sheet), "35 of them, but the sheet has 6 x 6"),
        (lambda run: plot.trial("go"), "expected an lmrnn.Trial"),
        (lambda run: plot.save(plot.mask(run), "a.docx"), "cannot save as .docx"),
        (lambda run: plot.study_curves(run), "expected a Study"),
    ],
)
def test_mistakes_are_named(small_run, draw, message):
    with pytest.raises(lmrnn.UsageError, match=message):
        draw(small_run)


@pytest.fixture
def shorter(small_run, tmp_path):
    """A copy of the run that ended after its first evaluation, and one that ended before it."""
    made = []
    for name, n_rows in (("short", 2), ("none", 1)):
        shutil.copytree(small_run.directory, tmp_path / name)
        lines = (tmp_path / name / "metrics.csv").read_text().splitlines()
        (tmp_path / name / "metrics.csv").write_text("\n".join(lines[: n_rows + 1]) + "\n")
        made.append(lmrnn.Run(tmp_path / name))
    return made


def test_curves_of_runs_that_ended_early(small_run, shorter):
    short, none = shorter
    ax = plot.learning_curves({"a": [small_run, short, none], "b": small_run})
    whole, part = ax.lines[0], ax.lines[1]
    assert whole.get_label() == "a (2 of 3 runs)"
    assert list(whole.get_xdata()) == [0, 20, 40]
    assert list(np.isfinite(whole.get_ydata())) == [True, True, False]
    # The rest is the mean of the longer run alone, which begins where the others end.
    assert list(np.isfinite(part.get_ydata())) == [False, True, True] and part.get_linestyle() == ":"
    known = ~np.isnan(small_run.metrics["mean_share_of_ceiling"])
    assert part.get_ydata()[-1] == small_run.metrics["mean_share_of_ceiling"][known][-1]
    with pytest.raises(lmrnn.UsageError, match='no run has values of mean_share_of_ceiling yet; y="loss"'):
        plot.learning_curves(none)
    assert len(plot.learning_curves(none, y="loss").lines[0].get_xdata()) == 1


@pytest.fixture(params=["evaluation", "checkpoint"])
def unfinished(small_config, tmp_path, request):
    """A run that was interrupted before its first evaluation, or killed before its first checkpoint."""
    run = lmrnn.Trainer(small_config, tmp_path / "run").run(lambda progress: progress.step == 5)
    if request.param == "checkpoint":
        shutil.rmtree(run.directory / "checkpoints")
        (run.directory / "checkpoints").mkdir()
        for name in ("metrics.csv", "tasks.csv"):
            path = run.directory / name
            path.write_text(path.read_text().splitlines()[0] + "\n")
    return lmrnn.Run(run.directory)


def test_every_figure_of_an_unfinished_run_draws_or_says_why_not(unfinished, tmp_path):
    path, refused = str(unfinished.directory), {}
    of_studies = {name for name in plot.__all__ if name.startswith("study_")}
    for name in set(command.figures()) - of_studies:
        try:
            command.draw(path, name, tmp_path / "figure.svg", "dlygo" if name in command.OF_TASKS else None)
        except lmrnn.UsageError as error:
            refused[name] = str(error)
    if unfinished.checkpoints:
        assert "mask" not in refused
    assert "is not finished, so it has no final accuracy" in refused["accuracy_against_density"]
    for tell in (lambda: lmrnn.methods(unfinished), lambda: lmrnn.report.write_report(path)):
        if unfinished.checkpoints:
            assert tell()
        else:
            with pytest.raises(lmrnn.UsageError, match="has no checkpoint yet; let it train for longer"):
                tell()


def test_the_measure_of_a_density_figure_must_be_there(small_run):
    with pytest.raises(lmrnn.UsageError, match="y = 'accuracy': not in the summary of .* mean_share_of_ceiling"):
        plot.accuracy_against_density(small_run, y="accuracy")


@pytest.mark.parametrize(("interval", "half"), [("deviation", 0.1), ("95%", 12.706 * 0.1 / np.sqrt(2)), ("range", None)])
def test_bands_around_a_mean(small_run, tmp_path, interval, half):
    shutil.copytree(small_run.directory, tmp_path / "other")
    path = tmp_path / "other" / "metrics.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    column = head.index("loss")
    for row in rows:
        row[column] = str(float(row[column]) + 0.1 * np.sqrt(2))
    path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    ax = plot.learning_curves({"a": [small_run, lmrnn.Run(tmp_path / "other")]}, y="loss", interval=interval)
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    mean = ax.lines[0].get_ydata()
    half = 0.1 * np.sqrt(2) / 2 if half is None else half
    assert edges.max() == pytest.approx(max(mean) + half, rel=1e-4)
    assert edges.min() == pytest.approx(min(mean) - half, rel=1e-4)


def with_tasks(run, place, change):
    """A copy of a run whose rows of tasks.csv are `change`(row): a list of rows."""
    shutil.copytree(run.directory, place)
    head, *rows = [line.split(",") for line in (place / "tasks.csv").read_text().splitlines()]
    changed = [new for row in rows for new in change(dict(zip(head, row)))]
    lines = [",".join(row[name] for name in head) for row in changed]
    (place / "tasks.csv").write_text("\n".join([",".join(head), *lines]) + "\n")
    return lmrnn.Run(place)


def looks(lines):
    return {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}


def test_no_run_is_left_out_and_all_look_different(small_run):
    runs = {f"run {number}": small_run for number in range(16)}
    for ax in (plot.task_comparison(runs), plot.learning_curves(runs), plot.accuracy_against_density(runs)):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == list(runs)
        lines = [line for line in ax.lines if line.get_label() in runs]
        assert len(looks(lines)) == len(lines) == 16
    histogram = plot.weight_histogram({label: small_run.network() for label in list(runs)[:14]})
    shown = {(p.get_edgecolor(), p.get_linestyle()) for p in histogram.patches}
    assert len(shown) == len(histogram.patches) == 28


def test_ceilings_that_differ_are_shown_of_each_run(small_run, tmp_path):
    other = with_tasks(small_run, tmp_path / "other",
                       lambda row: [row | {"decision_ceiling": "0.5"} if row["task"] == "go" else row])  # fmt: skip
    ax = plot.task_comparison({"a": small_run, "b": other})
    same, a, b = (lines for lines in ax.collections if len(lines.get_segments()) in (1, 4))
    assert len(same.get_segments()) == 4 and {s[0][0] for s in b.get_segments()} == {0.5}
    assert {s[0][0] for s in a.get_segments()} == {1} and "each run's own" in ax.get_xlabel()
    assert "coloured" not in plot.task_comparison({"a": small_run}).get_xlabel()


def test_the_label_of_a_density_figure_names_its_measure(small_run):
    assert plot.accuracy_against_density(small_run, y="tasks_solved").get_ylabel() == "tasks solved"
    usual = plot.accuracy_against_density(small_run).get_ylabel()
    assert usual == "final accuracy\n(share of ceiling, mean of tasks)"


def test_shares_above_the_ceiling_are_not_cut_off(small_run, tmp_path):
    shutil.copytree(small_run.directory, tmp_path / "high")
    path = tmp_path / "high/metrics.csv"
    head, *rows = [line.split(",") for line in path.read_text().splitlines()]
    for row in rows:
        row[head.index("mean_share_of_ceiling")] = "1.2"
    path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    assert plot.learning_curves(lmrnn.Run(tmp_path / "high")).get_ylim()[1] > 1.2
    assert plot.learning_curves(small_run).get_ylim() == (0, 1.04)


def test_half_of_the_colours_show_the_last_ten_percent(small_run):
    norm = plot.task_heat_map(small_run).collections[0].norm
    assert np.allclose(norm(np.array([0, 0.45, 0.9, 0.95, 1])), [0, 0.25, 0.5, 0.75, 1])
    assert np.allclose(norm.inverse(norm(np.linspace(0, 1, 11))), np.linspace(0, 1, 11))


def test_cells_are_as_wide_as_the_time_to_their_evaluation(small_run):
    ax = plot.task_heat_map(small_run)
    assert list(ax.collections[0].get_coordinates()[0, :, 0]) == [0, 20, 40]


def test_text_stays_text(small_run, tmp_path):
    svg = plot.save(plot.task_bars(small_run), tmp_path / "new folder" / "a.svg").read_text()
    assert ">dlygointr</text>" in svg
    pdf = plot.save(plot.task_bars(small_run), tmp_path / "a.pdf").read_bytes()
    assert b"/Type3" not in pdf and b"/TrueType" in pdf or b"/Type0" in pdf or b"/CIDFontType2" in pdf


def test_a_trial_of_another_battery_is_refused(small_run):
    with pytest.raises(lmrnn.UsageError, match="trial: rule input 0 of the network is for go, that of the battery for dm2"):
        plot.trial(lmrnn.Battery("dm2")["dm2"].trial(seed=1), small_run)


def test_trials_are_in_degrees_and_show_fixation(small_run):
    axes = plot.trial(small_run.battery["go"].trial(seed=1), small_run)
    assert [label.get_text() for label in axes[3].get_yticklabels()] == ["0°", "90°", "180°", "270°"]
    assert axes[3].get_ylabel() == "answer" and axes[4].get_ylabel() == "fixate"


def test_pyplot_knows_figures_only_where_it_is_in_use(small_run, python):
    code = (
        "import sys, lmrnn; from lmrnn import plot; m = lmrnn.Mask([[1, 0], [0, 1]]); plot.mask(m)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as plt\n"
        "ax = plot.mask(m); assert plt.get_fignums() == [1] and plt.figure(1) is ax.figure\n"
        "from lmrnn.plot import style\n"
        "with style.unregistered(): plot.mask(m)\n"
        "assert plt.get_fignums() == [1]\n"
    )
    subprocess.run([python, "-c", code], check=True)


def test_fits_find_the_curve_that_choices_were_made_with():
    from lmrnn.plot.behaviour import _fit, _phi

    x = np.array([-0.64, -0.32, -0.16, -0.08, -0.04, 0.04, 0.08, 0.16, 0.32, 0.64])
    fit = _fit(x, _phi((x - 0.05) / 0.2), np.full(10, 1e6))
    assert fit["bias"] == pytest.approx(0.05, abs=1e-4) and fit["deviation"] == pytest.approx(0.2, rel=1e-3)
    assert fit["threshold"] == pytest.approx(0.2 * 0.67449, rel=1e-3)
    assert fit["slope"] == pytest.approx(1 / (0.2 * np.sqrt(2 * np.pi)), rel=1e-3)
    assert 0 < _fit(x, x > 0, np.full(10, 100))["deviation"] < 0.02  # perfect choices
    assert _fit(x, np.ones(10), np.full(10, 100)) == {}
    assert _fit(x, x < 0, np.full(10, 100)) == {}  # the wrong way round


@pytest.mark.parametrize("n_trials", [20, 100, 500])
@pytest.mark.parametrize("bias, deviation", [(0, 0.03), (0, 0.05), (0.03, 0.05), (-0.1, 0.3)])
def test_fits_have_the_largest_likelihood(n_trials, bias, deviation):
    from lmrnn.plot.behaviour import _fit
    from scipy.optimize import minimize
    from scipy.stats import norm

    x = np.array([-0.64, -0.32, -0.16, -0.08, -0.04, 0.04, 0.08, 0.16, 0.32, 0.64])
    n_first = np.round(n_trials * norm.cdf((x - bias) / deviation))

    def minus_log_likelihood(parameters):
        z = (x - parameters[0]) / np.exp(parameters[1])
        return -np.sum(n_first * norm.logcdf(z) + (n_trials - n_first) * norm.logcdf(-z))

    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 2000}
    best = minimize(minus_log_likelihood, [bias, np.log(deviation)], method="Nelder-Mead", options=options).x
    fit = _fit(x, n_first / n_trials, np.full(10, n_trials))
    assert fit["bias"] == pytest.approx(best[0], abs=1e-4)
    assert fit["deviation"] == pytest.approx(np.exp(best[1]), rel=1e-3)


def test_runs_of_one_name_are_both_drawn():
    assert command._labels(["runs/a", "runs/b"]) == ["a", "b"]
    assert command._labels(["x/run", "y/run"]) == ["x/run", "y/run"]
    assert command._labels(["x/run", "x/run"]) == ["x/run (1)", "x/run (2)"]


def test_the_command(small_run, tmp_path, capsys):
    from lmrnn.plot.command import figures, main

    path, out = str(small_run.directory), str(tmp_path / "a.svg")
    assert main(["--list"]) == 0 and len(capsys.readouterr().out.splitlines()) == len(figures()) > 25
    for words in ([path, "learning_curves"], [path, "learning_curves", "--with", path], [path, "task_bars"],
                  [path, "trial", "--task", "go"], [path, "accuracy_against_density"]):  # fmt: skip
        assert main([*words, "--out", out]) == 0
        assert capsys.readouterr().out == f"{out}\n"
    for words, message in (
        (["learning_curves", path], "the run comes first; did you mean lmrnn plot"),
        ([path, "learning_curvs"], 'did you mean "learning_curves"?'),
        ([path], "give a run or a study and the name of a figure"),
        ([path, "trial"], "choose it with --task"),
        ([path, "mask", "--task", "go"], "not a figure of one task"),
        ([path, "mask", "--with", path], "shows one run"),
        ([str(tmp_path / "nothing"), "mask"], "no such directory"),
        ([path, "ring"], "no analysis 'ring' yet"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err
