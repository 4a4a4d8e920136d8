"""The report as a file: it contains everything and loads nothing from outside."""

import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

import lmrnn
from lmrnn import plot, report
from lmrnn.report.command import run as run_command


@pytest.fixture(scope="module")
def page(small_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "page.html"
    return report.write_report(small_run.directory, out).read_text()


def test_has_every_section(page):
    for title in ("Overview", "Scores", "Learning", "Trials", "Wiring", "Weights", "Provenance"):
        assert f"<h2>{title}</h2>" in page
    assert "wiring" in page and "dlygointr" in page


def test_needs_nothing_from_outside(page):
    addresses = re.findall(r'(?:src|href|action)="([^"#][^"]*)"', page)
    assert [a for a in addresses if not a.startswith("data:")] == []
    assert "@import" not in page and "fetch(" not in page


def test_is_well_formed_and_ids_are_unique(page):
    open_tags, ids = [], []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attributes):
            ids.extend(value for name, value in attributes if name == "id")
            if tag not in ("meta", "link", "br", "path", "use", "image"):
                open_tags.append(tag)

        def handle_startendtag(self, tag, attributes):
            ids.extend(value for name, value in attributes if name == "id")

        def handle_endtag(self, tag):
            if tag in ("path", "use", "image"):
                return
            assert open_tags.pop() == tag

    Checker().feed(page)
    assert open_tags == []
    assert len(ids) == len(set(ids))


def test_is_the_same_page_again(small_run, page, tmp_path):
    assert report.write_report(small_run.directory, tmp_path / "b.html").read_text() == page


def test_tables_of_analyses_are_shown_and_escaped(small_config, tmp_path):
    run = lmrnn.Trainer(small_config, tmp_path / "run").run()
    folder = tmp_path / "run" / "analysis" / "mine"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text("name,value\n<b>x</b>,1.5\ny,\n")
    page = report.write_report(run.directory).read_text()
    assert "<h3>mine</h3>" in page and "table (2 rows)" in page
    assert "&lt;b&gt;x" in page and "<b>x" not in page


def test_the_command(small_run, tmp_path, capsys):
    out = tmp_path / "a.html"
    assert run_command([str(small_run.directory), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n" and out.is_file()
    assert run_command([str(tmp_path / "nothing")]) == 2
    assert "no such directory" in capsys.readouterr().err
    assert run_command([str(tmp_path)]) == 2
    assert "neither a run nor a study" in capsys.readouterr().err


def test_two_runs_are_compared(small_run, small_config, tmp_path, capsys):
    small_config["wiring"]["kind"] = "random"
    other = lmrnn.Trainer(small_config, tmp_path / "other").run()
    page = report.write_report(small_run.directory, tmp_path / "c.html", against=other.directory).read_text()
    assert page.index("<h2>Comparison</h2>") < page.index("<h2>Scores</h2>") < page.index("<h2>Trials</h2>")
    assert "wiring.kind" in page and "small against other" in page
    assert run_command([str(small_run.directory), "--against", str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().err


def test_runs_are_compared_over_the_tasks_that_both_have(small_run, small_config, tmp_path):
    small_config["battery"] = {"tasks": "go,dm1,dm2", "input_noise": 0.6}
    other = lmrnn.Trainer(small_config, tmp_path / "other").run()
    page = report.write_report(small_run.directory, tmp_path / "c.html", against=other.directory).read_text()
    assert "means over the 2 tasks that both have, of 5 of small and 3 of other" in page
    assert "mean of 2 tasks" in page and "ceiling, small" in page and "ceiling, other" in page
    accuracy = [np.mean([row["decision_accuracy"] for row in run.scores.rows() if row["task"] in ("go", "dm1")])
                for run in (small_run, other)]  # fmt: skip
    assert f"Mean of 2 tasks: {accuracy[0]:.3f} and {accuracy[1]:.3f}, difference" in page
    line = plot.learning_curves([small_run, other], tasks=["go", "dm1"]).lines[1]
    share = [row["share_of_ceiling"] for row in other.scores.rows() if row["task"] in ("go", "dm1")]
    assert list(line.get_xdata()) == [0, 20, 40] and line.get_ydata()[-1] == pytest.approx(np.mean(share))
    whole = plot.learning_curves(small_run).lines[0].get_ydata()
    same = plot.learning_curves(small_run, tasks=list(small_run.scores["task"])).lines[0].get_ydata()
    assert same == pytest.approx(whole, abs=1e-5)
    with pytest.raises(lmrnn.UsageError, match="tasks: 'dm2'; .* was evaluated on go, dlygointr"):
        plot.learning_curves(small_run, tasks=["dm2"])
    with pytest.raises(lmrnn.UsageError, match='tasks = ...: needs x = "step" and y one of mean_share_of_ceiling'):
        plot.learning_curves(small_run, y="loss", tasks=["go"])


def test_runs_without_a_common_task_are_compared_in_their_settings(small_run, small_config, tmp_path):
    small_config["battery"] = {"tasks": "dm2"}
    other = lmrnn.Trainer(small_config, tmp_path / "other").run()
    page = report.write_report(small_run.directory, tmp_path / "c.html", against=other.directory).read_text()
    assert "no evaluated task in common" in page and "battery.tasks" in page


def test_failed_trials_are_shown_and_figures_can_be_saved(page):
    assert "answered wrong" in page
    assert page.count('class="download"') == page.count("<figure") > 8


def test_a_report_overwrites_nothing_else(small_run):
    config = (small_run.directory / "config.toml").read_text()
    with pytest.raises(lmrnn.UsageError, match="config.toml: a report is an HTML file; give a name that ends in .html"):
        lmrnn.report.write_report(small_run.directory, small_run.directory / "config.toml")
    assert (small_run.directory / "config.toml").read_text() == config


def test_a_run_is_not_compared_with_itself(small_run, tmp_path):
    with pytest.raises(lmrnn.UsageError, match="--against: .* is the run itself"):
        report.write_report(small_run.directory, tmp_path / "p.html", against=small_run.directory)


def test_an_evaluation_that_is_not_over_does_not_count(small_run, tmp_path):
    """A run that is being evaluated, or was killed then: the row of metrics.csv comes last."""
    shutil.copytree(small_run.directory, tmp_path / "run")
    (tmp_path / "run/DONE").unlink()
    for name, n in (("metrics", 1), ("tasks", 1)):
        path = tmp_path / f"run/{name}.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-n]))
    run, last = lmrnn.Run(tmp_path / "run"), small_run.scores["step"][0]
    before = small_run.tasks["step"][small_run.tasks["step"] < last].max()
    assert set(run.scores["step"]) == {before} and run.scores.n_rows == small_run.scores.n_rows
    assert run.tasks["step"].max() == before
    assert "<h2>Scores" in report.write_report(run.directory, tmp_path / "p.html").read_text()


@pytest.mark.parametrize("name, damage, told", [
    ("tasks.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]), "does not have the whole evaluation"),
    ("tasks.csv", lambda text: text + "8,go\n", "has 2 cells, where the header has"),
    ("tasks.csv", None, "tasks.csv: is missing"),
    ("metrics.csv", lambda text: text.replace("\n", "\nx", 1), "metrics.csv:2: column step is damaged"),
    ("DONE", lambda text: text[:-5], "DONE: is damaged"),
])  # fmt: skip
def test_damaged_files_are_named(small_run, tmp_path, name, damage, told, capsys):
    shutil.copytree(small_run.directory, tmp_path / "run")
    path = tmp_path / "run" / name
    text = path.read_text()
    path.unlink()
    if damage:
        path.write_text(damage(text))
    assert run_command([str(tmp_path / "run"), "--out", str(tmp_path / "p.html")]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1, err
    assert not (tmp_path / "p.html").exists()
