"""Processes that answer a line of standard input with a line of JSON."""

import json
import os
import select
import subprocess
import time

# Time limit of a single command, including compilation.
PATIENCE_SECONDS = 420


class Failed(Exception):
    """A process that died, or did not answer in time."""


class Process:
    """`command` bound to `n_threads` processors; the limit is also set in each library's own way."""

    def __init__(self, command, n_threads, log):
        processors = sorted(os.sched_getaffinity(0))[-n_threads:]
        environment = dict(os.environ, OMP_NUM_THREADS=str(n_threads))
        environment["MKL_NUM_THREADS"] = str(n_threads)
        self.name = os.path.basename(str(command[0]))
        self.log = log
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        self.pending = b""

    def read(self, patience=PATIENCE_SECONDS):
        end = time.monotonic() + patience
        stdout = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            ready, _, _ = select.select([stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Failed(f"gave no answer within {patience} s")
            received = os.read(stdout, 1 << 16)
            if not received:
                raise Failed(f"ended with status {self.process.wait()}; see {self.log.name}")
            self.pending += received
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def ask(self, *words, patience=PATIENCE_SECONDS):
        try:
            self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"ended with status {self.process.wait()}; see {self.log.name}") from None
        return self.read(patience)

    def close(self):
        """Kills the process, which is not needed any more."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
