"""Runs the program under test; LMRNN in the environment is its path."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from functools import cached_property
from pathlib import Path

PROGRAM = os.environ["LMRNN"]
ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, **options):
    """The program's exit status, stdout and stderr, as text."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          encoding="utf-8", timeout=600, **options)


def run_on_terminal(arguments, columns, **options):
    """stdout, and what a terminal of that width shows on stderr."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=slave,
                          **options) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        output = process.stdout.read()
    os.close(master)
    return output.decode(), seen.decode()


def wait_until_handled(process, number=signal.SIGINT, seconds=120):
    """Waits until the process has a handler for the signal; before that, the signal would kill it."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.01)
    raise AssertionError(f"no handler of signal {number}; exit status {process.returncode}")


class ProgramTest(unittest.TestCase):
    """Assertions about the conventions of all verbs."""

    @cached_property
    def dir(self):
        """A directory only for this test, removed after it."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return Path(directory.name)

    def output_of(self, *arguments, **options):
        """stdout of a call that must succeed."""
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, 0, f"{arguments}: {result.stderr}")
        return result.stdout

    def assert_refused(self, arguments, *parts, status=2, **options):
        """The call must fail with one line on stderr that contains all of `parts`."""
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, status, f"{arguments}: {result.stderr}")
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("lmrnn"), result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)
