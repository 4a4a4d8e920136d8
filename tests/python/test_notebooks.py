"""Runs the example notebooks as Jupyter would; the site shows their outputs."""

import os
from pathlib import Path

import pytest

import lmrnn

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
PICTURES = {"compare_wirings": 5, "fixed_points_to_lesion": 3, "own_pytorch_network": 2, "study": 2}
"""Pictures that a reader sees without asking for them."""

pytestmark = pytest.mark.filterwarnings("ignore")  # of Jupyter's own


@pytest.fixture(autouse=True)
def kernels_like_a_users(tmp_path, monkeypatch):
    """No backend is chosen for matplotlib, and the program is on PATH."""
    monkeypatch.delenv("MPLBACKEND", raising=False)
    program = Path(os.environ.get("LMRNN", "lmrnn")).resolve()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Not resolved: in the build tree, the package is a folder of links next to its core.
    monkeypatch.setenv("PYTHONPATH", os.path.abspath(Path(lmrnn.__file__).parents[1]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


def execute(path, place):
    book = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(place)}}).execute()
    return book


def outputs(book):
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


def test_all_are_counted():
    assert {path.stem for path in NOTEBOOKS} == set(PICTURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path):
    if "torch" in path.stem:
        pytest.importorskip("torch")
    book = execute(path, tmp_path)
    pictures = [o for o in outputs(book) if "image/png" in o.get("data", {})]
    assert len(pictures) == PICTURES[path.stem]
    assert not any(o.output_type == "stream" and o.name == "stderr" and "Warning" in o.text for o in outputs(book))
    # Committed without outputs; `make docs` makes the outputs on the site.
    assert all(not cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells)
    (ROOT / "build/notebooks").mkdir(parents=True, exist_ok=True)
    nbformat.write(book, ROOT / "build/notebooks" / path.name)


def test_progress_and_curve_are_shown_in_a_notebook(tmp_path, small_config):
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_code_cell(f"import lmrnn\nconfig = {small_config!r}\nt = lmrnn.Trainer(config, 'a')\nt.run(progress='curve')"),
        nbformat.v4.new_code_cell("lmrnn.Trainer(config, 'a', overwrite=True).run(progress=False)"),
    ]  # fmt: skip
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    first, second = (cell.outputs for cell in book.cells)
    shown = [o.data for o in first if "data" in o]
    assert any("<progress" in data.get("text/html", "") and "solved" in data["text/html"] for data in shown)
    assert any("image/png" in data for data in shown)
    assert [list(o.data) for o in second] == [["text/plain", "text/html"]] or len(second) == 1


def test_an_interrupted_cell_runs_again(tmp_path, small_config):
    book = nbformat.v4.new_notebook()
    interrupted = "import lmrnn\nlmrnn.Trainer(config, 'a', exist_ok=True).run(interrupt, progress=False)"
    setup = f"config = {small_config!r}\ndef interrupt(progress):\n    raise KeyboardInterrupt"
    book.cells = [nbformat.v4.new_code_cell(source) for source in (setup, interrupted, interrupted)]
    book.cells.append(nbformat.v4.new_code_cell("lmrnn.Trainer(config, 'a', overwrite=True).run(progress=False)"))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=120, allow_errors=True, resources=resources).execute()
    errors = [[o.ename for o in cell.outputs if o.output_type == "error"] for cell in book.cells]
    assert errors == [[], ["KeyboardInterrupt"], ["KeyboardInterrupt"], []]
