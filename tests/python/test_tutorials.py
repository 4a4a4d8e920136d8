"""The tutorials as a reader would run them: each in its own directory and process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "examples" / "tutorials"


def output(place, script):
    program = Path(os.environ.get("LMRNN", "lmrnn")).resolve()
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable] if script.endswith(".py") else ["sh"]
    done = subprocess.run(
        [*command, TUTORIALS / script], cwd=place, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(pattern, text):
    return [float(number) for number in re.findall(pattern + r" ?(\d+\.\d+)", text)]


def test_mine(tmp_path):
    program = os.environ.get("LMRNN", "lmrnn")
    short = ["--set", "train.steps=2", "--set", "evaluation.trials=10", "--out", tmp_path / "run"]
    subprocess.run([program, "train", TUTORIALS / "mine.toml", *short], check=True, capture_output=True)
    assert (tmp_path / "run" / "DONE").exists()


def test_ten_lines(tmp_path):
    accuracies = output(tmp_path, "ten_lines.py").split("]")[1].lstrip(" [").split()
    assert len(accuracies) == 4 and min(map(float, accuracies)) > 0.8
    assert "<svg" in (tmp_path / "curves.svg").read_text()


def test_own_pytorch_network(tmp_path):
    pytest.importorskip("torch")
    right = numbers("go:", output(tmp_path, "own_pytorch_network.py"))
    assert len(right) == 2 and min(right) > 0.9


def test_lm_rnn_in_pytorch(tmp_path):
    pytest.importorskip("torch")
    text = output(tmp_path, "lm_rnn_in_pytorch.py")
    assert "backend=engine" in text
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("share of ceiling")) + 1
    shares = {line[:16].strip(): list(map(float, line[16:].split())) for line in lines[first : first + 5]}
    assert set(shares) == {"LM-RNN", "Dale", "wire", "GRU", "always fixate"}
    assert shares["always fixate"] == [0, 0]
    assert min(shares["LM-RNN"] + shares["wire"] + shares["GRU"]) > 0.9 and shares["Dale"][0] > 0.9
    plain, wire = numbers("unit of weight, [a-z]+:", text)
    assert wire < 0.85 * plain
    delays = numbers("ms: accuracy", text)
    assert len(delays) == 7 and min(delays[:5]) > 0.9
    fixed, slow = map(int, re.search(r"FixedPoints: (\d+) fixed and (\d+) slow, from 64", text).groups())
    assert fixed + slow > 4
    assert numbers(r"TaskScore\(dlygo,", text)[0] < 0.9


def test_lm_rnn_in_jax(tmp_path):
    pytest.importorskip("jax")
    pytest.importorskip("optax")
    text = output(tmp_path, "lm_rnn_in_jax.py")
    plain, dale, wire = numbers("mean accuracy", text)
    assert min(plain, wire) > 0.9 and dale > 0.6


def test_own_task_wiring_analysis(tmp_path):
    text = output(tmp_path, "own_task_wiring_analysis.py")
    assert numbers("accuracy:", text)[0] > 0.9
    areas = [list(map(float, line.split("[")[1].rstrip("]").split())) for line in text.splitlines()[1:]]
    assert max(areas[1]) > 0.8  # the area that is read out knows in the end
    assert max(areas[1][:6]) < 0.5 and max(areas[0][:3]) < 0.5  # but nobody can know at first


def test_compare_wirings(tmp_path):
    text = output(tmp_path, "compare_wirings.sh")
    header, row = (line.split(",") for line in text.splitlines()[-2:])
    contrast = dict(zip(header, row))
    assert contrast["pairs"] == "6" and float(contrast["lower"]) < float(contrast["upper"])


def test_mechanism(tmp_path):
    text = output(tmp_path, "mechanism.py")
    assert 0.9 < numbers(r"\|eigenvalue\|", text)[0] < 1.1
    assert numbers("delay 500 ms: accuracy", text)[0] > 0.9
    tuned, others = numbers("the 4 most tuned units:", text)[0], numbers("without 4 others:", text)[0]
    assert tuned < others


def test_connectome(tmp_path):
    for package in ("cect", "networkx", "pandas", "pynwb"):
        pytest.importorskip(package)
    text = output(tmp_path, "connectome.py")
    assert "302 units, 3709 synapses" in text and "said by the file" in text
    shares = text.rsplit("[", 1)[1].rstrip("]\n").split()
    assert len(shares) == 2 and min(map(float, shares)) > 0.9
    import pynwb

    with pynwb.NWBHDF5IO(str(tmp_path / "worm.nwb"), "r") as file:
        content = file.read()
        assert len(content.trials) == 32
        assert content.processing["misc"]["states"].data.shape[1] == 302


def test_worm(tmp_path):
    for package in ("cect", "networkx", "pandas", "matplotlib"):
        pytest.importorskip(package)
    text = output(tmp_path, "worm.py")
    assert "302 units, 3709 synapses" in text and "271 excitatory units, 31 inhibitory" in text
    assert {"wiring", "shuffled", "local"} <= {line.split()[0] for line in text.splitlines() if line.strip()}
    assert len(numbers("clustering", text)) == 3
    shares = {
        way: [float(share) for share in re.search(rf"trained: {way} +share of ceiling: \[([^]]*)\]", text)[1].split()]
        for way in ("none", "types", "targets", "all")
    }
    assert min(go for go, _ in shares.values()) > 0.95
    assert shares["none"][1] < 0.8 < shares["types"][1] and min(shares["targets"][1], shares["all"][1]) > 0.95
    assert (tmp_path / "worm.svg").stat().st_size > 10000


def test_transmitters_of_the_worm_are_those_of_cect():
    pytest.importorskip("cect")
    pytest.importorskip("pandas")
    from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

    read = lambda name: load_connectome_dataset_file(get_cache_filename(name))
    cook, unified = read("Cook2019HermReader"), read("OpenWormUnifiedReader")
    assert sorted(cook.nodes) == sorted(unified.nodes) and list(cook.nodes) != list(unified.nodes)
    gaba = dict(zip(unified.nodes, unified.connections["GABA"].sum(axis=1)))
    assert all(gaba[name] > 0 for name in ("RIS", "AVL", "DVB", *(f"DD{i}" for i in range(1, 7))))
    assert gaba["AVAL"] == 0


def test_the_rows_of_cect_are_sources():
    pytest.importorskip("cect")
    pytest.importorskip("pandas")
    from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

    worm = load_connectome_dataset_file(get_cache_filename("Cook2019HermReader"))
    matrix, place = worm.connections["Generic_CS"], worm.nodes.index
    assert len(worm.nodes) == 473
    assert matrix[place("AVAL"), place("VA8")] == 7 and matrix[place("VA8"), place("AVAL")] == 0
    muscles = [i for i, cell in enumerate(worm.nodes) if cell.startswith("MDL")]
    assert matrix[muscles].sum() == 0 < matrix[:, muscles].sum()


def test_slurm(tmp_path):
    text = output(tmp_path, "slurm.sh")
    assert "#SBATCH --array=1-6" in text and "study run" in text
