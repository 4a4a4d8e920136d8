"""What Python threads may share: bindings release the GIL, so nothing else protects shared objects."""

import threading
import time

import numpy as np
import pytest

import lmrnn

N_THREADS = 8


def on_threads(use, n=N_THREADS):
    """Calls use(i) on n threads that start together; raises the first exception here."""
    beginning = threading.Barrier(n)
    errors = []

    def run(i):
        beginning.wait()
        try:
            use(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[i]) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("mode", ["restart", "continue"])
@pytest.mark.parametrize("trials_per_task", [0, 7])
def test_a_stream_gives_every_thread_what_it_gives_to_one(mode, trials_per_task):
    def make():
        return lmrnn.Stream(lmrnn.Battery("modcog82", seed=1), batch=24, steps=80, seed=3, mode=mode,
                            trials_per_task=trials_per_task)

    n_batches = 8
    alone, shared = make(), make()
    wanted = [alone[batch] for batch in range(n_batches)]

    def use(i):
        for k in range(3 * n_batches):
            batch = (k * (1 + i % 5) + i) % n_batches
            got = shared[batch]
            assert np.array_equal(got.inputs, wanted[batch].inputs), batch
            assert np.array_equal(got.targets, wanted[batch].targets), batch

    on_threads(use)


def make_network(seed):
    network = lmrnn.Network(lmrnn.Mask.make("local", rows=16, cols=16, radius=3), n_channels=9,
                            n_classes=5)
    network.initialise(seed=seed)
    return network


def test_a_network_that_is_changed_while_others_compute_is_one_or_the_other():
    """Never half of each: writers wait for computations, and computations for writers."""
    network, other = make_network(1), make_network(2)
    weights = [{name: array.copy() for name, array in n.weights.items()} for n in (network, other)]
    inputs = np.random.default_rng(0).normal(size=(60, 32, 9)).astype(np.float32)
    wanted = [n.forward(inputs)[1] for n in (network, other)]
    assert not np.array_equal(*wanted)

    still_computing = set(range(1, N_THREADS))

    def write():
        k = 0
        while still_computing:
            k += 1
            network.set_weights(**weights[k % 2])
            time.sleep(1e-4)

    def compute(i):
        try:
            for _ in range(30):
                got = network.forward(inputs)[1]
                assert any(np.array_equal(got, w) for w in wanted)
        finally:
            still_computing.discard(i)

    on_threads(lambda i: write() if i == 0 else compute(i))


def test_set_weights_that_fails_changes_nothing():
    network = make_network(1)
    before = {name: array.copy() for name, array in network.weights.items()}
    with pytest.raises(lmrnn.UsageError, match="readout"):
        network.set_weights(bias=np.ones(256, dtype=np.float32),
                            readout=np.ones((2, 2), dtype=np.float32))
    for name, array in network.weights.items():
        assert np.array_equal(array, before[name]), name


def test_a_file_that_many_threads_save_is_one_of_theirs(tmp_path):
    networks = [make_network(i) for i in range(N_THREADS)]
    path = tmp_path / "network.safetensors"

    def use(i):
        for _ in range(10):
            networks[i].save(path)
            lmrnn.Network.load(path)

    on_threads(use)
    loaded = lmrnn.Network.load(path).weights["recurrent"]
    assert any(np.array_equal(loaded, network.weights["recurrent"]) for network in networks)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_evaluations_of_one_network_at_the_same_time(small_run):
    network, battery = small_run.network(), small_run.battery

    def scores():
        found = lmrnn.evaluate(network, battery, seed=1, n_trials=40, threads=1)
        return [task.decision_accuracy for task in found.tasks]

    wanted = scores()
    on_threads(lambda i: np.testing.assert_array_equal(scores(), wanted))


def test_trainers_on_different_targets_give_the_bits_of_each_alone(small_config, tmp_path):
    targets = lmrnn.build_info()["simd_targets"]
    chosen = [targets[0], targets[-1]]

    def train(target, name):
        trainer = lmrnn.Trainer(small_config | {"simd": target}, tmp_path / name, threads=2)
        return trainer.run().network().weights["recurrent"].copy()

    wanted = [train(target, f"alone{i}") for i, target in enumerate(chosen)]
    if len(targets) > 1:
        assert not np.array_equal(*wanted)
    on_threads(
        lambda i: np.testing.assert_array_equal(train(chosen[i % 2], f"run{i}"), wanted[i % 2]), 4
    )


def test_a_trainer_that_trains_tells_other_threads_where_it_is(small_config, tmp_path):
    trainer = lmrnn.Trainer(small_config, tmp_path / "run")
    ask, asked = threading.Event(), threading.Event()
    answers = {}

    def watch():
        ask.wait()
        answers["step"] = trainer.step
        answers["evaluation"] = trainer.evaluation
        answers["seed"] = trainer.config["seed"]
        for name, call in (("network", trainer.network), ("run", trainer.run)):
            try:
                call()
            except lmrnn.UsageError as error:
                answers[name] = str(error)
        asked.set()

    def progress(p):
        if p.step == 25:
            assert trainer.network().weights["bias"].shape == (36,)  # this thread may
            ask.set()
            assert asked.wait(60)

    thread = threading.Thread(target=watch)
    thread.start()
    trainer.run(progress)
    thread.join()
    assert answers["step"] == 25 and len(answers["evaluation"].tasks) == 5
    assert answers["seed"] == 7
    assert "another thread" in answers["network"] and "running already" in answers["run"]
    assert trainer.step == 40 and trainer.network().weights["bias"].any()
