"""Fixed points, psychometric curves and lesions of any model: for lmrnn's networks the same as their analyses find, for
others compared with known values."""

import copy
import pickle

import numpy as np
import pytest

import lmrnn

BATTERY = lmrnn.Battery("dlygo,dm1,dms")


@pytest.fixture(scope="module")
def network():
    network = lmrnn.Network(
        lmrnn.Mask.make("local", rows=5, cols=5, radius=2), n_channels=BATTERY.n_channels,
        n_classes=BATTERY.n_classes, n_rules=BATTERY.n_rules, alpha=0.5, activation="tanh",
    )  # fmt: skip
    network.initialise("spectral-radius", seed=1)
    return network


# A GRU with known fixed points: gates at 1/2 and n = tanh(g h), unit by unit, so its fixed points are where h = tanh(g
# h). For g = 1.5, these are 0 and +-0.8586; the eigenvalues are (1 + g (1 - h^2)) / 2.
GAIN, REST = 1.5, 0.858559


def known(n_units=2):
    values = np.array([-REST, 0, REST])
    points = np.stack(np.meshgrid(*[values] * n_units), axis=-1).reshape(-1, n_units)
    eigenvalues = (1 + GAIN * (1 - points**2)) / 2
    names = {0: "attractor", n_units: "repeller"}
    stability = [names.get(n, "saddle") for n in (eigenvalues > 1).sum(axis=1)]
    return points, -np.sort(-eigenvalues, axis=1), stability


def starts(n=200):
    return np.random.default_rng(0).uniform(-1.2, 1.2, (n, 2))


def is_the_known(found, atol=1e-5):
    points, eigenvalues, stability = known()
    assert len(found) == len(points), found
    order = [int(np.argmin(np.linalg.norm(found.states - p, axis=1))) for p in points]
    assert sorted(order) == list(range(len(points)))
    np.testing.assert_allclose(found.states[order], points, atol=atol)
    np.testing.assert_allclose(found.eigenvalues[order].real, eigenvalues, atol=20 * atol)
    assert found.table["stability"][order].tolist() == stability
    assert set(found.table["kind"]) == {"fixed"}
    assert found.table["starts"].sum() == len(found.starts)


def numpy_cell(inputs, states):
    return (np.tanh(GAIN * states) + states) / 2


def gru(torch, kind):
    made = kind(3, 2)
    with torch.no_grad():
        for weight in made.parameters():
            weight.zero_()
        names = dict(made.named_parameters())
        recurrent = next(w for name, w in names.items() if name.startswith("weight_hh"))
        recurrent[4:] = 2 * GAIN * torch.eye(2)  # times the reset gate, 1/2
    return made


def test_points_of_a_function_in_numpy():
    is_the_known(lmrnn.fixed_points(numpy_cell, np.zeros(3), starts()))

    def jacobian(inputs, states):
        slope = (GAIN * (1 - np.tanh(GAIN * states) ** 2) + 1) / 2
        return slope[:, :, None] * np.eye(states.shape[1])

    is_the_known(lmrnn.fixed_points(numpy_cell, np.zeros(3), starts(), jacobian=jacobian), atol=1e-6)
    single = lambda x, h: numpy_cell(x, h).astype(np.float32)  # noqa: E731
    is_the_known(lmrnn.fixed_points(single, np.zeros(3), starts()), atol=1e-4)


def test_starts_are_numbers():
    masked = np.ma.masked_less(starts(), 0)
    with pytest.raises(lmrnn.UsageError, match="some of the states are masked; leave these starts out"):
        lmrnn.fixed_points(numpy_cell, np.zeros(3), masked)
    with pytest.raises(lmrnn.UsageError, match="states are complex; give real numbers"):
        lmrnn.fixed_points(numpy_cell, np.zeros(3), starts() + 1j)
    torch = pytest.importorskip("torch")
    half = torch.tensor(starts()).bfloat16()
    is_the_known(lmrnn.fixed_points(numpy_cell, torch.zeros(3).bfloat16(), half))


@pytest.mark.parametrize("kind", ["GRUCell", "GRU", "function", "float32 function"])
def test_points_of_a_gru_in_pytorch(kind):
    torch = pytest.importorskip("torch")
    cell = gru(torch, torch.nn.GRU if kind == "GRU" else torch.nn.GRUCell)
    model = cell
    if kind == "function":
        model = lambda x, h: (torch.tanh(GAIN * h) + h) / 2  # noqa: E731
    if kind == "float32 function":
        model = lambda x, h: cell(x, h)  # noqa: E731
    found = lmrnn.fixed_points(model, torch.zeros(3), starts())
    is_the_known(found, atol=1e-4 if kind == "float32 function" else 1e-5)
    assert next(cell.parameters()).dtype == torch.float32 and cell.training


def test_points_are_where_a_root_finder_finds_them():
    torch, optimize = pytest.importorskip("torch"), pytest.importorskip("scipy.optimize")
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(3, 3)
    with torch.no_grad():
        cell.weight_hh *= 0.5
        cell.weight_hh[6:] += 4 * torch.eye(3)
    inputs = np.array([0.3, -0.2, 0.1])
    states = np.random.default_rng(1).uniform(-1, 1, (400, 3))
    found = lmrnn.fixed_points(cell, inputs, states, slow=1e-8)
    exact = copy.deepcopy(cell).double()

    def velocity(h):
        with torch.no_grad():
            return exact(torch.from_numpy(inputs[None]), torch.from_numpy(h[None]))[0].numpy() - h

    roots = [optimize.root(velocity, h, tol=1e-13).x for h in states]
    # Far out, the update gate is exactly 1 in floating point, and everything is a root.
    roots = [r for r in roots if np.abs(r).max() <= 1 and np.linalg.norm(velocity(r)) < 1e-9]
    different = []
    for root in roots:
        if all(np.linalg.norm(root - other) > 1e-4 for other in different):
            different.append(root)
    assert len(different) == len(found) > 3
    apart = np.linalg.norm(np.array(different)[:, None] - found.states, axis=-1)
    assert apart.min(axis=0).max() < 1e-7 and apart.min(axis=1).max() < 1e-7
    for state, values in zip(found.states, found.eigenvalues):
        assert np.linalg.norm(velocity(state)) < 1e-9
        h, x = torch.from_numpy(state[None]), torch.from_numpy(inputs[None])
        jacobian = torch.autograd.functional.jacobian(lambda h: exact(x, h), h)[0, :, 0]
        expected = np.linalg.eigvals(jacobian.numpy())
        np.testing.assert_allclose(np.sort(np.abs(values)), np.sort(np.abs(expected)), atol=1e-6)


def test_points_of_jax_and_flax():
    jax = pytest.importorskip("jax")
    nnx = pytest.importorskip("flax.nnx")
    jnp = jax.numpy
    plain = jax.jit(lambda x, h: (jnp.tanh(GAIN * h) + h) / 2)
    is_the_known(lmrnn.fixed_points(plain, np.zeros(3), starts()))
    # An operation that NumPy arrays do not have shows that it is a function of JAX arrays.
    at = lambda x, h: h.at[:, :].set((jnp.tanh(GAIN * h) + h) / 2)  # noqa: E731
    is_the_known(lmrnn.fixed_points(at, np.zeros(3), starts()))
    single = lambda x, h: plain(x.astype(jnp.float32), h.astype(jnp.float32))  # noqa: E731
    is_the_known(lmrnn.fixed_points(single, np.zeros(3), starts(), framework="jax"), atol=1e-4)
    cell = nnx.GRUCell(3, 5, rngs=nnx.Rngs(0))
    found = lmrnn.fixed_points(cell, np.ones(3), np.zeros((1, 5)))
    assert len(found) == 1 and found.table["kind"][0] == "fixed"
    after = cell(jnp.asarray(found.states, jnp.float32), jnp.ones((1, 3)))[0]
    np.testing.assert_allclose(after, found.states, atol=1e-5)


def test_points_of_networks_are_those_of_the_analysis(small_run, tmp_path):
    task = small_run.battery["dlygointr"]
    analysis = lmrnn.analyze(
        small_run, "fixed-points", tasks="dlygointr", starts=16, out=tmp_path / "points", threads=1
    )
    theirs = analysis.table("fixed_points")
    ours = lmrnn.fixed_points(small_run, task=task, seed=small_run.seed, starts=16)
    assert len(ours) == theirs.n_rows
    for name in ("kind", "stability"):
        assert ours.table[name].tolist() == theirs[name].tolist(), name
    with analysis.recording("fixed_points") as file:
        np.testing.assert_allclose(ours.states, file["dlygointr/states"][:], atol=1e-4 * ours.scale)
    for name in ("norm", "eigenvalue_real"):
        np.testing.assert_allclose(ours.table[name], theirs[name], atol=1e-4)
    finite = np.isfinite(theirs["time_constant_ms"])
    np.testing.assert_allclose(
        ours.table["time_constant"][finite], theirs["time_constant_ms"][finite] / task.battery.dt, rtol=1e-3
    )


def same_points(a, b, atol=1e-5):
    assert len(a) == len(b) and a.table["starts"].tolist() == b.table["starts"].tolist()
    np.testing.assert_allclose(a.states, b.states, atol=atol)
    np.testing.assert_allclose(np.abs(a.eigenvalues), np.abs(b.eigenvalues), atol=10 * atol)


def test_points_of_an_lmrnn_by_every_way(network):
    lt = pytest.importorskip("lmrnn.torch")
    lj = pytest.importorskip("lmrnn.jax")
    options = {"task": BATTERY["dlygo"], "seed": 2, "starts": 8}
    expected = lmrnn.fixed_points(network, **options)
    assert 1 <= len(expected) <= 8 and expected.inputs.shape[1] == BATTERY.n_channels + BATTERY.n_rules
    module = lt.LMRNN(network)
    layer = lj.Layer(network)
    jax_cell = layer.cell(layer.weights())
    for model in (module, module.cell(), jax_cell, lj.LMRNN(network)):
        same_points(lmrnn.fixed_points(model, **options), expected, atol=1e-12)
    # As functions, they are unknown to lmrnn, and their frameworks differentiate them.
    cell = module.cell()
    n_units = {"n_units": network.n_units}
    same_points(lmrnn.fixed_points(lambda x, h: cell(x, h), **n_units, **options), expected, atol=1e-4)
    same_points(lmrnn.fixed_points(lambda x, h: jax_cell(x, h), **n_units, **options), expected, atol=1e-4)
    # A cell of one rule gets only the channels.
    rule = BATTERY["dlygo"].trial(seed=0).rule[0]
    of_rule = lmrnn.fixed_points(module.cell(rule), **options)
    same_points(of_rule, expected, atol=1e-9)
    assert of_rule.inputs.shape[1] == BATTERY.n_channels
    same_points(lmrnn.fixed_points(layer.cell(layer.weights(), rule), **options), expected, atol=1e-9)
    through_engine = lambda x, h: module.cell(rule)(x[None], h[None])[1][0]  # noqa: E731
    same_points(
        lmrnn.fixed_points(through_engine, of_rule.inputs[:1], expected.starts[:1], alpha=0.5),
        lmrnn.fixed_points(network, of_rule.inputs[:1], expected.starts[:1], rule=rule), atol=1e-4,
    )  # fmt: skip


def test_the_cell_of_jax_is_the_layers_step(network):
    lj = pytest.importorskip("lmrnn.jax")
    import jax

    layer = lj.Layer(network)
    weights = layer.weights()
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((3, 4, BATTERY.n_channels)).astype(np.float32)
    rules = np.full((3, 4, 1), 1, np.int32)
    states, _ = layer(weights, inputs, rules)
    cell = layer.cell(weights, rule=1)
    np.testing.assert_allclose(cell(inputs[2], states[1]), states[2], atol=1e-6)
    np.testing.assert_allclose(jax.vmap(cell)(inputs[2], states[1]), states[2], atol=1e-6)
    assert jax.jacfwd(lambda h: cell(inputs[2, 0], h))(states[1, 0]).shape == (25, 25)
    with pytest.raises(ValueError, match="rule 9; the layer has 3"):
        layer.cell(weights, rule=9)
    with pytest.raises(ValueError, match=r"inputs have 5 channels; expected 33"):
        cell(inputs[0, :, :5], states[0])


def test_what_fixed_point_finder_asks_of_a_cell(network):
    """The calls of FixedPointFinderTorch (github.com/mattgolub/fixed-point-finder), which is on no
    package index: frozen parameters, Adam on q, and the Jacobian of a sum over rows."""
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    expected = lmrnn.fixed_points(network, np.zeros(BATTERY.n_channels), np.zeros((1, 25)), rule=0)
    for batch_first in (False, True):
        rnn = lt.LMRNN(network, batch_first=batch_first).cell(rule=0)
        assert next(rnn.parameters()).device.type == "cpu"
        time = 1 if rnn.batch_first else 0
        for parameter in rnn.parameters():
            parameter.requires_grad = False
        inputs = torch.zeros(6, BATTERY.n_channels).unsqueeze(time)
        x = (0.1 * torch.randn(6, 25, generator=torch.Generator().manual_seed(0))).unsqueeze(0)
        x.requires_grad = True
        optimizer = torch.optim.Adam([x], lr=0.05)
        for _ in range(400):
            optimizer.zero_grad()
            _, after = rnn(inputs, x)
            q = 0.5 * torch.sum(torch.square(torch.squeeze(x - after)), axis=1)
            q.mean().backward()
            optimizer.step()
        np.testing.assert_allclose(x[0].detach().numpy(), expected.states.repeat(6, 0), atol=1e-2)
        at = torch.from_numpy(expected.states).float().repeat(6, 1)
        step = lambda h: rnn(inputs, h.unsqueeze(0))[1].squeeze(0)  # noqa: E731
        jacobian = torch.autograd.functional.jacobian(lambda h: step(h).sum(axis=0), at).permute(1, 0, 2)
        values = np.linalg.eigvals(jacobian[3].double().numpy())
        np.testing.assert_allclose(np.abs(values).max(), np.abs(expected.eigenvalues[0, 0]), atol=1e-4)


def square(inputs, states):
    return states**2


BAD = {
    "no starts": (dict(cell=square), "where do searches begin"),
    "both": (dict(cell=square, inputs=[0], states=[[0]], task=BATTERY["dm1"]), "not both"),
    "object": (dict(cell=3, inputs=[0], states=[[0]]), "an object of type int is not a cell"),
    "logits": (dict(cell=lambda x: x, inputs=[0], states=[[0]]), "a function from inputs to logits hides its"),
    "shape": (dict(cell=lambda x, h: h[:, :1], inputs=[0], states=[[0, 0]]), r"shape \(1, 1\) for states \(1, 2\)"),
    "tuple": (dict(cell=lambda x, h: (h, h), inputs=[0], states=[[0]]), "tuple of 2; return the next states"),
    "text": (dict(cell=lambda x, h: h.astype(str), inputs=[0], states=[[0]]), "states are real numbers"),
    "infinite": (dict(cell=lambda x, h: h / 0, inputs=[0], states=[[1.0]]), "returned inf at row 0, unit 0"),
    "NaN start": (dict(cell=square, inputs=[0], states=[[np.nan]]), "states hold nan"),
    "rows": (dict(cell=square, inputs=[[0], [0]], states=[[0]] * 3), r"inputs of shape \(2, 1\) for 3 starts"),
    "empty": (dict(cell=square, inputs=[0], states=np.zeros((0, 4))), r"states of shape \(0, 4\)"),
    "noise": (
        dict(cell=lambda x, h: h + np.random.default_rng().normal(size=h.shape), inputs=[0], states=[[0]]),
        "turn its noise and dropout off",
    ),
    "batch norm": (
        dict(cell=lambda x, h: h - h.mean(axis=0), inputs=[0], states=[[0.0], [5.0]]),
        "first row depends on the other rows",
    ),
    "rule": (dict(cell=square, inputs=[0], states=[[0]], rule=1), "rule= is for lmrnn's networks"),
    "framework": (dict(cell=square, inputs=[0], states=[[0]], framework="tf"), "'tf'; numpy, torch or jax"),
    "jacobian": (
        dict(cell=square, inputs=[0], states=[[1.0]], jacobian=lambda x, h: h),
        r"jacobian returned an array of shape \(1, 1\)",
    ),
    "seed": (dict(cell=square, task=BATTERY["dm1"], n_units=3), "trials are random and need a seed"),
    "units": (dict(cell=square, task=BATTERY["dm1"], seed=0), "give n_units="),
    "period": (
        dict(cell=square, task=BATTERY["dm1"], seed=0, n_units=3, period="delay"),
        "no period 'delay'; they have fixation, stimulus, decision",
    ),
    "task": (dict(cell=square, task="dm1", seed=0), "task is a str; give a task of a battery"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_has_no_points_says_why(name):
    arguments, message = BAD[name]
    with pytest.raises(lmrnn.UsageError, match=f"fixed_points: .*{message}"):
        lmrnn.fixed_points(**arguments)


def test_modules_without_points_say_why(network):
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    lj = pytest.importorskip("lmrnn.jax")
    nn, x, h = torch.nn, np.zeros(3), np.zeros((1, 4))
    cases = [
        (nn.LSTMCell(3, 4), r"state of an LSTMCell is a pair \(h, c\)"),
        (nn.LSTM(3, 4), r"state of an LSTM is a pair"),
        (nn.GRU(3, 4, num_layers=2), "GRU has 2 layers; a state is that of one layer"),
        (nn.RNN(3, 4, bidirectional=True), "1 layers in two directions"),
        (nn.GRUCell(3, 5), "states have 4 units, the cell 5"),
        (nn.GRUCell(2, 4), "inputs have 3 channels, the cell takes 2"),
        (nn.Linear(3, 4), "hides its states"),
        (network, "states have 4 units, the cell 25"),
        (lj.Layer(network), "Layer holds no weights; give layer.to_network"),
        (lambda x, h: torch.tanh(h).detach(), "does not depend on its state by operations"),
    ]
    for model, message in cases:
        with pytest.raises(lmrnn.UsageError, match=message):
            lmrnn.fixed_points(model, x, h)
    with pytest.raises(lmrnn.UsageError, match="rule 7; the network has 3"):
        lmrnn.fixed_points(network, np.zeros(33), np.zeros((1, 25)), rule=7)
    with pytest.raises(lmrnn.UsageError, match="give a task of its own battery"):
        lmrnn.fixed_points(network, task=lmrnn.Battery("go")["go"], seed=0)
    # The remedy for an LSTM, as in its message.
    lstm = nn.LSTMCell(3, 4)
    joined = lambda x, s: torch.cat(lstm(x, s.chunk(2, dim=-1)), dim=-1)  # noqa: E731
    found = lmrnn.fixed_points(joined, x, np.zeros((1, 8)))
    assert found.table["kind"].tolist() == ["fixed"]
    with pytest.raises(ZeroDivisionError):
        lmrnn.fixed_points(lambda x, h: 1 / 0, x, h)


def test_points_show_themselves():
    found = lmrnn.fixed_points(numpy_cell, np.zeros(3), starts(20))
    assert repr(found).startswith(f"FixedPoints: {len(found)} fixed and 0 slow, from 20 starts\npoint")
    assert "<table" in found._repr_html_()
    nothing = lmrnn.fixed_points(lambda x, h: h + 1, np.zeros(3), starts(5))
    assert len(nothing) == 0 and nothing.eigenvalues.shape == (0, 2) and "0 fixed" in repr(nothing)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from lmrnn import plot

    left, right = plot.fixed_points(found, recording=np.random.default_rng(0).uniform(-1, 1, (9, 4, 2)))
    assert left.get_title(loc="left") == f"{len(found)} fixed and slow points, trials in grey"
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert any(label.startswith("attractor (") for label in labels)
    plot.fixed_points(nothing)
    with pytest.raises(lmrnn.UsageError, match="leave task out"):
        plot.fixed_points(found, "go")


# Psychometric curves -------------------------------------------------------------------------------


def same_tables(a, b):
    assert list(a) == list(b) and a.n_rows == b.n_rows > 0
    for name in a:
        if a[name].dtype.kind == "f":
            np.testing.assert_allclose(a[name], b[name], rtol=1e-8, err_msg=name)
        else:
            assert a[name].tolist() == b[name].tolist(), name


def test_curves_of_a_function_are_those_of_its_network(network, small_run):
    options = {"seed": 4, "n_trials": 40, "threads": 1}
    expected = lmrnn.psychometric(network, BATTERY, **options)
    assert set(expected["axis"]) == {"evidence", "delay", "direction"}
    assert len(set(expected["accuracy"])) >= 5
    function = lambda x, rules: network.forward(x, rules)[1]  # noqa: E731
    same_tables(lmrnn.psychometric(function, BATTERY, **options), expected)
    some = lmrnn.psychometric(function, BATTERY, tasks=["dm1"], **options)
    same_tables(some, expected.where(expected["task"] == "dm1"))
    same_tables(lmrnn.psychometric(network, BATTERY, tasks="dm1,go", seed=4, n_trials=40, threads=2),
                expected.where(np.isin(expected["task"], ["dm1"])))  # fmt: skip
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    module = lt.LMRNN(network)
    same_tables(lmrnn.psychometric(module, BATTERY, **options), expected)
    dense = lambda x: module(x)[1]  # noqa: E731
    same_tables(lmrnn.psychometric(dense, BATTERY, **options), expected)
    assert torch.is_grad_enabled()
    # The same for those of the analysis.
    theirs = lmrnn.analyze(small_run, "psychometric", trials=40).table("psychometric")
    same_tables(lmrnn.psychometric(small_run, n_trials=40), theirs)


def test_curves_are_drawn_and_fitted(network):
    pytest.importorskip("matplotlib").use("agg")
    from lmrnn import plot

    n_ring = BATTERY.n_ring

    def stronger(inputs):
        logits = np.zeros((*inputs.shape[:2], BATTERY.n_classes), np.float32)
        logits[..., 1:] = inputs[..., 1 : 1 + n_ring]
        return logits - logits.mean() + np.cumsum(logits, axis=0)

    curves = lmrnn.psychometric(stronger, BATTERY, seed=1, tasks=["dm1"])
    assert len(plot.psychometric(curves)) == 1
    fit = plot.psychometric_fit(curves)
    assert fit["task"].tolist() == ["dm1"] and abs(fit["bias"][0]) < 0.05 and fit["slope"][0] > 0
    with pytest.raises(lmrnn.UsageError, match="no psychometric curve of"):
        plot.psychometric(curves, tasks=["go"])


@pytest.mark.parametrize("task", ["dlydm1", "dlydm1intr", "dlydm1intl", "dlydm1seqr", "dlydm1intrseql"])
def test_choices_are_told_apart_after_int_has_turned_them(task):
    """An observer without mistakes chooses the stronger stimulus at every level of evidence."""
    battery = lmrnn.Battery(task, input_noise=0.0)
    n_ring, sign = battery.n_ring, {"r": 1, "l": -1}
    turn = sign[task[task.index("int") + 3]] if "int" in task else 0
    shift = sign[task[task.index("seq") + 3]] if "seq" in task else 0

    def observer(inputs):
        logits = np.zeros((*inputs.shape[:2], battery.n_classes), np.float32)
        for row in range(inputs.shape[1]):
            ring = inputs[:, row, 1 : 1 + n_ring]
            shown = np.flatnonzero(ring.max(axis=1) > 0.05)
            first, second = ring[shown[0]], ring[shown[-1]]
            direction = (first if first.max() > second.max() else second).argmax()
            delay = shown[-1] - shown[0] + 1 - len(shown)  # steps between the two stimuli; may be 0
            begin = int(np.flatnonzero(inputs[:, row, 0] < 0.5)[0])
            for step in range(begin, len(inputs)):
                logits[step, row, 1 + (direction + turn * delay + shift * (step - begin)) % n_ring] = 1
            logits[:begin, row, 0] = 1
        return logits

    curves = lmrnn.psychometric(observer, battery, seed=1, n_trials=40)
    evidence = curves.where(curves["axis"] == "evidence")
    assert (evidence["accuracy"] == 1).all()
    assert evidence["chose_first"].tolist() == (evidence["x"] > 0).astype(float).tolist()


def test_choices_are_told_apart_where_a_direction_is_class_0():
    """Published ring_wrap: the last direction has the class of fixation."""
    battery = lmrnn.Battery("dm1", semantics={"base": "published"}, seed=1, input_noise=0.0)
    n_ring = battery.n_ring

    def observer(inputs):
        shown = inputs[:, :, 1 : 1 + n_ring].sum(axis=0).argmax(axis=1)
        logits = np.zeros((*inputs.shape[:2], battery.n_classes), np.float32)
        logits[:, np.arange(inputs.shape[1]), (1 + shown) % n_ring] = 1
        return logits

    curves = lmrnn.psychometric(observer, battery, seed=1, n_trials=100)
    evidence = curves.where(curves["axis"] == "evidence")
    clear = np.abs(evidence["x"]) >= 0.16  # below, a stimulus raises its neighbour's channel more where both overlap
    assert evidence["chose_first"][clear].tolist() == (evidence["x"][clear] > 0).astype(float).tolist()


def test_curves_that_cannot_be_say_why(network):
    function = lambda x: np.zeros((*x.shape[:2], 17), np.float32)  # noqa: E731
    cases = [
        (dict(model=3), "psychometric: an object of type int"),
        (dict(model=function, seed=None), "psychometric: trials are random"),
        (dict(model=function, tasks=["go"]), "psychometric: none of go is in the battery; it has dlygo, dm1, dms"),
        (dict(model=function, tasks=["nope"]), "nope"),
        (dict(model=function, n_trials=0), "trials"),
        (dict(model=lambda x: x), r"psychometric: the model returned logits of shape \(\d+, 500, 36\)"),
        (dict(model=lambda x: (x, x)), "psychometric: the model returned a tuple of 2"),
        (dict(model=function, rules="all"), "psychometric: rules='all'"),
        (dict(model=network, battery=lmrnn.Battery("go")), "give the battery that it was trained on"),
    ]
    for arguments, message in cases:
        with pytest.raises(lmrnn.UsageError, match=message):
            lmrnn.psychometric(**{"battery": BATTERY, "seed": 1, **arguments})
    with pytest.raises(ZeroDivisionError):
        lmrnn.psychometric(lambda x: 1 / 0, BATTERY, seed=1)
    with pytest.raises(lmrnn.UsageError, match="Network is neither a Run nor a path; save a network first"):
        lmrnn.analyze(network, "psychometric")


# Lesions -------------------------------------------------------------------------------------------

UNITS = [0, 7, 12, 13, 24]
CUT = np.random.default_rng(5).random((25, 25)) < 0.3


def test_lesions_of_an_lmrnn_are_those_of_its_network(network):
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    from torch.nn.utils import parametrize

    class Doubled(torch.nn.Module):
        def forward(self, weight):
            return 2 * weight

        def right_inverse(self, weight):
            return weight / 2

    options = {"seed": 3, "n_trials": 100, "threads": 1}
    lesions = ((lmrnn.without_units, UNITS), (lmrnn.without_synapses, CUT), (lmrnn.without_synapses, [3, 5]))
    for lesion, what in lesions:
        expected = lmrnn.evaluate(lesion(network, what), BATTERY, **options)
        module = lt.LMRNN(network, batch_first=True)
        doubled = lt.LMRNN(network)
        parametrize.register_parametrization(doubled, "recurrent", Doubled())
        for model in (module, doubled):
            lesioned = lesion(model, what)
            assert type(lesioned).__name__.endswith("LMRNN")
            assert lmrnn.evaluate(lesioned, BATTERY, **options) == expected
            assert lesioned.to_network() == lesion(network, what) != network
            assert model.to_network() == network, "the original is as it was"
        assert lesion(module, what).batch_first
        x, h = torch.randn(6, 33), torch.randn(6, 25)
        of_cell = lesion(module.cell(1), what)
        assert torch.equal(of_cell(x, h), lesion(module, what).cell(1)(x, h)) and of_cell.rule == 1
        pickle.loads(pickle.dumps(lesioned))


def test_lesions_in_jax_are_those_of_the_network(network):
    lj = pytest.importorskip("lmrnn.jax")
    options = {"seed": 3, "n_trials": 100, "threads": 1}
    layer = lj.Layer(network)
    cell, module = layer.cell(layer.weights(), 1), lj.LMRNN(network)
    for lesion, what in ((lmrnn.without_units, UNITS), (lmrnn.without_synapses, CUT)):
        expected = lmrnn.evaluate(lesion(network, what), BATTERY, **options)
        assert lmrnn.evaluate(lesion(module, what), BATTERY, **options) == expected
        assert lmrnn.evaluate(module, BATTERY, **options) != expected
        lesioned = lesion(cell, what)
        assert lesioned.rule == 1
        assert lmrnn.evaluate(layer.to_network(lesioned.weights), BATTERY, **options) == expected
        with pytest.raises(lmrnn.UsageError, match=r"a Layer holds no weights; give layer.cell\(weights\)"):
            lesion(layer, what)


def test_lesions_of_runs_and_paths(small_run):
    expected = lmrnn.without_units(small_run.network(), UNITS)
    assert lmrnn.without_units(small_run, UNITS) == lmrnn.without_units(small_run.directory, UNITS) == expected


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_lesions_of_torchs_modules(kind):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, keep = torch.randn(9, 4, 3), torch.ones(6)
    keep[[1, 4]] = 0
    rnn = getattr(torch.nn, kind)(3, 6)
    lesioned = lmrnn.without_units(rnn, [1, 4])
    assert type(lesioned) is type(rnn)
    output, last = lesioned(x)
    assert not torch.allclose(rnn(x)[0], output)
    # Step by step, with the silent units' states set to 0 by hand.
    cell = getattr(torch.nn, f"{kind}Cell")(3, 6)
    cell.load_state_dict({name[:-3]: value for name, value in rnn.state_dict().items()})
    of_cell = lmrnn.without_units(cell, np.isin(np.arange(6), [1, 4]))
    h = by_hand = torch.zeros(4, 6)
    if kind == "LSTM":
        h = by_hand = (torch.zeros(4, 6), torch.zeros(4, 6))
    for t in range(9):
        h, by_hand = of_cell(x[t], h), cell(x[t], by_hand)
        if kind == "LSTM":
            by_hand = (by_hand[0] * keep, by_hand[1])
        else:
            by_hand = by_hand * keep
        first = lambda s: s[0] if kind == "LSTM" else s  # noqa: E731
        assert torch.allclose(first(h), first(by_hand), atol=1e-6)
        assert torch.allclose(output[t], first(by_hand), atol=1e-6)
    assert torch.allclose(first(last)[0], output[-1])
    again = pickle.loads(pickle.dumps(lesioned))
    assert torch.equal(again(x)[0], output)
    lengths = torch.nn.utils.rnn.pack_padded_sequence(x, [9, 8, 5, 2])
    packed, _ = torch.nn.utils.rnn.pad_packed_sequence(lesioned(lengths)[0])
    assert torch.allclose(packed[:, 0], output[:, 0]) and (packed[..., [1, 4]] == 0).all()
    cut = np.zeros((6, 6), bool)
    cut[2, 3] = True
    made = lmrnn.without_synapses(rnn, cut)
    changed = (made.weight_hh_l0 != rnn.weight_hh_l0).nonzero().tolist()
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    assert changed == [[6 * gate + 2, 3] for gate in range(gates)]


def test_a_lesioned_rnn_is_the_lesion_of_the_network_that_it_becomes():
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    torch.manual_seed(1)
    rnn, readout = torch.nn.RNN(36, 25, nonlinearity="relu"), torch.nn.Linear(25, 17)
    n_rules = BATTERY.n_rules
    network = lt.export_rnn(rnn, readout, n_rules=n_rules)
    options = {"seed": 3, "n_trials": 100, "threads": 1}
    for lesion, what in ((lmrnn.without_units, UNITS), (lmrnn.without_synapses, CUT)):
        expected = lmrnn.evaluate(lesion(network, what), BATTERY, **options)
        lesioned = lesion(rnn, what)
        found = lmrnn.evaluate(lambda x: readout(lesioned(x)[0]), BATTERY, **options)
        for a, b in zip(found, expected):
            assert abs(a.decision_accuracy - b.decision_accuracy) < 0.01  # rounding may change a few steps


def test_lesions_of_cells_of_any_kind():
    rng = np.random.default_rng(0)
    w, x, h = rng.standard_normal((4, 4)), rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
    keep = np.array([1, 1, 0, 1])
    cell = lambda x, h: np.tanh(x + h @ w.T)  # noqa: E731
    lesioned = lmrnn.without_units(cell, [2])
    np.testing.assert_allclose(lesioned(x, h), cell(x, h * keep) * keep)
    found = lmrnn.fixed_points(lesioned, np.ones(4), np.zeros((1, 4)))
    assert (found.states[:, 2] == 0).all()
    torch = pytest.importorskip("torch")

    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 4)

        def forward(self, inputs, states):
            return torch.tanh(self.linear(states) + inputs)

    own = Own()
    made = lmrnn.without_units(own, [2])
    x, h = torch.from_numpy(x).float(), torch.from_numpy(h).float()
    assert isinstance(made, torch.nn.Module) and made(x, h).requires_grad
    assert torch.equal(made(x, h), own(x, h * torch.tensor(keep)) * torch.tensor(keep))
    jax, nnx = pytest.importorskip("jax"), pytest.importorskip("flax.nnx")
    x, h = jax.numpy.asarray(x.numpy()), jax.numpy.asarray(h.numpy())
    for kind in (nnx.GRUCell, nnx.LSTMCell):
        cell = kind(4, 4, rngs=nnx.Rngs(0))
        made = lmrnn.without_units(cell, [2])
        state = (h, h) if kind is nnx.LSTMCell else h
        carry, output = made(state, x)
        expected, _ = cell(jax.tree.map(lambda s: s * keep, state), x)
        for a, b in zip(jax.tree.leaves(carry), jax.tree.leaves(expected)):
            np.testing.assert_allclose(a, b * keep, atol=1e-6)
        assert (output[:, 2] == 0).all()
        outputs = nnx.RNN(made)(jax.numpy.ones((2, 3, 4)))
        assert outputs.shape == (2, 3, 4) and (outputs[..., 2] == 0).all()


def test_lesions_that_cannot_be_say_why(network):
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    nn = torch.nn
    whole = nn.Sequential(nn.Linear(3, 4))
    cases = [
        (lmrnn.without_units, 3, [0], "an object of type int has no units"),
        (lmrnn.without_units, lambda x: x, [0], r"a function of \(x\) hides its units; give its recurrent part"),
        (lmrnn.without_units, lambda x, rules: x, [0], "hides its units"),
        (lmrnn.without_units, whole, [0], "hides its units"),
        (lmrnn.without_units, nn.GRU(3, 4), [4], r"units: 4 is outside 0 to 3"),
        (lmrnn.without_units, lt.LMRNN(network), [25], r"units: 25 is outside 0 to 24"),
        (lmrnn.without_units, nn.GRU(3, 4), [1, 2, 1], "units: 1 is given 2 times; give each one once"),
        (lmrnn.without_units, nn.GRU(3, 4, num_layers=2), [0], "GRU has 2 layers"),
        (lmrnn.without_units, nn.LSTM(3, 4, proj_size=2), [0], "sends mixtures of units"),
        (lmrnn.without_synapses, nn.GRU(3, 4), [0], r"give a bool array \(target, source\), \(4, 4\)"),
        (lmrnn.without_synapses, lambda x, h: h, [0], "the synapses of a function are out of sight"),
        (lmrnn.without_synapses, lt.LMRNN(network), np.ones((4, 4), bool), r"expected \(25, 25\)"),
    ]
    for lesion, model, what, message in cases:
        with pytest.raises(lmrnn.UsageError, match=message):
            lesion(model, what)
    with pytest.raises(lmrnn.UsageError, match=r"units: 9 is outside 0 to 3"):
        lmrnn.without_units(lambda x, h: h, [9])(np.zeros((1, 4)), np.zeros((1, 4)))
    with pytest.raises(lmrnn.UsageError, match="the state is a tuple; a lesion needs one array"):
        lmrnn.without_units(lambda x, h: h, [0])(np.zeros((1, 4)), (1, 2))


def test_a_mask_of_numbers_is_not_a_list_of_units(network):
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    lj = pytest.importorskip("lmrnn.jax")
    nnx = pytest.importorskip("flax.nnx")
    mask = np.zeros(25, np.uint8)
    mask[[5, 9]] = 1
    cells = [torch.nn.GRUCell(3, 25), nnx.GRUCell(3, 25, rngs=nnx.Rngs(0))]
    for model in (network, lt.LMRNN(network), lt.LMRNN(network).cell(), lj.LMRNN(network), *cells):
        for wrong in (mask, mask.tolist(), torch.from_numpy(mask), mask[:, None], 1 - mask, 0 * mask):
            with pytest.raises(lmrnn.UsageError, match=r"units: 25 numbers .* convert a mask with .astype\(bool\), or"):
                lmrnn.without_units(model, wrong)
        lmrnn.without_units(model, mask.astype(bool))
    assert lmrnn.without_units(network, mask.astype(bool)) == lmrnn.without_units(network, [9, 5])
    synapses = np.zeros(network.recurrent.n_synapses, int)
    with pytest.raises(lmrnn.UsageError, match="synapses: .* numbers that are all 0 or 1"):
        lmrnn.without_synapses(network, synapses)
    # Two units are two numbers.
    small = torch.nn.GRUCell(3, 2)
    lesioned = lmrnn.without_units(small, [1, 0])
    assert not lesioned(torch.ones(1, 3), torch.ones(1, 2)).any()


def test_pairs_of_synapses_are_the_same_for_all_models(network):
    torch = pytest.importorskip("torch")
    lt = pytest.importorskip("lmrnn.torch")
    lj = pytest.importorskip("lmrnn.jax")
    module, gru, flax = lt.LMRNN(network), torch.nn.GRUCell(3, 25), lj.LMRNN(network)
    for kind in (np.uint8, float, np.int64):
        found = [lmrnn.without_synapses(model, CUT.astype(kind)) for model in (network, module, flax)]
        expected = lmrnn.without_synapses(network, CUT)
        assert found[0] == found[1].to_network() == found[2].to_network() == expected
        made = lmrnn.without_synapses(gru, CUT.astype(kind))
        assert torch.equal(made.weight_hh, lmrnn.without_synapses(gru, CUT).weight_hh)
    for model in (network, module, gru, flax):
        for wrong in (network.recurrent_matrix, 2 * CUT, np.where(CUT, np.nan, 0)):
            with pytest.raises(lmrnn.UsageError, match="with other values than 0 and 1; give a bool array"):
                lmrnn.without_synapses(model, wrong)
