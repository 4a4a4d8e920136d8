"""The first things that users meet: import, errors, stubs."""

import shutil
import subprocess
import sys

import pytest

import lmrnn


def test_import_is_quick_and_loads_nothing_heavy(python):
    code = (
        "import sys, time; import numpy; t = time.process_time(); import lmrnn;"
        "t = time.process_time() - t;"
        "heavy = {'matplotlib', 'torch', 'gymnasium', 'jinja2', 'h5py', 'tensorboard'};"
        "print(t, *sorted(heavy & set(sys.modules)))"
    )
    # Processor seconds, the best of three, because other work on the machine must not count.
    answers = [
        subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert all(len(answer) == 1 for answer in answers), answers
    assert min(float(answer[0]) for answer in answers) < 0.5


def test_version_is_the_projects(root):
    assert f"VERSION {lmrnn.__version__} " in (root / "CMakeLists.txt").read_text()
    assert lmrnn.build_info()["version"] == lmrnn.__version__


def test_errors_are_pythons():
    assert issubclass(lmrnn.UsageError, ValueError)
    assert issubclass(lmrnn.RunError, RuntimeError)
    with pytest.raises(ValueError, match='unknown key "n_rng"; did you mean "n_ring"'):
        lmrnn.Battery("cog20", n_rng=32)


def test_errors_have_the_parts_of_their_message(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("seed = 1\n[wiring]\nradus = 3\n")
    with pytest.raises(lmrnn.UsageError) as caught:
        lmrnn.resolve_config(file)
    error = caught.value
    assert error.where == f"{file}:3"
    assert error.problem == 'unknown key "radus" in [wiring]'
    assert error.remedy == 'did you mean "radius"?'
    raised_in_python = lmrnn.UsageError("evaluate: no seed; give one")
    parts = (raised_in_python.where, raised_in_python.problem, raised_in_python.remedy)
    assert parts == ("evaluate", "no seed", "give one")
    assert lmrnn.UsageError("bare").where == lmrnn.UsageError("bare").remedy == ""
    with pytest.raises(AttributeError):
        error.where = "elsewhere"


def test_without_a_core_for_this_python_it_says_so(root, tmp_path):
    shutil.copytree(root / "python/lmrnn", tmp_path / "lmrnn", ignore=lambda *_: {"_core.pyi"})
    result = subprocess.run([sys.executable, "-c", "import lmrnn"], capture_output=True, text=True,
                            env={"PYTHONPATH": str(tmp_path)})
    assert "ImportError: lmrnn: its core was built for another Python" in result.stderr


def test_stub_is_the_one_that_the_build_makes(root):
    """On failure, look at the difference, then copy the built stub over the committed one."""
    built = root / "build/release/python/_core.pyi"
    for candidate in map(type(root), lmrnn.__path__):
        if (candidate.parent / "_core.pyi").is_file():
            built = candidate.parent / "_core.pyi"
    assert (root / "python/lmrnn/_core.pyi").read_text() == built.read_text()


def test_everything_public_has_a_docstring():
    for name in lmrnn.__all__:
        thing = getattr(lmrnn, name)
        if callable(thing):
            assert thing.__doc__, name


def test_resolve_config_reads_mappings_and_files(tmp_path):
    config = lmrnn.resolve_config({"seed": 1, "wiring": {"radius": 3}}, {"wiring.rows": 8})
    assert config["wiring"]["radius"] == 3 and config["wiring"]["rows"] == 8
    file = tmp_path / "a.toml"
    file.write_text("seed = 1\n[wiring]\nradus = 3\n")
    with pytest.raises(lmrnn.UsageError, match=r'a\.toml:3: unknown key "radus"'):
        lmrnn.resolve_config(file)
    assert lmrnn.resolve_config(config) == config
