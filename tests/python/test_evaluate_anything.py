"""lmrnn.evaluate accepts networks, runs, paths and any callable, and scores all of them on the same trials."""

import numpy as np
import pytest

import lmrnn

BATTERY = lmrnn.Battery("go,dlygo,dm1")
OPTIONS = {"seed": 3, "n_trials": 300, "threads": 1}


@pytest.fixture(scope="module")
def network():
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=6, cols=6, radius=2), n_channels=BATTERY.n_channels,
        n_classes=BATTERY.n_classes, n_rules=BATTERY.n_rules,
    )  # fmt: skip
    network.initialise("fan-in", seed=1)
    return network


@pytest.fixture(scope="module")
def expected(network):
    return lmrnn.evaluate(network, BATTERY, **OPTIONS)


def test_functions_get_the_trials_that_networks_get(network, expected):
    seen = []

    def with_rules(inputs, rules):
        seen.append((inputs.shape, inputs.dtype, rules.dtype))
        return network.forward(inputs, rules)[1]

    def with_dense_rules(inputs):
        n = BATTERY.n_channels
        rules = np.argmax(inputs[..., n:], axis=-1)[..., None]
        assert (inputs[..., n:].sum(axis=-1) == 1).all()
        return network.forward(np.ascontiguousarray(inputs[..., :n]), rules)[1]

    def batch_first(inputs, rules):
        return with_rules(inputs.swapaxes(0, 1), rules.swapaxes(0, 1)).swapaxes(0, 1)

    assert lmrnn.evaluate(with_rules, BATTERY, **OPTIONS) == expected
    assert lmrnn.evaluate(with_dense_rules, BATTERY, **OPTIONS) == expected
    assert lmrnn.evaluate(batch_first, BATTERY, batch_first=True, **OPTIONS) == expected
    assert seen[0][1:] == (np.float32, np.int32) and seen[0][0][1:] == (256, BATTERY.n_channels)
    anonymous = lambda x, y: with_rules(x, y)  # noqa: E731
    assert lmrnn.evaluate(anonymous, BATTERY, rules="index", **OPTIONS) == expected
    two = lmrnn.evaluate(with_rules, BATTERY, tasks=["dm1", "go"], **OPTIONS)
    assert [score.name for score in two] == ["dm1", "go"] and two["go"] == expected["go"]


def test_an_oracle_reaches_every_ceiling_and_a_constant_none():
    # Without much noise, the rings can be read directly in "go": the direction of the input is the answer.
    battery = lmrnn.Battery("go")

    def fixate(inputs):
        logits = np.zeros((*inputs.shape[:2], battery.n_classes))
        logits[..., 0] = 1
        return logits

    assert lmrnn.evaluate(fixate, battery, **OPTIONS).mean_accuracy == 0

    def read(inputs):
        n_ring = battery.n_classes - 1
        rings = inputs[..., 1 : 1 + n_ring] + inputs[..., 1 + n_ring : 1 + 2 * n_ring]
        logits = np.concatenate([inputs[..., :1] * 10, rings], axis=-1)
        return logits

    assert lmrnn.evaluate(read, battery, **OPTIONS)["go"].decision_accuracy > 0.9


def test_modules_of_pytorch(network, expected):
    torch = pytest.importorskip("torch")
    import lmrnn.torch

    module = lmrnn.torch.LMRNN(network)
    assert lmrnn.evaluate(module, BATTERY, **OPTIONS) == expected
    assert lmrnn.evaluate(lambda x: module(x)[1], BATTERY, **OPTIONS) == expected

    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.dropout = module, torch.nn.Dropout(0.9)

        def forward(self, inputs, rules):
            assert not torch.is_grad_enabled()
            return self.dropout(self.inner(inputs, rules)[1])

    wrapped = Wrapped()
    assert lmrnn.evaluate(wrapped, BATTERY, **OPTIONS) == expected
    assert wrapped.training and wrapped.dropout.training
    gru, readout = torch.nn.GRU(BATTERY.n_channels + BATTERY.n_rules, 8), torch.nn.Linear(8, 17)
    scores = lmrnn.evaluate(lambda x: readout(gru(x)[0]), BATTERY, **OPTIONS)
    assert [s.ceiling for s in scores] == [s.ceiling for s in expected]
    with pytest.raises(lmrnn.UsageError, match=r"returned a tuple of 2; return the logits alone"):
        lmrnn.evaluate(gru, BATTERY, **OPTIONS)


def test_modules_of_pytorch_of_any_dtype_and_with_a_forward_of_their_own(network, expected):
    torch = pytest.importorskip("torch")
    import lmrnn.torch

    class Readout(torch.nn.Module):
        """Sums the inputs up; small numbers that bfloat16 holds too."""

        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(BATTERY.n_channels + BATTERY.n_rules, BATTERY.n_classes)
            torch.nn.init.zeros_(self.linear.weight)
            self.linear.bias.data = torch.arange(BATTERY.n_classes) / 32

        def forward(self, inputs):
            return self.linear(inputs)

    scores = lmrnn.evaluate(Readout(), BATTERY, **OPTIONS)
    for dtype in (torch.float64, torch.bfloat16):
        assert lmrnn.evaluate(Readout().to(dtype), BATTERY, **OPTIONS) == scores

    class Silent(lmrnn.torch.LMRNN):
        def forward(self, inputs, rules):
            return 0 * super().forward(inputs, rules)[1]

    silent = lmrnn.evaluate(Silent(network), BATTERY, **OPTIONS)
    assert silent == lmrnn.evaluate(lambda x: np.zeros((*x.shape[:2], 17)), BATTERY, **OPTIONS)
    assert silent != expected


def test_runs_and_paths_bring_battery_and_seed(small_run, network):
    expected = lmrnn.evaluate(
        small_run.network(), small_run.battery, seed=small_run.seed, n_trials=50
    )
    for model in (small_run, small_run.directory, str(small_run.directory), small_run.network()):
        assert lmrnn.evaluate(model, n_trials=50) == expected
    assert small_run.evaluate(n_trials=50) == expected
    with pytest.raises(lmrnn.UsageError, match="does not name its battery"):
        lmrnn.evaluate(network, seed=0)
    with pytest.raises(lmrnn.UsageError, match="give one, e.g. seed=0"):
        lmrnn.evaluate(lambda x: x, BATTERY)


def other(small_run, **changes):
    config = small_run.battery.config
    return lmrnn.Battery(**(config | changes))


def test_a_battery_with_other_rules_is_refused(small_run):
    names = ["go", "dlygointr", "antiseqr", "dm1", "dmc"]
    assert small_run.battery.names == names
    of = "rule input {} of the network is for {}, that of the battery for {}".format
    for tasks, message in (
        ([*names[:3], "dm2", "dmc"], of(3, "dm1", "dm2")),
        (names[:-1], of(4, "dmc", "nothing")),
        ([*names, "dnmc"], of(5, "nothing", "dnmc")),
    ):
        battery = other(small_run, tasks=",".join(tasks))
        for model in (small_run, small_run.directory, small_run.network()):
            with pytest.raises(lmrnn.UsageError, match=f"evaluate: {message}; give .* choose tasks"):
                lmrnn.evaluate(model, battery, seed=1)
            with pytest.raises(lmrnn.UsageError, match=f"psychometric: {message}"):
                lmrnn.psychometric(model, battery, seed=1)
            with pytest.raises(lmrnn.UsageError, match=f"fixed_points: {message}"):
                lmrnn.fixed_points(model, task=battery[0], seed=1)
    with pytest.raises(lmrnn.UsageError, match="trained with steps of 100 ms, the battery has 20; make"):
        lmrnn.evaluate(small_run, other(small_run, dt=20))
    with pytest.raises(lmrnn.UsageError, match="trained with rule='task', the battery has 'composed'; give"):
        lmrnn.evaluate(small_run, other(small_run, rule="composed"))
    # These may differ, because rules and steps are the same.
    lmrnn.evaluate(small_run, other(small_run, semantics="published", seed=1, input_noise=0), n_trials=5)


BAD = {
    "object": (3, "an object of type int cannot be evaluated; give"),
    "shape": (lambda x: x, r"logits of shape \(\d+, 256, 36\) .* the battery needs \(\d+, 256, 17\)"),
    "axes": (lambda x: x[0], r"array of shape \(256, 36\); logits are"),
    "NaN": (lambda x: np.full((*x.shape[:2], 17), np.nan), "NaN at step 0, row 0, class 0"),
    "text": (lambda x: "go", "returned str of"),
    "masked": (lambda x: np.ma.masked_less(np.zeros((*x.shape[:2], 17)), 1), "logits that the model returned are masked"),
    "nowhere": ("no/such/path", "no/such/path: does not exist"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_evaluated_says_why(name):
    model, message = BAD[name]
    with pytest.raises(lmrnn.UsageError, match=message):
        lmrnn.evaluate(model, BATTERY, **OPTIONS)


def test_errors_of_the_function_are_its_own():
    def broken(inputs):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lmrnn.evaluate(broken, BATTERY, **OPTIONS)
    with pytest.raises(lmrnn.UsageError, match="rules='both'; index or dense"):
        lmrnn.evaluate(broken, BATTERY, rules="both", **OPTIONS)
    with pytest.raises(lmrnn.UsageError, match="recurrent_noise is for lmrnn's networks"):
        lmrnn.evaluate(broken, BATTERY, recurrent_noise=0.1, **OPTIONS)


def test_evaluations_are_tables(expected):
    assert [score.name for score in expected] == ["go", "dlygo", "dm1"] and len(expected) == 3
    assert expected["dlygo"] == expected[1] == expected[-2]
    with pytest.raises(KeyError, match="no task .*nope.* go, dlygo, dm1"):
        expected["nope"]
    with pytest.raises(IndexError):
        expected[3]
    lines = repr(expected).splitlines()
    assert lines[0].startswith("Evaluation of 3 tasks: mean accuracy 0.") and "ceiling" in lines[1]
    assert [line.split()[0] for line in lines[2:5]] == ["go", "dlygo", "dm1"]
    assert len({len(line) for line in lines[1:5]}) == 1
    assert "; ".join(lines[5:]) == lmrnn.solved_definition
    assert expected._repr_html_().count("<tr>") == 4
    pandas = pytest.importorskip("pandas")
    frame = expected.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and list(frame.index) == ["go", "dlygo", "dm1"]
    assert frame.loc["go", "decision_accuracy"] == expected["go"].decision_accuracy
    assert frame.loc["dm1", "ceiling"] == expected["dm1"].ceiling.decision_accuracy.value


@pytest.mark.parametrize("dt", [100, 150, 200])
def test_a_network_that_never_answers_is_never_right(dt):
    def never(inputs):
        logits = np.zeros((*inputs.shape[:2], 17), np.float32)
        logits[..., 0] = 1
        return logits

    for score in lmrnn.evaluate(never, lmrnn.Battery("dm1,multidlydm,go", dt=dt), seed=1, n_trials=50):
        assert (score.decision_accuracy, score.trial_accuracy) == (0, 0), score.name
        assert score.ceiling.trial_accuracy.value > 0.5
