#!/usr/bin/env python3
"""Time per optimiser step against the number of units, the density and the number of threads.

    build/bench-venv/bin/python bench/scaling.py measure docs/results/data/scaling.csv
    build/bench-venv/bin/python bench/scaling.py draw docs/results/data/scaling.csv docs/results/figures

Our side and PyTorch with a masked dense weight take turns on the same batches of 64 rows of 100 steps, after a check
that both compute the same. The peer is the masked dense variant that is fastest at 1024 units. All points are measured
in three rounds, because a virtual machine is slower in some minutes than in others. Needs an idle machine and a quarter
of an hour; `make bench` builds what it needs (bench_driver and build/bench-venv).
"""

import argparse
import csv
import dataclasses
import importlib.util
import pathlib
import statistics
import sys
import tempfile

from compare import TOLERANCE, say
from ours import Ours
from processes import Process
from workloads import Workload

HERE = pathlib.Path(__file__).resolve().parent
VARIANTS = ("torch_masked", "torch_loop", "torch_compile")
COLUMNS = ("experiment", "wiring", "units", "density", "threads", "side", "seconds", "least", "most")
N_BATCHES = 2
N_ROUNDS = 3


@dataclasses.dataclass(frozen=True)
class Point:
    experiment: str
    wiring: str
    side: int  # of the sheet
    radius: float
    threads: int
    peer: bool  # a masked dense weight costs the same at every density, so it is not measured again

    def workload(self):
        return Workload(
            "scaling", self.experiment, wiring=self.wiring, rows=self.side, cols=self.side,
            radius=self.radius, steps=100,
        )  # fmt: skip


def points():
    for side in (16, 24, 32, 48, 64):
        yield Point("units", "local", side, 4, 2, True)
    for wiring in ("local", "random"):
        for radius in (1, 2, 3, 4, 6, 8, 11, 16, 22):
            yield Point("density", wiring, 32, radius, 2, wiring == "local" and radius in (1, 4, 22))
    yield Point("density", "dense", 32, 4, 2, False)
    for threads in (1, 2):
        for side in (16, 32, 50):
            yield Point("threads", "local", side, 4, threads, False)


def our_process(ours, point):
    process, description = ours.start(point.workload(), point.threads)
    process.ask("step", 3)
    return process, description


def peer_process(name, problem, n_threads, log):
    script = [sys.executable, HERE / "peers" / "worker.py", name, problem, n_threads]
    process = Process(script, n_threads, log)
    answer = process.ask("check")
    if not max(answer["loss_error"], *answer["errors"].values()) <= TOLERANCE:
        raise SystemExit(f"{name} and our side do not compute the same: {answer}")
    process.ask("step", 1)
    return process


def median_seconds(process, count):
    return statistics.median(process.ask("step", count)["seconds"])


def best_variant(ours, log):
    point = Point("variant", "local", 32, 4, 2, True)
    problem = ours.problem(point.workload(), N_BATCHES)
    seconds = {}
    for name in VARIANTS:
        with peer_process(name, problem, point.threads, log) as process:
            seconds[name] = median_seconds(process, 3)
    say(f"masked dense variants at 1024 units: {seconds}")
    return min(seconds, key=seconds.get)


def measure_point(ours, point, variant, log):
    """Seconds per step at one point, by side, and the description of our network."""
    process, description = our_process(ours, point)
    with process:
        peer = None
        if point.peer:
            problem = ours.problem(point.workload(), N_BATCHES)
            peer = peer_process(variant, problem, point.threads, log)
        seconds = {"lmrnn": [], variant: []}
        for _ in range(5):
            seconds["lmrnn"].append(median_seconds(process, 3))
            if peer:
                seconds[variant].append(median_seconds(peer, 1))
        if peer:
            peer.close()
    return {side: values for side, values in seconds.items() if values}, description


def row_of(point, side, values, description):
    return {
        "experiment": point.experiment, "wiring": point.wiring,
        "units": description["units"], "density": f"{description['density']:.4f}",
        "threads": point.threads, "side": side,
        "seconds": f"{statistics.median(values):.5f}",
        "least": f"{min(values):.5f}", "most": f"{max(values):.5f}",
    }  # fmt: skip


def measure(driver, path):
    with tempfile.TemporaryDirectory(prefix="lmrnn-scaling-") as directory:
        with open(pathlib.Path(directory) / "log.txt", "w+b") as log:
            ours = Ours(pathlib.Path(driver).resolve(), directory, log)
            variant = best_variant(ours, log)
            seconds, descriptions = {}, {}
            for i in range(N_ROUNDS):
                say(f"round {i + 1} of {N_ROUNDS}")
                for point in points():
                    measured, descriptions[point] = measure_point(ours, point, variant, log)
                    for side, values in measured.items():
                        seconds.setdefault((point, side), []).extend(values)
                        say("  ".join(map(str, row_of(point, side, values, descriptions[point]).values())))
            rows = [row_of(point, side, values, descriptions[point]) for (point, side), values in seconds.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


# Figures ------------------------------------------------------------------------------------------

NAMES = {
    "lmrnn": "lmrnn",
    "torch_masked": "PyTorch, masked dense (nn.RNN)",
    "torch_loop": "PyTorch, masked dense (loop)",
    "torch_compile": "PyTorch, masked dense (compiled)",
}


def house_style():
    """lmrnn.plot.style, from the package on the path or else from the release build."""
    if importlib.util.find_spec("lmrnn") is None:
        sys.path.insert(0, str(HERE.parent / "build" / "release" / "python"))
    from lmrnn.plot import style

    return style


class Table:
    def __init__(self, path):
        with open(path, newline="") as file:
            self.rows = list(csv.DictReader(file))

    def curve(self, x, **wanted):
        """(x, milliseconds), sorted."""
        chosen = [
            (float(row[x]), 1e3 * float(row["seconds"]))
            for row in self.rows
            if all(row[key] == str(value) for key, value in wanted.items())
        ]
        return list(zip(*sorted(chosen)))

    def peer(self):
        return next(row["side"] for row in self.rows if row["side"] != "lmrnn")


def draw_units(style, table):
    ax = style.new_axes()
    colours = style.COLOURS
    for side, colour in (("lmrnn", "blue"), (table.peer(), "orange")):
        units, time = table.curve("units", experiment="units", side=side)
        ax.loglog(units, time, "o-", color=colours[colour], label=NAMES[side])
        power = 1 if side == "lmrnn" else 2
        middle = len(units) // 2
        ax.loglog(
            units, [time[middle] * (n / units[middle]) ** power for n in units], ":",
            color=style.GREY, linewidth=1, zorder=0,
            label=f"proportional to N{'²' if power == 2 else ''}",
        )  # fmt: skip
    ax.set_xticks(units, [f"{n:.0f}" for n in units])
    ax.minorticks_off()
    ax.set(xlabel="units N (radius 4)", ylabel="time per step, ms")
    ax.legend()
    return ax


def draw_density(style, table):
    ax = style.new_axes()
    for wiring, colour in (("local", "blue"), ("random", "green")):
        density, time = table.curve("density", experiment="density", side="lmrnn", wiring=wiring)
        label = f"lmrnn, {wiring}"
        ax.loglog([100 * d for d in density], time, "o-", color=style.COLOURS[colour], label=label)
    density, time = table.curve("density", experiment="density", side="lmrnn", wiring="dense")
    ax.loglog(100, time[0], "s", color=style.COLOURS["black"], label="lmrnn, dense")
    density, time = table.curve("density", experiment="density", side=table.peer())
    ax.loglog(
        [100 * d for d in density], time, "o-", color=style.COLOURS["orange"],
        label=NAMES[table.peer()],
    )  # fmt: skip
    ticks = (0.5, 1, 2, 5, 10, 20, 50, 100)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    times = (10, 20, 50, 100, 200, 400)
    ax.set_yticks(times, [str(time) for time in times])
    ax.set(xlabel="density of synapses, % (N = 1024)", ylabel="time per step, ms", ylim=(10, 500))
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.87))
    return ax


def draw_threads(style, table):
    ax = style.new_axes()
    for units, colour, rise in ((256, "sky", 0), (1024, "blue", 4), (2500, "purple", -4)):
        threads, time = table.curve("threads", experiment="threads", units=units)
        speed_up = [time[0] / t for t in time]
        ax.plot(threads, speed_up, "o-", color=style.COLOURS[colour], label=f"N = {units}")
        ax.annotate(
            f"{speed_up[-1]:.2f}", (threads[-1], speed_up[-1]), xytext=(5, rise),
            textcoords="offset points", va="center", color=style.COLOURS[colour], fontsize=8,
        )  # fmt: skip
    ax.plot(threads, threads, ":", color=style.GREY, linewidth=1, zorder=0, label="proportional")
    ax.set_xticks(threads, [f"{n:.0f}" for n in threads])
    ax.set(xlabel="threads", ylabel="speed-up", xlim=(0.9, 2.2))
    ax.legend()
    return ax


def draw(path, directory):
    style, table = house_style(), Table(path)
    directory.mkdir(parents=True, exist_ok=True)
    for name, function in (
        ("units", draw_units), ("density", draw_density), ("threads", draw_threads),
    ):  # fmt: skip
        style.save(style.figure(function)(style, table), directory / f"scaling-{name}.svg")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure", help="writes the table")
    measuring.add_argument("table", type=pathlib.Path)
    measuring.add_argument("--driver", default="build/release/bench/bench_driver")
    drawing = verbs.add_parser("draw", help="draws the figures of a table")
    drawing.add_argument("table", type=pathlib.Path)
    drawing.add_argument("directory", type=pathlib.Path)
    options = parser.parse_args()
    if options.verb == "measure":
        measure(options.driver, options.table)
    else:
        draw(options.table, options.directory)


if __name__ == "__main__":
    main()
