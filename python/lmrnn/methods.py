"""The methods paragraph of a run."""

from __future__ import annotations

import hashlib
import json
from os import PathLike

from . import _core
from .run import Run

_SEMANTICS = {
    "corrected": "with the corrected semantics of lmrnn",
    "published": "with the semantics of the published code",
}
_ACTIVATION = {"relu": "rectified-linear", "tanh": "hyperbolic-tangent", "softplus": "softplus"}
_EQUATION = {
    "rate": "",
    "voltage": " Their state was a voltage x, x' = (1 - alpha) x + alpha (W f(x) + ...); outputs were read from f(x).",
    "leak-inside": " The leak was inside the nonlinearity, h' = f((1 - alpha) h + alpha (W h + ...)).",
}


_PENALISED = {"recurrent": "recurrent weights", "all": "weights"}


def methods(run: Run | str | PathLike) -> str:
    """A methods text in English, with every number from the configuration and the files of the run. Read and edit it
    before you use it.

    run : a Run, or its directory.

    Raises UsageError if it is no run.
    """
    run = run if isinstance(run, Run) else Run(run)
    c = run.config
    battery, wiring, network = c["battery"], c["wiring"], c["network"]
    optimiser, stream, train = c["optimiser"], c["stream"], c["train"]
    trained = run.network()
    n_units = trained.n_units
    mask = trained.recurrent
    semantics = battery["semantics"]
    switches = {k: v for k, v in semantics.items() if k != "base"}
    sentences = [
        f"Networks were trained with lmrnn {run.provenance['sessions'][0]['version']} "
        "(arXiv:2207.03523 describes the architecture).",
        f"They were trained on data of the authors' own ({run.source}).{_targets(trained.metadata)}"
        if run.source
        else f"The battery consisted of {len(run.battery)} task{'s' * (len(run.battery) != 1)} ({_short(battery['tasks'])}) "
        f"{_SEMANTICS[semantics['base']]}"
        + (f" except {', '.join(f'{k} ({v})' for k, v in switches.items())}" if switches else "")
        + f", with {battery['n_ring']} directions on the ring and a time step of "
        f"{battery['dt']:g} ms.",
        f"{_wiring(wiring)} ({n_units} units, {mask.n_synapses} recurrent synapses, "
        f"density {100 * mask.density:.3g}%).",
        *_areas(c),
        *_types(trained.excitatory, c),
        *_measured(wiring, network["gain"]),
        f"Units were {_ACTIVATION[network['activation']]} with a time constant of {_time_constant(c)}"
        + (
            f" and recurrent noise of standard deviation {network['recurrent_noise']:.3g}"
            if network["recurrent_noise"]
            else ""
        )
        + _initial(c)
        + _EQUATION[network.get("equation", "rate")],
        f"Weights were learned by backpropagation through time over rows of {stream['row_steps']} steps"
        f"{' (the state was set to 0 where a trial began)' if stream['reset_at_trial'] else ''}, "
        f"{_rows(run.config)} per batch, with {_optimiser(optimiser)}, for {_steps(run)} "
        f"(schedule: {c['schedule']['kind']}; loss: {c['loss']['kind']}).",
        *_plastic(wiring),
        *_loss(c["loss"]),
        *_wire(c["loss"], wiring),
        *_average(train),
        *_frequencies(battery["weights"]),
        *_curriculum(c["curriculum"]),
        f"Performance was measured on {_n_trials(run)} {_kind_of_trials(c)} per task; a task "
        "counted as solved if the lower 95% Wilson bound of its accuracy was at least 95%"
        + ("" if run.source else " of the ideal observer's")
        + " at two evaluations in a row, over at least 1000 trials.",
        *_others(c),
        f"The seed was {run.seed}.",
        *_edits(run),
    ]
    return " ".join(sentences)


def _edits(run) -> list[str]:
    """A warning if the configuration, which all other sentences are about, is not what every step was made with."""
    provenance = run.provenance
    edited = [session["first_step"] for session in provenance["sessions"] if session.get("config") == "edited"]
    sentences = []
    if edited and edited[-1] > 0:
        sentences.append(
            f"The configuration was edited when the run was resumed at step {edited[-1]}: this text describes the "
            "edited one, and the steps before were made with other values."
        )
    began = provenance.get("config_sha256")
    if began and began != hashlib.sha256((run.directory / "config.toml").read_bytes()).hexdigest():
        sentences.append(
            "config.toml was edited after the last session of the run, which was not made with all values of this text."
        )
    return sentences


def _kind_of_trials(c) -> str:
    if c["evaluation"]["split"] != "train":
        return "held-out trials"
    return "trials of the split that training drew from"


# Keys and tables that the other sentences cover.
_TOLD = frozenset(
    """
    seed source init_from recipe
    battery.tasks battery.semantics battery.n_ring battery.dt battery.weights
    wiring.kind wiring.rows wiring.cols wiring.areas wiring.projections wiring.between_density
    wiring.between_excitatory wiring.between_length wiring.excitatory wiring.excitatory_placement
    wiring.radius_ee wiring.radius_ei wiring.radius_ie wiring.radius_ii wiring.coordinates_path
    wiring.weights_path wiring.weights_scale wiring.gains wiring.plastic.kind wiring.initial.kind
    network.activation network.tau network.recurrent_noise network.initialisation network.gain network.equation
    network.readout_excitatory network.input.areas network.readout.areas
    stream.row_steps stream.batch stream.reset_at_trial stream.grow_from stream.grow_until
    optimiser.kind optimiser.learning_rate optimiser.recurrent_rate optimiser.input_rate optimiser.readout_rate
    optimiser.in_degree_power optimiser.momentum optimiser.beta1 optimiser.beta2 optimiser.weight_decay
    optimiser.clip
    schedule.kind train.steps train.average curriculum evaluation.trials evaluation.final_trials
    loss.kind loss.weights loss.balance loss.rate_penalty loss.weight_penalty loss.penalised loss.wire_penalty
    loss.wire_power
    """.split()
)
_TOLD_OF_LOCAL = frozenset({"wiring.radius", "wiring.metric", "wiring.boundary"})
# Keys that change no number of the experiment.
_WORKINGS = frozenset({"simd", "network.storage", "train.log_every", "train.recompute", "train.block", "checkpoint",
                       "evaluation.every"})


def _others(c: dict) -> list[str]:
    """A sentence with all other settings that differ from the defaults."""
    told = _TOLD | _WORKINGS | (_TOLD_OF_LOCAL if c["wiring"]["kind"] == "local" else set())
    default = dict(_settings(_core.resolve_config({"seed": 0})))
    listed = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in _settings(c)
        if default.get(key) != value and not any(key == name or key.startswith(f"{name}.") for name in told)
    ]
    return [f"Other settings that were not lmrnn's defaults: {', '.join(listed)}."] if listed else []


def _settings(table: dict, prefix: str = ""):
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _settings(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _initial(c: dict) -> str:
    """The end of the sentence about units: the initial recurrent weights."""
    wiring, network = c["wiring"], c["network"]
    if c["init_from"]:
        return "; weights started from those of another network (init_from)."
    if "weights_path" in wiring:
        return "."
    gain = f", times {network['gain']:g}" if network["gain"] != 1 else ""
    kind = wiring["initial"]["kind"]
    zeros = {"all": "", "none": " (all were 0)"}.get(kind, f" (only those of some synapses, initial: {kind}; the others started at 0)")
    return f"; initial recurrent weights: {network['initialisation']}{gain}{zeros}."


def _time_constant(config: dict) -> str:
    dt = config["battery"]["dt"]
    tau = config["network"]["tau"] or dt
    if not config.get("source"):
        return f"{tau:g} ms"
    return f"{tau / dt:g} time step{'s' * (tau != dt)}"  # the user's own data have no ms


def _rows(config: dict) -> str:
    """The rows of a batch; a criterion may have ended the training before the batches had grown."""
    stream = config["stream"]
    first = _core.batch_rows(config, 0) if stream["grow_from"] else stream["batch"]
    if first == stream["batch"]:
        return f"{first} rows"
    return f"{first} rows growing towards {stream['batch']} at step {stream['grow_until'] * config['train']['steps']:g}"


def _steps(run) -> str:
    """The steps taken, also if a criterion ended the training early."""
    most = run.config["train"]["steps"]
    if not run.done:
        return f"{run.checkpoints[-1]} steps so far, of {most}"
    taken = run.summary["steps"]
    return f"{most} steps" if taken == most else f"{taken} steps (at most {most}, ended by a criterion)"


def _plastic(wiring: dict) -> list[str]:
    kind = wiring["plastic"]["kind"]
    if kind == "all" or wiring.get("gains"):  # _measured describes gains
        return []
    if kind == "none":
        return ["Recurrent weights were not trained."]
    return [f"Of the recurrent weights, only those of some synapses were trained (plastic synapses: {kind})."]


def _loss(loss: dict) -> list[str]:
    sentences = []
    weights = {period: weight for period, weight in loss["weights"].items() if weight != 1}
    if weights:
        listed = ", ".join(f"{period.replace('_', ' ')} {weight:g}" for period, weight in weights.items())
        others = ", others 1" if len(weights) < len(loss["weights"]) else ""
        sentences.append(f"Time steps counted in the loss by their period: {listed}{others}.")
    if loss["balance"] != "steps":
        sentences.append(f"The loss was balanced so that all {loss['balance']} counted alike.")
    terms = []
    if loss["rate_penalty"]:
        terms.append(f"{loss['rate_penalty']:g} times the mean square of the activity")
    if loss["weight_penalty"]:
        terms.append(f"{loss['weight_penalty'] / 2:g} times the sum of squared {_PENALISED[loss['penalised']]}")
    if terms:
        sentences.append(f"The loss included {' and '.join(terms)}.")
    return sentences


def _average(train: dict) -> list[str]:
    if not train["average"]:
        return []
    return [f"What was evaluated is a running average of the weights (decay {train['average']:g} per step)."]


def _n_trials(run) -> str:
    """Number of trials per task of the last evaluation, whose scores a paper reports: a range if tasks differ, as they
    can with data of the authors' own."""
    evaluation = run.config["evaluation"]
    if run.scores.n_rows:
        least, most = run.scores["trials"].min(), run.scores["trials"].max()
        return f"{least}" if least == most else f"{least} to {most}"
    return f"{evaluation.get('final_trials', evaluation['trials'])}"


def _targets(metadata: dict[str, str]) -> str:
    targets = metadata.get("targets", "")
    if not targets:
        return ""
    return f" Targets were {targets}: a step was right if every output was within it."


def _frequencies(weights: dict) -> list[str]:
    if not weights:
        return []
    listed = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    return [f"Tasks were drawn with these relative frequencies, the others with 1: {listed}."]


def _curriculum(curriculum: dict) -> list[str]:
    sentences = []
    if stages := curriculum["stage"]:
        lengths = [f"{s['steps']} steps" if s["steps"] else "the remaining steps" for s in stages]
        sentences.append(
            f"Training had {len(stages)} stages: "
            + "; ".join(
                f"{_short(s['tasks'])} for {length}"
                + (" with durations of its own" if s["durations"] else "")
                for s, length in zip(stages, lengths)
            )
            + "."
        )
    if share := curriculum["adaptive"]:
        sentences.append(
            f"After each evaluation, {100 * share:g}% of the trials were drawn in proportion to what each "
            "task lacked of its ceiling."
        )
    return sentences


def _areas(c: dict) -> list[str]:
    wiring = c["wiring"]
    if "areas" not in wiring:
        return []
    sizes = [(area["name"], {**wiring, **area}) for area in wiring["areas"]]
    has_radius = wiring["kind"] in ("local", "random", "rewired")
    areas = [
        f"{name} ({w['rows']} × {w['cols']}" + (f", radius {w['radius']:g})" if has_radius else ")")
        for name, w in sizes
    ]
    sentences = [f"The areas were {', '.join(areas)}."]
    listed = [
        f"{100 * p['density']:g}% from {p['from']} to {p['to']}" for p in wiring.get("projections", ())
    ]
    share, n_areas = wiring.get("between_density"), len(sizes)
    if share and len(listed) < n_areas * (n_areas - 1):
        listed.append(f"{100 * share:g}% from every {'other ' if listed else ''}area to every other")
    if listed:
        source = "excitatory units of one area" if wiring.get("between_excitatory") else "units of one area"
        sentences.append(
            f"Of the pairs of {source} and units of another, a random share had a synapse: {', '.join(listed)}."
        )
    for layer, what in (("input", "received input"), ("readout", "had readout synapses")):
        if names := c["network"][layer].get("areas"):
            sentences.append(f"Only units of {' and '.join(names)} {what}.")
    return sentences


def _types(excitatory, c: dict) -> list[str]:
    if excitatory is None:
        return []
    wiring = c["wiring"]
    placement = {
        "random": "drawn at random", "lattice": "on a square lattice", "file": "given by a file"
    }[wiring.get("excitatory_placement", "random")]  # fmt: skip
    sentences = [
        f"Of the units, {excitatory.sum()} were excitatory and {(~excitatory).sum()} inhibitory "
        f"({placement}); after every optimiser step, recurrent weights that did not have the sign of "
        "their source were set to 0."
    ]
    names = {"e": "excitatory", "i": "inhibitory"}
    radii = [
        f"{wiring[key]:g} from {names[key[-2]]} onto {names[key[-1]]} units"
        for key in ("radius_ee", "radius_ei", "radius_ie", "radius_ii")
        if key in wiring
    ]
    if radii:
        sentences.append(f"The largest distance was {', '.join(radii)}.")
    if c["network"].get("readout_excitatory"):
        sentences.append("Only excitatory units had readout synapses.")
    return sentences


def _measured(wiring: dict, gain: float) -> list[str]:
    sentences = []
    if "coordinates_path" in wiring:
        sentences.append("Distances were between the measured coordinates of the units.")
    if "weights_path" in wiring:
        scaled = wiring.get("weights_scale") == "fan-in"
        sentences.append(
            "The recurrent weights started at measured ones"
            + (", scaled so that the squares of a unit's weights added to 1 on average" if scaled else "")
            + (f", times {gain:g}." if gain != 1 else ".")
        )
    if kind := wiring.get("gains"):
        of = {
            "types": "a gain for each pair of types of units", "targets": "a gain for each target unit",
            "sources": "a gain for each source unit", "all": "one gain",
        }[kind]  # fmt: skip
        plastic = wiring["plastic"]["kind"]
        some = "" if plastic == "all" else f" of those that were trained (plastic synapses: {plastic})"
        sentences.append(
            f"Recurrent weights were not trained one by one: each{some} was its initial value times {of}, "
            "which started at 1 and was trained."
        )
    return sentences


def _wire(loss: dict, wiring: dict) -> list[str]:
    if not loss.get("wire_penalty"):
        return []
    return [
        f"The loss included {loss['wire_penalty']:g} times the sum over recurrent synapses of the "
        f"absolute weight times length to the power {loss['wire_power']:g} ({wiring['metric']} metric"
        + (
            f"; synapses between areas had the length {wiring['between_length']:g})."
            if "between_length" in wiring
            else ")."
        )
    ]


def _short(expression: str) -> str:
    expression = " ".join(expression.split())
    return expression if len(expression) <= 200 else f"{expression[:200].rsplit(',', 1)[0]}, …"


def _wiring(w: dict) -> str:
    measured = "coordinates_path" in w
    sheet = "measured places" if measured else f"a {w['rows']} × {w['cols']} sheet"
    kind = w["kind"]
    if "areas" in w:
        near = ""
        if kind == "local":
            near = f" to pairs of units within a radius ({w['metric']} metric, {w['boundary']} boundary)"
        n = len(w["areas"])
        where = f"Units lay in {n} areas, each a sheet of its own; " if n > 1 else "Units lay in 1 area; "
        if kind == "file":
            return where + "all synapses were read from a file"
        return where + "synapses within areas were " + (f"confined{near}" if near else f"of kind {kind}")
    if kind == "local":
        return (
            f"Recurrent synapses were confined to pairs of units at most {w['radius']:g} apart "
            f"({w['metric']} metric) on {sheet} with {w['boundary']} boundary"
        )
    if kind == "autapse":
        return "No two units were connected: the only recurrent synapse of each was its autapse"
    return f"The recurrent wiring was of kind {kind} on {sheet}"


def _optimiser(o: dict) -> str:
    name = {"adam": "Adam", "sgd": "stochastic gradient descent"}[o["kind"]]
    more = "".join(
        f", of {group} weights {o[key]:g}"
        for group in ("recurrent", "input", "readout")
        if o.get(key := f"{group}_rate") is not None
    )
    if o["in_degree_power"]:
        more += f", that of a recurrent weight divided by its unit's in-degree to the power {o['in_degree_power']:g}"
    if o["kind"] == "sgd" and o["momentum"]:
        more += f", momentum {o['momentum']:g}"
    if o["kind"] == "adam" and (o["beta1"], o["beta2"]) != (0.9, 0.999):
        more += f", β₁ = {o['beta1']:g}, β₂ = {o['beta2']:g}"
    if o["weight_decay"]:
        more += f", decoupled weight decay {o['weight_decay']:g}"
    if o["clip"]:
        more += f", gradient norm clipped at {o['clip']:g}"
    return f"{name} (learning rate {o['learning_rate']:g}{more})"
