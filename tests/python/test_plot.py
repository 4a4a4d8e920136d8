"""Every figure, once: it draws, on Axes of the caller's too, and saves as vector graphics."""

import matplotlib
import numpy as np
import pytest
import test_analysis
import test_study
from matplotlib.figure import Figure

import lmrnn
from lmrnn import plot


def figures(run):
    network = run.network()
    trial = run.battery["dlygointr"].trial(seed=1)
    yield "trial", lambda: plot.trial(trial)
    yield "answer", lambda: plot.trial(trial, network)
    yield "mask", lambda **o: plot.mask(network.recurrent, **o)
    yield "neighbourhood", lambda **o: plot.neighbourhood(network.recurrent, run.sheet, **o)
    yield "map", lambda **o: plot.sheet_map(network.weights["bias"], run.sheet, signed=True, **o)
    yield "curves", lambda **o: plot.learning_curves({"a": run, "b": [run, run]}, **o)
    yield "loss", lambda **o: plot.learning_curves(run, y="loss", x="trials", **o)
    yield "heat", lambda **o: plot.task_heat_map(run, **o)
    yield "bars", lambda **o: plot.task_bars(run, **o)
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
    assert set(plot.__all__) - {"COLOURS", "save"} - test_analysis.FIGURES - test_study.FIGURES <= used


def test_figures_draw_on_axes_of_the_callers(small_run):
    for name, draw in figures(small_run):
        if "o" in draw.__code__.co_varnames:
            ax = Figure().add_subplot()
            assert draw(ax=ax) is ax, name


def test_saving_is_reproducible(small_run, tmp_path):
    a = plot.save(plot.task_bars(small_run), tmp_path / "a.svg").read_bytes()
    b = plot.save(plot.task_bars(small_run), tmp_path / "a.svg").read_bytes()
    assert a == b


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
    assert np.array_equal(line.get_ydata(), small_run.metrics[y][known])
