"""If a file cannot be written, one message says so, with the remedy, and no partial file is left."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import lmrnn


def report(run, path):
    lmrnn.report.write_report(run.directory, path.with_suffix(".html"))


def figure(run, path):
    lmrnn.plot.save(lmrnn.plot.mask(np.eye(3)), path.with_suffix(".svg"))


def onnx(run, path):
    pytest.importorskip("onnx")
    lmrnn.networks.write_onnx(run.network(), path.with_suffix(".onnx"))


def nwb(run, path):
    pytest.importorskip("pynwb")
    lmrnn.nwb.write(run, path.with_suffix(".nwb"), tasks="go", trials=2, seed=1)


def wiring(run, path):
    edges = run.directory.parent / "edges.csv"
    edges.write_text("source,target\n0,1\n1,2\n2,0\n")
    lmrnn.wirings.read(edges).save(path.with_suffix(".npz"))


def trainer(run, path):
    lmrnn.Trainer(run.config, path, mask=np.eye(36))


def events(run, path):
    pytest.importorskip("tensorboard")
    from lmrnn.tensorboard import write_events

    write_events(run.directory, path)


WRITERS = {
    report: r"\.html: cannot be written .* choose another file with --out \(in Python: out=\)",
    figure: r"\.svg: cannot be written .* choose another file",
    onnx: r"\.onnx: cannot be written .* write to another place",
    nwb: r"\.nwb: cannot be written .* write to another place",
    wiring: r"\.npz: cannot be written .* write to another place",
    trainer: r"\.npz: cannot be written .* use another directory for the run",
    events: r"x: cannot be written .* choose another folder with --out",
}


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_place_that_cannot_be_written_is_told(small_run, tmp_path, write):
    (tmp_path / "file").write_text("")  # permissions do not stop root; a file in place of a folder does
    with pytest.raises(lmrnn.RunError, match=WRITERS[write]) as caught:
        write(small_run, tmp_path / "file" / "x")
    assert "Errno" not in str(caught.value) and ".tmp" not in str(caught.value)


@pytest.mark.parametrize("write", [report, figure, onnx, wiring], ids=lambda write: write.__name__)
def test_what_is_written_is_there_whole_or_not_at_all(small_run, tmp_path, write):
    write(small_run, tmp_path / "new" / "x")
    (made,) = (tmp_path / "new").iterdir()
    made.unlink()
    made.mkdir()  # so that the file cannot take its place
    with pytest.raises(lmrnn.RunError, match=r"cannot be written \(Is a directory\)"):
        write(small_run, tmp_path / "new" / "x")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [made.name]


def test_the_programs_tell_it_in_one_line(small_run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    from lmrnn.plot.command import main as plot
    from lmrnn.report.command import run as report

    assert report([str(small_run.directory), "--out", str(tmp_path / "file" / "x.html")]) == 1
    assert plot([str(small_run.directory), "mask", "--out", str(tmp_path / "file" / "x.svg")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in said] == ["lmrnn report", "lmrnn plot"]
    assert all("cannot be written (Not a directory); choose another file" in line for line in said)


def test_a_run_that_cannot_be_deleted_is_told(small_config, tmp_path, monkeypatch):
    lmrnn.Trainer(small_config, tmp_path / "run").run()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path / "config.toml"))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.warns(UserWarning, match=r"run.old-\d+: the old run cannot be deleted \(Permission denied\); delete it"):
        trainer = lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True)
    assert trainer.run().done

    def refuse_too(path, target):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "rename", refuse_too)
    with pytest.raises(lmrnn.RunError, match=r"run: cannot be set aside \(Permission denied\); use another directory"):
        lmrnn.Trainer(small_config, tmp_path / "run", overwrite=True)
    assert lmrnn.Run(tmp_path / "run").done


def test_a_full_disk_is_told(tmp_path):
    from lmrnn.writing import written

    with pytest.raises(lmrnn.RunError, match=r"x: cannot be written \(No space left.*\); free some space, or write to"):
        with written(tmp_path / "x"):
            raise OSError(28, "No space left on device")
