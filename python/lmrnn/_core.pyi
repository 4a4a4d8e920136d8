"""The C++ core of lmrnn. Use it through the package `lmrnn`."""

from collections.abc import Iterator, Mapping, Sequence
import os
import pathlib
from typing import Annotated, Any, overload

import lmrnn.stream
import numpy
import numpy.typing
from numpy.typing import NDArray


class UsageError(ValueError):
    """
    An invalid request. The message says what is wrong, where, and how to fix it.
    """

    @property
    def where(self) -> str:
        """File and line, key, argument, or empty."""

    @property
    def problem(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> str:
        """What to do about it, or empty."""

class RunError(RuntimeError):
    """
    A valid request whose work failed: a full disk, a training that diverged.
    """

def resolve_config(config: str | os.PathLike[str] | Mapping[str, Any], overrides: Mapping[str, Any] = {}) -> dict[str, Any]:
    """
    The whole configuration of a run, defaults of its recipe included, as nested dictionaries.

    `config` is a TOML file or a mapping; `overrides` maps dotted keys, such as
    "wiring.radius", to values. Raises UsageError for unknown keys and impossible values.
    """

def resolve_config_for(config: str | os.PathLike[str] | Mapping[str, Any], overrides: Mapping[str, Any], source: str) -> dict[str, Any]:
    """
    The same for custom data of this name, which the configuration need not repeat.
    """

def batch_rows(config: object, step: int) -> int:
    """
    Rows of the batch of step `step`, from 0: more from step to step if `stream.grow_from` is set.
    """

def to_toml(config: Mapping[str, Any]) -> str:
    """The configuration as TOML text."""

def config_reference() -> str:
    """
    A Markdown table of every key of a configuration: type, default and meaning.
    """

class Score:
    """A score and its standard error (0 where it is exact)."""

    @property
    def value(self) -> float: ...

    @property
    def standard_error(self) -> float: ...

    def __float__(self) -> float: ...

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Score, /) -> bool: ...

class Ceiling:
    """What an ideal observer would reach on a task."""

    @property
    def decision_accuracy(self) -> Score: ...

    @property
    def trial_accuracy(self) -> Score: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Ceiling, /) -> bool: ...

class Battery:
    """
    Tasks, their semantics and their timing. Immutable; may be shared between threads.

    Parameters
    ----------
    tasks : text
        names, collections (cog20, modcog82, modcog93, modcog126, modcog132), globs and
        exclusions, comma-separated, e.g. `dly*,!*seql`, or a list of such
    seed : int, optional
        needed only where something is drawn once per run (published match_delay)
    **keywords
        the keys of [battery] in a configuration:

    Other Parameters
    ----------------
    tasks : text, default "modcog82"
        names, collections, globs and !exclusions, comma-separated
    n_ring : integer, default 16
        directions on the ring; even
    dt : number, default 100.0
        time step, ms
    semantics : table, default { base = "corrected" }
        corrected or published behaviour, whole or by switch
    timing : "modcog" | "neurogym", default "modcog"
        table of durations
    durations : table of table of number | {uniform = [low, high]} | {choice = [...]}, default {}
        durations by family or task, then period, ms
    rule : "task" | "composed", default "task"
        task: one-hot over tasks; composed: base + int + seq
    input_noise : number, default 1.0
        scale of the input noise
    omega : number, default 0.003926990816987241
        angular speed of int and seq (corrected), rad per ms
    weights : table of number, default {}
        relative frequency of tasks, by name or glob; default 1
    """

    def __init__(self, tasks: str | Sequence[str] = 'modcog82', *, seed: int | None = None, n_ring: int = 16, dt: float = 100.0, semantics: str | Mapping[str, Any] = ..., timing: str = 'modcog', durations: Mapping[str, Any] = ..., rule: str = 'task', input_noise: float = 1.0, omega: float = ..., weights: Mapping[str, float] = ...) -> None: ...

    def __len__(self) -> int: ...

    def __getitem__(self, task: int | str) -> Task:
        """The task of this name or number."""

    def __iter__(self) -> Iterator[Task]: ...

    def __contains__(self, name: object) -> bool: ...

    @property
    def names(self) -> list[str]:
        """Names of the tasks, in collection order: the order of rule inputs."""

    @property
    def n_channels(self) -> int:
        """Input channels without rules: 1 + 2 n_ring."""

    @property
    def n_rules(self) -> int:
        """Columns of a dense rule input."""

    @property
    def n_rule_slots(self) -> int:
        """Rule inputs that are on at a time."""

    @property
    def n_classes(self) -> int:
        """Classes: 0 is fixate, 1 + k respond in direction k; 1 + n_ring in all."""

    @property
    def n_ring(self) -> int:
        """Directions on the ring."""

    @property
    def dt(self) -> float:
        """Time step, ms."""

    def n_steps(self, ms: float) -> int:
        """Whole steps of a duration, as the trials of this battery count them."""

    @property
    def noise_deviation(self) -> float:
        """Standard deviation of the input noise per step and channel."""

    @property
    def config(self) -> dict[str, Any]:
        """Every keyword with its value."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __eq__(self, arg: Battery, /) -> bool: ...

    def __hash__(self) -> int: ...

    def ceilings(self, *, seed: int, n_trials: int = 20000, threads: int = 0) -> list[Ceiling]:
        """
        For every task, the scores that an ideal observer would reach (Ceiling).
        """

    def stream(self, *, batch: int = 64, steps: int = 350, seed: int, split: str = 'train', layout: str = 'time-major', rules: str = 'dense', weights: Mapping[str, float] | None = None, mode: str = 'restart', trials_per_task: int = 0, first: int = 0) -> lmrnn.stream.Stream:
        """Batches for training without end: lmrnn.Stream with this battery."""

    def trials(self, task: str | int, n: int, *, seed: int, split: str = 'test', first: int = 0) -> TrialBatch:
        """
        Trials number first ... first + n - 1 of a task (name or number) in a split.
        """

    def __repr__(self) -> str: ...

class Conditions:
    """
    Everything that is random about a trial except its input noise. Which members matter depends on the family of the task; angles in rad.
    """

    def __init__(self) -> None: ...

    @property
    def modality(self) -> int:
        """0 or 1 (reach, match)"""

    @modality.setter
    def modality(self, arg: int, /) -> None: ...

    @property
    def direction(self) -> float:
        """angle of the stimulus, rad (reach)"""

    @direction.setter
    def direction(self, arg: float, /) -> None: ...

    @property
    def directions(self) -> tuple[float, float]:
        """angles of the two stimuli, rad (decision families)"""

    @directions.setter
    def directions(self, arg: tuple[float, float], /) -> None: ...

    @property
    def strength(self) -> list[list[float]]:
        """
        `strength[modality][stimulus]`; 0 where it is not shown (decision families)
        """

    @strength.setter
    def strength(self, arg: Sequence[Sequence[float]], /) -> None: ...

    @property
    def choice(self) -> int:
        """0 or 1, the stimulus to respond to (decision)"""

    @choice.setter
    def choice(self, arg: int, /) -> None: ...

    @property
    def match(self) -> bool:
        """whether test and sample match (match)"""

    @match.setter
    def match(self, arg: bool, /) -> None: ...

    @property
    def sample(self) -> float:
        """angle of the sample, rad (match)"""

    @sample.setter
    def sample(self, arg: float, /) -> None: ...

    @property
    def test(self) -> float:
        """angle of the test, rad (match)"""

    @test.setter
    def test(self, arg: float, /) -> None: ...

    @property
    def durations(self) -> dict[str, float]:
        """
        ms by period (fixation, stimulus, delay, second_stimulus, decision); those that are not named stay as they are
        """

    @durations.setter
    def durations(self, durations: Mapping[str, float], /) -> None: ...

    def copy(self) -> Conditions:
        """An independent copy."""

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Conditions, /) -> bool: ...

class Task:
    """A task of a battery: battery["dlygointr"] or battery[3]."""

    @property
    def name(self) -> str: ...

    @property
    def battery(self) -> Battery: ...

    @property
    def index(self) -> int:
        """Position in the battery: the number of its rule input."""

    @property
    def family(self) -> str:
        """reach, decision, delayed_decision or match"""

    @property
    def base(self) -> str:
        """The base task."""

    @property
    def interval(self) -> int:
        """int: -1 l, 0 none, 1 r"""

    @property
    def sequence(self) -> int:
        """seq: -1 l, 0 none, 1 r"""

    @property
    def periods(self) -> list[str]:
        """Names of the periods that its trials pass through."""

    @property
    def durations(self) -> dict[str, Any]:
        """
        How long each period lasts, ms: a number, {"uniform": [low, high]} or {"choice": [...]}, as in battery.durations.
        """

    def describe(self) -> str:
        """The task in words, several lines."""

    def draw(self, *, seed: int, trial: int = 0) -> Conditions:
        """
        Conditions at random; the same for the same seed. They are not those of trial(seed=seed), which has trial(...).conditions.
        """

    def compose(self, conditions: Conditions, *, seed: int | None = None, number: int = 0, modality: int = ..., direction: float = ..., directions: tuple[float, float] = ..., strength: Sequence[Sequence[float]] = ..., choice: int = ..., match: bool = ..., sample: float = ..., test: float = ..., durations: Mapping[str, float] = ...) -> Trial:
        """
        The trial of given conditions; keywords change single ones, e.g. direction=0.5.

        Without noise, unless `seed` says which noise; each `number` of a seed has its own. Raises UsageError for conditions that no trial of the task can have.
        """

    def trial(self, *, seed: int, number: int = 0, split: str = 'test') -> Trial:
        """
        Trial number `number` of a split, noise included. Battery.trials has the same ones.
        """

    def ceiling(self, *, seed: int, n_trials: int = 20000) -> Ceiling:
        """The scores that an ideal observer would reach."""

    def __reduce__(self) -> tuple[Any, ...]: ...

    def __eq__(self, arg: Task, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __repr__(self) -> str: ...

class Trial:
    """One trial: observations and target classes over time."""

    @property
    def task(self) -> Task: ...

    @property
    def conditions(self) -> Conditions: ...

    def __len__(self) -> int: ...

    @property
    def inputs(self) -> Annotated[NDArray[numpy.float32], dict(writable=False)]:
        """(time, channel) float32: cue, ring of modality 0, ring of modality 1"""

    @property
    def targets(self) -> Annotated[NDArray[numpy.int32], dict(writable=False)]:
        """
        (time) int32: class of every step; 0 is fixate, 1 + k respond in direction k
        """

    @property
    def periods(self) -> list[tuple[str, int, int]]:
        """[(name, first step, last step + 1), ...]"""

    @property
    def response(self) -> int:
        """Direction to respond in when the decision begins; -1: keep fixating."""

    @property
    def rule(self) -> list[int]:
        """Numbers of the rule inputs that are on."""

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Trial, /) -> bool: ...

def select_tasks(expression: str) -> list[str]:
    """Names of the tasks of an expression, in collection order."""

def collections() -> list[str]:
    """Names of the collections of tasks."""

class PackedStream:
    """Rows of fixed length, filled with trials end to end; see lmrnn.Stream."""

    def __init__(self, battery: Battery, *, seed: int, split: str, batch: int = ..., steps: int = ..., mode: str = ..., trials_per_task: int = ...) -> None: ...

    def __reduce__(self) -> tuple[Any, ...]: ...

    def fill(self, batch: int, batch_first: bool, dense_rules: bool) -> dict[str, NDArray[Any]]:
        """Arrays of one batch, by name."""

class TrialBatch:
    """Whole trials, one per column, padded to the longest. Arrays are views."""

    def __len__(self) -> int: ...

    @property
    def inputs(self) -> Annotated[NDArray[numpy.float32], dict(writable=False)]:
        """(time, trial, channel) float32, noise included; 0 in the padding"""

    @property
    def rules(self) -> Annotated[NDArray[numpy.int32], dict(writable=False)]:
        """(time, trial, slot) int32: numbers of the rule inputs that are on"""

    @property
    def targets(self) -> Annotated[NDArray[numpy.int32], dict(writable=False)]:
        """(time, trial) int32 class"""

    @property
    def periods(self) -> Annotated[NDArray[numpy.uint8], dict(writable=False)]:
        """
        (time, trial) uint8: 0 fixation, 1 stimulus, 2 delay, 3 second stimulus, 4 decision
        """

    @property
    def mask(self) -> Annotated[NDArray[numpy.float32], dict(writable=False)]:
        """(time, trial) float32: 1 within the trial, 0 in the padding"""

    @property
    def lengths(self) -> Annotated[NDArray[numpy.int32], dict(writable=False)]:
        """(trial) int32 steps"""

    @property
    def tasks(self) -> Annotated[NDArray[numpy.uint32], dict(writable=False)]:
        """(trial) uint32 index into the battery"""

    @property
    def responses(self) -> Annotated[NDArray[numpy.int32], dict(writable=False)]:
        """(trial) int32 direction when the decision begins; -1: keep fixating"""

    @property
    def conditions(self) -> list[Conditions]:
        """(trial) Conditions"""

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: TrialBatch, /) -> bool: ...

def draw_trials(battery: Battery, task: object, n: int, *, seed: int, split: str = 'test', first: int = 0) -> TrialBatch:
    """
    Trials number first ... first + n - 1 of one task (name or number) in a split.
    """

class Sheet:
    """
    Units on a rows x cols sheet, row-major: unit = row * cols + col. Distances in units of the spacing between neighbours.
    """

    def __init__(self, rows: int, cols: int, metric: str = 'l1', boundary: str = 'torus', *, coordinates: numpy.typing.ArrayLike | None = None) -> None:
        """
        metric: l1, l2 or linf; boundary: torus (opposite edges meet) or open. `coordinates` (unit, 2 or 3): distances are between these places, in their unit; with boundary "open".
        """

    @property
    def rows(self) -> int: ...

    @property
    def cols(self) -> int: ...

    @property
    def metric(self) -> str: ...

    @property
    def boundary(self) -> str: ...

    @property
    def n_units(self) -> int: ...

    @property
    def coordinates(self) -> NDArray[numpy.float64] | None:
        """(unit, dimension) measured places; None: rows and columns. A copy."""

    @property
    def spacing(self) -> float:
        """
        Distance of neighbours: 1, or with coordinates the mean distance of a unit to the nearest one at another place.
        """

    @staticmethod
    def of_areas(areas: Mapping[str, tuple[int, int]], *, metric: str = 'l1', boundary: str = 'torus', between_length: float | None = None) -> Sheet:
        """
        Several sheets: names of areas with (rows, cols). Units are numbered area by area. `between_length` is the length of every synapse between areas, as in wiring.between_length; None: unknown.
        """

    @property
    def areas(self) -> dict[str, Sheet]:
        """
        Names of areas with the sheet of each, in the order of their units; empty if there is one sheet. With areas, `rows` is 1 and `cols` the number of all units.
        """

    @property
    def unit_areas(self) -> NDArray[numpy.uint32]:
        """
        (unit) uint32: number of each unit's area, in the order of `areas`; 0 without.
        """

    def units_of(self, area: str) -> NDArray[numpy.uint32]:
        """
        (unit) uint32: the units of an area. Raises UsageError for another name.
        """

    def distance(self, unit_a: int, unit_b: int) -> float:
        """Between units of different areas: infinity."""

    def distances_from(self, unit: int) -> NDArray[numpy.float64]:
        """(row, col) float64: distances from a unit."""

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Sheet, /) -> bool: ...

    def __hash__(self) -> int: ...

class Mask:
    """Which synapses exist: mask[target, source], in compressed rows. Fixed."""

    def __init__(self, mask: object) -> None:
        """
        From a (target, source) array: a synapse wherever it is not zero. NumPy arrays, nested lists, tensors, sparse matrices, pandas and xarray tables have the target first; edges of networkx graphs go from source to target. Raises UsageError for values that are not finite, and if there is no synapse.
        """

    @staticmethod
    def make(kind: str, *, seed: int | None = None, sheet: Sheet = ..., rows: int = 32, cols: int = 32, metric: str = 'l1', boundary: str = 'torus', radius: float = 4.0, autapses: bool = True, rewire: float = 0.1, density: float = 0.04, length: float = 2.0, block_units: int = 32, path: str = '', dataset: str = '', plastic: Mapping[str, Any] = ..., initial: Mapping[str, Any] = ...) -> Mask:
        """
        The mask of a kind of wiring: local, autapse, dense, random, blocks, rewired, exponential, file.

        `seed` is needed for random kinds. A `sheet` may stand for rows, cols, metric and boundary.
        Keywords are the keys of [wiring]:

        Other Parameters
        ----------------
        kind : "local" | "autapse" | "dense" | "random" | "blocks" | "rewired" | "exponential" | "file", default "local"
            which synapses exist
        rows : integer, default 32
            rows of the sheet
        cols : integer, default 32
            columns of the sheet
        metric : "l1" | "l2" | "linf", default "l1"
            distance on the sheet
        boundary : "torus" | "open", default "torus"
            torus: opposite edges meet; open: they do not
        radius : number, default 4.0
            a synapse where the distance is at most this
        autapses : true | false, default true
            whether a unit connects to itself; file: false removes the autapses of the file
        rewire : number, default 0.1
            rewired: share of the local synapses given a new source
        density : number, default 0.04
            exponential: expected share of all pairs, autapses included
        length : number, default 2.0
            exponential: distance over which probability falls by e
        block_units : integer, default 32
            blocks: units in each dense block; must divide the number of units
        path : text, default ""
            file: npz, npy or safetensors mask[target, source], or CSV source,target (0-based)
        dataset : text, default ""
            file: the array in it, if it holds several
        seed : integer, optional
            seed of a random mask; without it, the seed of the run
        excitatory : number, optional
            share of excitatory units, whose recurrent weights are never negative; those of the others are never positive (Dale's law); 0 or absent: signs are free
        excitatory_placement : "random" | "lattice" | "file", optional
            where the inhibitory units are; random (if absent): drawn by the seed; lattice: on a square lattice; file: as excitatory_path says
        excitatory_path : text, optional
            file: npy, npz or safetensors array (unit), 1 for excitatory units, 0 for inhibitory
        radius_ee : number, optional
            radius of synapses from excitatory onto excitatory units; absent: radius
        radius_ei : number, optional
            from excitatory onto inhibitory units
        radius_ie : number, optional
            from inhibitory onto excitatory units
        radius_ii : number, optional
            from inhibitory onto inhibitory units
        coordinates_path : text, optional
            npy, npz or safetensors array coordinates (unit, 2 or 3): distances are between these places, in their unit; absent: between rows and columns
        types_path : text, optional
            npy, npz or safetensors array types (unit) of whole numbers from 0: types of cells, for gains
        weights_path : text, optional
            npy, npz or safetensors array weights (target, source): initial recurrent weights; absent: drawn
        weights_scale : "file" | "fan-in", optional
            of weights_path; file (if absent): as they are; fan-in: scaled so that the squares of a unit's weights add to 1 on average
        gains : "types" | "targets" | "sources" | "all", optional
            trains gains of the initial weights instead of the weights: one for each pair of types, for each target, for each source, or one for all
        areas : list of table, optional
            several sheets, each {name, rows, cols, radius}; within each, synapses are as kind says; absent: one sheet
        projections : list of table, optional
            densities of synapses from one area onto another, each {from, to, density}; other pairs have between_density
        between_density : number, optional
            share of the pairs of units of two areas that have a synapse, drawn at random, for every ordered pair of areas
        between_excitatory : true | false, optional
            true: only excitatory units project to other areas
        between_length : number, optional
            length of every synapse between areas, in spacings; absent: unknown, so there is no wire length, and loss.wire_penalty is refused
        plastic.kind : "all" | "none" | "local" | "autapse" | "random" | "blocks" | "file" | "within" | "between", default "all"
            all, none, those synapses that a wiring of this kind has as well, or those within or between areas
        plastic.radius : number, default 4.0
            local, random: as in [wiring]
        plastic.block_units : integer, default 32
            blocks: as in [wiring]
        plastic.path : text, default ""
            file: as in [wiring]
        plastic.dataset : text, default ""
            file: as in [wiring]
        plastic.seed : integer, optional
            random: as in [wiring]
        initial.kind : "all" | "none" | "local" | "autapse" | "random" | "blocks" | "file" | "within" | "between", default "all"
            all, none, those synapses that a wiring of this kind has as well, or those within or between areas
        initial.radius : number, default 4.0
            local, random: as in [wiring]
        initial.block_units : integer, default 32
            blocks: as in [wiring]
        initial.path : text, default ""
            file: as in [wiring]
        initial.dataset : text, default ""
            file: as in [wiring]
        initial.seed : integer, optional
            random: as in [wiring]
        """

    @staticmethod
    def from_pairs(n_targets: int, n_sources: int, target_source_pairs: numpy.typing.ArrayLike) -> Mask:
        """
        From a (synapse, 2) array of target and source. Raises UsageError if one is out of range or named twice, or if there is none.
        """

    @property
    def shape(self) -> tuple[int, int]:
        """(targets, sources)"""

    @property
    def n_synapses(self) -> int: ...

    @property
    def density(self) -> float:
        """Synapses as a share of all pairs."""

    @property
    def row_offsets(self) -> Annotated[NDArray[numpy.uint32], dict(writable=False)]:
        """
        (target + 1) uint32: synapses of target i are row_offsets[i] ... row_offsets[i + 1] - 1
        """

    @property
    def sources(self) -> Annotated[NDArray[numpy.uint32], dict(writable=False)]:
        """(synapse) uint32, by target, ascending within a target"""

    @property
    def targets(self) -> NDArray[numpy.uint32]:
        """(synapse) uint32, in the order of `sources`"""

    def sources_of(self, target: int) -> Annotated[NDArray[numpy.uint32], dict(writable=False)]:
        """Sources of a unit, ascending."""

    def to_dense(self) -> NDArray[numpy.bool_]:
        """(target, source) bool"""

    def shuffled(self, *, seed: int) -> Mask:
        """
        A random mask with the same autapses, in-degrees, out-degrees and numbers of reciprocal partners.
        """

    def statistics(self, sheet: Sheet) -> dict[str, Any]:
        """
        Degrees, reciprocity, path length, clustering and wire length. With areas, `areas` has those within each of them, and `between` synapses and density from one onto another, by (from, to).
        """

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Mask, /) -> bool: ...

class Network:
    """
    The leaky recurrent network

        u[t] = W h[t-1] + W_in x[t] + sum_s W_rule[rule[t,s], :] + b + sigma xi[t]
        h[t] = (1 - alpha) h[t-1] + alpha f(u[t]),   h[-1] = 0
        logits[t] = W_out h[t] + b_out

    with W confined to the synapses of `recurrent`. With equation="voltage", units have a voltage,
    x[t] = (1 - alpha) x[t-1] + alpha u[t] and h[t] = f(x[t]); with "leak-inside",
    h[t] = f((1 - alpha) h[t-1] + alpha u[t]). Arrays are float32, (time, trial, item).
    """

    def __init__(self, recurrent: Mask | numpy.typing.ArrayLike, *, n_channels: int, n_classes: int, n_rules: int = 0, alpha: float = 1.0, activation: str = 'relu', input: Mask | numpy.typing.ArrayLike | None = None, readout: Mask | numpy.typing.ArrayLike | None = None, storage: str = 'auto', representation: str | None = None, excitatory: numpy.typing.ArrayLike | None = None, equation: str = 'rate') -> None:
        """
        All weights zero; see `initialise` and `set_weights`. alpha = dt / tau. Masks are whatever Mask takes: arrays, lists, sparse matrices. `input` (unit, channel) and `readout` (class, unit): all synapses if absent. `representation` is the former name of `storage`. `excitatory` (unit): true for excitatory units, false for inhibitory ones, if units have a type; `initialise` gives weights their sign. `equation`: rate, voltage or leak-inside.
        """

    @staticmethod
    def load(path: str | os.PathLike) -> Network:
        """
        From a network file, a checkpoint or a run directory (its newest checkpoint).
        """

    def save(self, path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
        """
        Writes a .safetensors file, with text metadata (its own, unless given).
        """

    def initialise(self, kind: str = 'fan-in', *, seed: int) -> None:
        """Fresh weights: identity, fan-in or spectral-radius."""

    def forward(self, inputs: numpy.typing.ArrayLike, rules: numpy.typing.ArrayLike | None = None, *, resets: numpy.typing.ArrayLike | None = None, recurrent_noise: float = 0.0, seed: int | None = None, threads: int = 1) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
        """
        States (time, trial, unit) and logits (time, trial, class) from state 0. States are h, or the
        voltages x, of which other units see f(x).

        inputs : (time, trial, channel); rules : (time, trial, slot) int32, or (time, trial) if one rule is on
        at a time, -1 for none;
        resets : (time, trial) bool, where the state before is taken as 0.
        """

    def loss_and_gradient(self, inputs: numpy.typing.ArrayLike, targets: numpy.typing.ArrayLike, rules: numpy.typing.ArrayLike | None = None, *, mask: numpy.typing.ArrayLike | None = None, resets: numpy.typing.ArrayLike | None = None, loss: str = 'cross-entropy') -> tuple[float, dict[str, NDArray[numpy.float32]]]:
        """
        Mean loss, weighted by `mask` (time, trial), and its gradient by backpropagation through time: a dictionary like `weights`.
        """

    @property
    def weights(self) -> dict[str, NDArray[numpy.float32]]:
        """
        Read-only views: recurrent (synapse, in the order of the mask), input (unit, channel), rule (rule, unit), bias (unit), readout (class, unit), readout_bias (class)
        """

    def set_weights(self, *, recurrent: numpy.typing.ArrayLike = ..., input: numpy.typing.ArrayLike = ..., rule: numpy.typing.ArrayLike = ..., bias: numpy.typing.ArrayLike = ..., readout: numpy.typing.ArrayLike = ..., readout_bias: numpy.typing.ArrayLike = ...) -> None:
        """
        Sets some of `weights`, by keyword. Entries without a synapse become 0.
        """

    @property
    def recurrent_matrix(self) -> NDArray[numpy.float32]:
        """W as a dense (target, source) array; a copy."""

    @property
    def recurrent(self) -> Mask:
        """Mask (unit, unit)."""

    @property
    def input(self) -> Mask:
        """Mask (unit, channel)."""

    @property
    def readout(self) -> Mask:
        """Mask (class, unit)."""

    @property
    def excitatory(self) -> NDArray[numpy.bool_] | None:
        """
        (unit) True: excitatory, False: inhibitory; None if units have no type. A copy.
        """

    @property
    def n_units(self) -> int: ...

    @property
    def n_channels(self) -> int: ...

    @property
    def n_rules(self) -> int: ...

    @property
    def n_classes(self) -> int: ...

    @property
    def n_parameters(self) -> int:
        """Weights that exist."""

    @property
    def alpha(self) -> float:
        """dt / tau"""

    @property
    def activation(self) -> str: ...

    @property
    def equation(self) -> str:
        """The state equation: rate, voltage or leak-inside."""

    @property
    def storage(self) -> str:
        """How W is stored: sparse, dense or diagonal."""

    @property
    def representation(self) -> str:
        """Former name of storage."""

    @property
    def metadata(self) -> dict[str, str]:
        """What its file said of it, as text."""

    def trained_on(self) -> dict[str, Any]:
        """
        battery, sheet, seed and tasks of its training, from the metadata. Raises UsageError if they do not say.
        """

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Network, /) -> bool: ...

class TaskScore:
    """Scores of one task."""

    @property
    def name(self) -> str: ...

    @property
    def decision_accuracy(self) -> float:
        """share of the steps of decision periods whose class is right"""

    @property
    def decision_lower(self) -> float:
        """lower end of its 95% Wilson interval, trials as sample size"""

    @property
    def trial_accuracy(self) -> float:
        """share of trials that are right throughout"""

    @property
    def trial_lower(self) -> float: ...

    @property
    def ceiling(self) -> Ceiling: ...

    @property
    def share_of_ceiling(self) -> float: ...

    @property
    def n_trials(self) -> int: ...

    @property
    def passed(self) -> bool:
        """
        decision_lower is at least 95% of the ceiling, over at least 1000 trials
        """

    @property
    def reached(self) -> bool:
        """former name of passed"""

    @property
    def solved(self) -> bool:
        """passed at two evaluations in a row"""

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: TaskScore, /) -> bool: ...

class Evaluation:
    """Scores of a network on held-out trials, by task."""

    @property
    def tasks(self) -> list[TaskScore]: ...

    @property
    def mean_accuracy(self) -> float: ...

    @property
    def mean_trial_accuracy(self) -> float: ...

    @property
    def mean_share_of_ceiling(self) -> float: ...

    @property
    def worst_share_of_ceiling(self) -> float: ...

    @property
    def n_solved(self) -> int: ...

    @property
    def n_passed(self) -> int: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[TaskScore]: ...

    @overload
    def __getitem__(self, task: str) -> TaskScore:
        """The score of a task, by its name."""

    @overload
    def __getitem__(self, index: int) -> TaskScore: ...

    def to_pandas(self) -> object:
        """A DataFrame with a row per task."""

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Evaluation, /) -> bool: ...

def evaluate(network: object, battery: Battery, *, seed: int, split: str = 'test', n_trials: int = 1000, tasks: Sequence[str] = [], recurrent_noise: float = 0.0, threads: int = 0) -> Evaluation:
    """
    Scores of a network on trials 0 ... n_trials - 1 of every task (or of `tasks`).
    """

def analyze(network: str | os.PathLike[str], name: str, options: Mapping[str, Any], out: str | os.PathLike[str], *, untrained: str | os.PathLike[str] | None = None, control: str = 'none', seed: int | None = None, threads: int = 0, latex: bool = False) -> None:
    """
    Runs an analysis on a network file or the newest checkpoint of a directory, and writes what comes out into the directory `out`.
    """

def list_analyses() -> list[tuple[str, str, dict[str, tuple[str, str, str]]]]:
    """(name, meaning, {option: (type, default, meaning)}) of every analysis."""

class Progress:
    """Where a training stands, after a step."""

    @property
    def step(self) -> int:
        """Steps done."""

    @property
    def n_steps(self) -> int:
        """Steps to do."""

    @property
    def loss(self) -> float:
        """Loss of this step."""

    @property
    def seconds_per_step(self) -> float:
        """Running mean, without evaluations."""

    @property
    def seconds_left(self) -> float:
        """Expected, evaluations included; 0 if not known yet."""

    @property
    def evaluation(self) -> Evaluation | None:
        """The last evaluation, or None."""

    @property
    def evaluated_now(self) -> bool:
        """Whether `evaluation` belongs to this step."""

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

    def __eq__(self, arg: Progress, /) -> bool: ...

class Trainer:
    """Trains a network in a run directory; see lmrnn.Trainer."""

    @staticmethod
    def start(config: Mapping[str, Any], directory: str | os.PathLike[str], threads: int, data: object | None = None) -> Trainer: ...

    @staticmethod
    def resume(directory: str | os.PathLike, threads: int, data: object | None = None) -> Trainer: ...

    def __reduce__(self) -> tuple[Any, ...]: ...

    def run(self, progress: object | None, stop: object | None = None) -> str:
        """
        Trains; returns finished, criterion or interrupted. `stop` is asked after every step.
        """

    @property
    def step(self) -> int: ...

    @property
    def config(self) -> dict[str, Any]: ...

    @property
    def battery(self) -> Battery: ...

    @property
    def directory(self) -> str: ...

    @property
    def last_evaluation(self) -> Evaluation | None: ...

    @property
    def notices(self) -> list[str]: ...

    def network(self) -> object: ...

    def release(self) -> None:
        """
        Gives up the lock of the run directory; nothing but `directory` works afterwards.
        """

    @property
    def released(self) -> bool: ...

def open_run(directory: str | os.PathLike[str]) -> dict[str, Any]: ...

def require_same_inputs(directory: str | os.PathLike, data: object | None = None) -> None:
    """
    Raises UsageError unless the run began with these data, and its files have not changed.
    """

def require_same_files(directory: str | os.PathLike[str], config: Mapping[str, Any]) -> None:
    """
    Raises UsageError if a file that this configuration names here is not what the run read.
    """

def sheet_of_run(directory: str | os.PathLike) -> Sheet: ...

def untrained_network(directory: str | os.PathLike[str]) -> Network:
    """The network that a run on a battery started from."""

def use_zoo(folder: str | os.PathLike) -> None:
    """Looks for the zoo in this folder first."""

def zoo_names() -> list[str]:
    """Names of the networks of the zoo."""

def is_in_zoo(path: str | os.PathLike) -> bool:
    """Whether it begins with zoo:."""

def resolve_zoo(path: str | os.PathLike) -> pathlib.Path:
    """The run directory that "zoo:NAME" stands for; any other path as it is."""

def output_folder(run: str | os.PathLike) -> pathlib.Path:
    """
    Where what is computed about a run is written: the run, or runs/NAME for "zoo:NAME".
    """

solved_definition: str = ...

def build_info() -> dict[str, Any]:
    """Version, commit, compiler, SIMD targets and processors."""
