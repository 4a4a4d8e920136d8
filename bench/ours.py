"""Our side: bench_driver, started for a workload."""

import json
import pathlib
import subprocess

from processes import Process


class Ours:
    def __init__(self, driver, directory, log):
        self.driver, self.directory, self.log = driver, pathlib.Path(directory), log
        self.n_runs = 0

    def _config(self, workload):
        path = self.directory / f"{workload.id}.toml"
        path.write_text(workload.config())
        return path

    def peak(self):
        """The FMA peak of one core, and information about this build."""
        return json.loads(subprocess.check_output([self.driver, "peak"]))

    def problem(self, workload, n_batches):
        """Writes the problem for the peers; returns its path."""
        path = self.directory / f"{workload.id}.npz"
        trials = "with-trials" if workload.kind == "evaluate" else "batches"
        subprocess.run(
            [self.driver, "problem", self._config(workload), path, str(n_batches), trials],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return path

    def start(self, workload, n_threads):
        """Starts our side; returns the process and the description of the workload."""
        arguments = [self._config(workload)]
        if workload.kind == "step":
            self.n_runs += 1
            arguments += [self.directory / f"run-{self.n_runs}", n_threads]
        if workload.kind == "evaluate":
            arguments.append(n_threads)
        mode = {"step": "train"}.get(workload.kind, workload.kind)
        process = Process([self.driver, mode, *arguments], n_threads, self.log)
        return process, process.read()
