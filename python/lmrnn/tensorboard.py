"""TensorBoard event files, written with TensorBoard's own writer: during a training, alongside it, or afterwards.

    trainer.run(lmrnn.tensorboard.Callback("logs/first"))     # in the training program
    python -m lmrnn.tensorboard runs/first --follow            # during any run, until it is done
    lmrnn.tensorboard.write_events("runs/first")               # afterwards

Writing again changes nothing: a value is written only if the folder does not have it yet. So you can repeat the
command, and kill and resume a run and its callback with the same folder.

Then `tensorboard --logdir runs`. Needs the extra "tensorboard": pip install 'lmrnn[tensorboard]'.
Any other logger is a callback too: `trainer.run(lambda p: wandb.log({"loss": p.loss}, step=p.step))`.
"""

from __future__ import annotations

import argparse
import math
import re
import struct
import sys
import time
from datetime import datetime
from os import PathLike
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from . import RunError, UsageError, _core
from .run import Run
from .writing import told

METRICS = {
    "loss": "loss",
    "gradient_norm": "gradient norm",
    "learning_rate": "learning rate",
    "clipped_share": "clipped share",
    "mean_accuracy": "accuracy/mean",
    "mean_trial_accuracy": "accuracy/whole trials",
    "mean_share_of_ceiling": "accuracy/share of ceiling",
    "worst_share_of_ceiling": "accuracy/worst task",
    "tasks_solved": "tasks solved",
}


def _float32(value: float) -> float:
    """The value as stored in an event file."""
    return struct.unpack("f", struct.pack("f", value))[0]


def _written_values(folder: Path) -> dict[tuple[str, int], float]:
    """The last value in a folder's event files, by tag and step, oldest file first."""
    values = {}
    for path in sorted(folder.glob("events.out.tfevents.*"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        # A file of a process that was killed may end with half an event.
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    values[value.tag, event.step] = value.simple_value
    return values


def _wait_for_a_later_name(folder: Path) -> None:
    """Waits until a new file's name sorts last. TensorBoard reads files in the order of their names, which contain the
    second of their creation, then the process number. A second file of the same second might come first, with later
    steps before earlier ones."""
    seconds = [int(m[1]) for path in folder.glob("events.out.tfevents.*")
               if (m := re.match(r"events\.out\.tfevents\.(\d+)\.", path.name))]
    give_up = time.monotonic() + 2  # in case the clock was set back
    while seconds and int(time.time()) <= max(seconds) and time.monotonic() < give_up:
        time.sleep(0.02)


class _Writer:
    """Writes values that the folder does not have yet. Creates nothing before there is something to write."""

    def __init__(self, folder: str | PathLike):
        self._folder = Path(folder)
        self._written = _written_values(self._folder)
        self._file = None

    def add(self, step: int, values: dict[str, float], wall_time: float) -> None:
        new = {}
        for tag, value in values.items():
            # A run that was resumed with different bits (on another SIMD target) has different values.
            value = _float32(value)
            if not math.isnan(value) and self._written.get((tag, int(step))) != value:
                new[tag] = self._written[tag, int(step)] = value
        if not new:
            return
        if self._file is None:
            _wait_for_a_later_name(self._folder)
            with told(self._folder, "written", "choose another folder with --out (in Python: folder=)"):
                self._file = EventFileWriter(str(self._folder))
        summary = Summary(value=[Summary.Value(tag=t, simple_value=x) for t, x in new.items()])
        self._file.add_event(Event(step=int(step), wall_time=wall_time, summary=summary))

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Callback:
    """A callback of lmrnn.Trainer.run that writes the loss of every `every`-th step and all accuracies after each
    evaluation. The command and `write_events` write the content of the run's tables: their "loss" is a mean over steps,
    and they add the gradient norm and the learning rate. Use the same folder when you resume the run: the steps between
    its last checkpoint and the end of the process are not written twice."""

    def __init__(self, folder: str | PathLike, every: int = 10):
        self.every = every
        self._writer = _Writer(folder)

    def __call__(self, progress: _core.Progress) -> None:
        values = {}
        if progress.step % self.every == 0 or progress.evaluated_now:
            values["loss of one step"] = progress.loss  # "loss" is the mean of the steps between two rows
        if progress.evaluated_now:
            evaluation = progress.evaluation
            scores = {
                METRICS["mean_accuracy"]: evaluation.mean_accuracy,
                METRICS["mean_trial_accuracy"]: evaluation.mean_trial_accuracy,
                METRICS["mean_share_of_ceiling"]: evaluation.mean_share_of_ceiling,
                METRICS["worst_share_of_ceiling"]: evaluation.worst_share_of_ceiling,
                METRICS["tasks_solved"]: evaluation.n_solved,
            }
            scores |= {f"tasks/{task.name}": task.decision_accuracy for task in evaluation.tasks}
            # Rounded as in the run's tables, so that the command finds them already written.
            values |= {tag: round(score, 6) for tag, score in scores.items()}
        if values:
            self._writer.add(progress.step, values, time.time())
            # A run that is killed and resumed does not repeat steps before its last checkpoint, so they must be on
            # disk.
            self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Follower:
    """Writes the rows of a run's tables that it has not written yet."""

    def __init__(self, run: str | PathLike, folder: str | PathLike | None):
        self.directory = Path(run)
        self._writer = _Writer(self.directory / "tensorboard" if folder is None else folder)
        self._steps = {"metrics": -1, "tasks": -1}

    def catch_up(self) -> bool:
        """Writes all new rows; returns whether the run is done."""
        run = Run(self.directory)  # before the tables: a run that is done has all its rows
        started = run.provenance["sessions"][0]["started"]
        start = datetime.fromisoformat(started.replace("Z", "+00:00")).timestamp()
        clock = {}
        for row in run.metrics.rows():
            clock[row["step"]] = start + row["seconds"]
            if row["step"] > self._steps["metrics"]:
                values = {tag: row[key] for key, tag in METRICS.items()}
                self._writer.add(row["step"], values, clock[row["step"]])
                self._steps["metrics"] = row["step"]
        self._write_tasks(run, clock)
        self._writer.flush()
        return run.done

    def _write_tasks(self, run: Run, clock: dict) -> None:
        new = run.tasks.where(run.tasks["step"] > self._steps["tasks"])
        # A row may be on disk before the row of the same step in the other table.
        new = new.where([step in clock for step in new["step"]]) if new.n_rows else new
        for row in new.rows():
            values = {f"tasks/{row['task']}": row["decision_accuracy"]}
            self._writer.add(row["step"], values, clock[row["step"]])
            self._steps["tasks"] = row["step"]

    def close(self) -> None:
        self._writer.close()


def write_events(run: str | PathLike, folder: str | PathLike | None = None) -> None:
    """Event files with everything that a run has written so far; in RUN/tensorboard unless `folder` is given."""
    follower = _Follower(run, folder)
    follower.catch_up()
    follower.close()


def follow(
    run: str | PathLike, folder: str | PathLike | None = None, *, seconds: float = 5
) -> None:
    """Writes event files while a run is training, checking every `seconds` seconds, until it is done."""
    follower = _Follower(run, folder)
    try:
        while not follower.catch_up():
            time.sleep(seconds)
    finally:
        follower.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lmrnn.tensorboard", description="Write TensorBoard event files of a run."
    )
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument("--out", metavar="DIR", help="default: tensorboard in that directory")
    parser.add_argument("--follow", action="store_true", help="keep writing until the run is done")
    options = parser.parse_args(arguments)
    try:
        (follow if options.follow else write_events)(options.run, options.out)
    except KeyboardInterrupt:
        return 0
    except (UsageError, RunError) as error:
        print(f"lmrnn.tensorboard: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
