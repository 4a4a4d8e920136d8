"""Type checkers: mypy accepts twenty right calls and rejects twenty wrong ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lmrnn

pytest.importorskip("mypy")
HERE = Path(__file__).resolve().parent / "types"


def complaints(name, tmp_path):
    """The lines of a file with an error."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--no-error-summary", "--show-error-codes",
         "--cache-dir", str(tmp_path / "cache"), str(HERE / name)],
        env={"MYPYPATH": str(Path(lmrnn.__file__).resolve().parents[1]), "PATH": ""},
        capture_output=True, text=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return {int(line) for line in re.findall(rf"{name}:(\d+): error", done.stdout)}, done.stdout


def test_right_calls_are_accepted_and_wrong_ones_refused(tmp_path):
    found, text = complaints("right.py", tmp_path)
    assert not found, text
    found, text = complaints("wrong.py", tmp_path)
    lines = (HERE / "wrong.py").read_text().splitlines()
    first = lines.index('run = lmrnn.Run("runs/x")') + 2
    wanted = set(range(first, len(lines) + 1))
    assert len(wanted) >= 20 and found == wanted, text


def test_the_stub_has_no_bare_containers():
    stub = (Path(lmrnn.__file__).resolve().parent / "_core.pyi").read_text()
    # "areas : list of table", with a blank before the colon, belongs to a docstring.
    assert re.findall(r"(?:->|(?<! ):) (?:list|dict|tuple)(?:$|[ ,):])", stub, re.M) == []
