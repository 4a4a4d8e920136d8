"""Networks that come with the package."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import lmrnn

NAMES = lmrnn.zoo()


@pytest.fixture(scope="module")
def tools():
    """zoo/entries.py of the source tree."""
    root = __import__("pathlib").Path(__file__).resolve().parents[2]
    sys.path.insert(0, str(root / "zoo"))
    try:
        import entries
    finally:
        sys.path.pop(0)
    return entries


def test_there_are_some():
    assert NAMES and NAMES == sorted(NAMES)


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(tmp_path):
    for call in (lmrnn.zoo, lambda name: lmrnn.Run(f"zoo:{name}"), lambda n: lmrnn.Network.load(f"zoo:{n}")):
        with pytest.raises(lmrnn.UsageError) as refused:
            call("modcog82-nowhere")
        assert str(refused.value) == (
            f"zoo:modcog82-nowhere: there is no such network; there are: {', '.join(NAMES)}"
        )
    config = {"seed": 1, "init_from": "zoo:modcog82-nowhere"}
    with pytest.raises(lmrnn.UsageError, match="there is no such network; there are: "):
        lmrnn.Trainer(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_a_run_with_scores_on_test_trials(name, tools):
    run = lmrnn.zoo(name)
    assert run.name == name and run.done and run.about["sha256"] == tools.sha256(tools.network_file(run.directory))
    assert run.config["simd"] != "auto", "its bits should not depend on the machine"
    assert len(run.battery) == run.about["n_tasks"] == run.test_scores.n_rows
    assert set(run.test_scores["trials"]) == {tools.TRIALS}
    assert run.test_scores["passed"].sum() == run.about["tasks_passed"]
    assert np.mean(run.test_scores["share_of_ceiling"]) == pytest.approx(run.about["mean_share_of_ceiling"], abs=1e-9)
    # metrics and tasks are thinned out, but still enough for figures and reports.
    assert run.scores.n_rows == run.about["n_tasks"] and run.metrics.n_rows >= 1
    assert re.fullmatch(r"[0-9a-f]{40}", run.about["commit"])
    assert repr(run).startswith(f"ZooRun('zoo:{name}', ")


def test_its_scores_are_what_it_scores():
    run = lmrnn.zoo(NAMES[0])
    names = run.battery.names[:3]
    found = run.evaluate(tasks=names, n_trials=4000)
    kept = {row["task"]: row for row in run.test_scores.rows()}
    for task in found.tasks:
        # Other SIMD targets round differently, which turns a trial in thousands.
        assert task.decision_accuracy == pytest.approx(kept[task.name]["decision_accuracy"], abs=2e-3)


def test_its_report_and_figures_show_scores_on_test_trials():
    from lmrnn.report.catalogue import find_subject
    from lmrnn.report.sections import scores

    name = "cog20-autapse-256"
    run = lmrnn.zoo(name)
    page = scores.section(find_subject(f"zoo:{name}").content).body
    assert "On 4,000 test trials per task: 20 of 20 tasks passed; 99.1% of the ceiling on average, 96.7%" in page
    assert "Test trials, 4,000 per task." in page and "dark: passed" in page
    axes = lmrnn.plot.task_bars(run.test_scores)
    lengths = [bar.get_width() for bar in axes.patches]
    assert lengths == list(run.test_scores["decision_accuracy"])
    cells = [text.get_text() for text in lmrnn.plot.task_grid(run.test_scores).texts]
    assert cells == [f"{100 * share:.0f}" for share in run.test_scores["share_of_ceiling"]]
    # An ordinary run has only trials of the evaluations in its training.
    page = scores.section(lmrnn.Run(f"zoo:{name}")).body
    assert "18 of 20 tasks solved" in page and "Held-out trials after 8,000 steps, 1,000 per task." in page


def test_zoo_stands_for_a_run_wherever_one_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = NAMES[0]
    run, reference = lmrnn.Run(f"zoo:{name}"), f"zoo:{name}"
    network = lmrnn.Network.load(reference)
    assert network.n_units == run.network().n_units == lmrnn.zoo(reference).about["units"]
    found = lmrnn.analyze(reference, "weights")
    assert found.directory == lmrnn.zoo(name).output / "analysis/weights"
    assert run.analysis("weights").directory == found.directory
    assert found.directory.resolve().is_relative_to(tmp_path) and run.analyses == ["weights"]


def test_training_starts_from_its_weights(tmp_path):
    run = lmrnn.zoo(NAMES[0])
    config = {key: run.config[key] for key in ("battery", "wiring", "network")}
    config |= {
        "seed": 3,
        "init_from": f"zoo:{run.name}",
        "optimiser": {"learning_rate": 0},
        "stream": {"batch": 2, "row_steps": 40},
        "train": {"steps": 1},
        "evaluation": {"trials": 2},
    }
    trained = lmrnn.Trainer(config, tmp_path / "run").run().network()
    assert np.array_equal(trained.weights["recurrent"], run.network().weights["recurrent"])


def test_torch_loads_it():
    torch = pytest.importorskip("torch")
    from lmrnn.torch import LMRNN

    model = LMRNN.load(f"zoo:{NAMES[0]}")
    assert isinstance(model, torch.nn.Module)


def test_a_report_is_written_outside_of_the_zoo(tmp_path, monkeypatch):
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    path = lmrnn.report.write_report(f"zoo:{NAMES[0]}")
    assert path.resolve() == tmp_path / "runs" / NAMES[0] / "report.html"
    text = path.read_text()
    assert NAMES[0] in text and lmrnn.solved_definition in text


def test_the_zoo_is_small_and_its_page_is_that_of_the_index(tools):
    assert tools.size() <= tools.MOST_BYTES
    content = tools.index()
    assert sorted(content["networks"]) == NAMES
    page = tools.PAGE.read_text()
    assert tools.page_with(page, content) == page, "zoo/add.py writes the table; do not edit it"


def test_what_could_not_be_made_again_is_not_added(root, small_run):
    result = subprocess.run([sys.executable, root / "zoo/add.py", small_run.directory, "small"],
                            capture_output=True, text=True)
    assert result.returncode == 1 and 'set simd = "avx2"' in result.stderr
    result = subprocess.run([sys.executable, root / "zoo/add.py", small_run.directory, NAMES[0]],
                            capture_output=True, text=True)
    assert result.returncode == 1 and "is in the zoo already" in result.stderr


def test_making_a_network_again_needs_the_program_that_made_it(root, tmp_path):
    program = tmp_path / "lmrnn"
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'commit': 'another', 'simd_targets': ['avx2']})}'\n")
    program.chmod(0o755)
    result = subprocess.run([sys.executable, root / "zoo/make.py", NAMES[0], "--program", program],
                            capture_output=True, text=True)
    assert result.returncode == 1 and "is of commit another, and the network is of" in result.stderr
    result = subprocess.run([sys.executable, root / "zoo/make.py", "nothing"], capture_output=True, text=True)
    assert result.returncode == 1 and f"there are: {', '.join(NAMES)}" in result.stderr
