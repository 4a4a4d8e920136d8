#!/usr/bin/env bash
# Python 3.11 on Linux: where SIGCHLD is ignored, every failed child process "succeeds". (2026-11-28)
#
# A good guess: subprocess.run([...], check=True) raises when the command fails. If its status
#               cannot be known, that is an error too.
# Instead:      a process whose parent ignored SIGCHLD ignores it as well (the setting survives
#               exec). The kernel then keeps no status, waitpid answers ECHILD, and subprocess turns
#               this into returncode 0. A crashed training run, a killed one and a failed one all
#               count as done. Launchers and services that ignore SIGCHLD so as to leave no zombies
#               do this to every script below them.
# What to do:   signal.signal(signal.SIGCHLD, signal.SIG_DFL) before the first child; judge a run by
#               what it wrote last, not by its status alone.
. "$(dirname "$0")/packages.inc"
observe <<'PYTHON'
import os
import signal
import subprocess
import sys

program = """
import signal, subprocess, sys
if sys.argv[1] == "default":
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
print(*[subprocess.run(["sh", "-c", c]).returncode for c in ("exit 0", "exit 3", "kill -9 $$")])
try:
    subprocess.run(["false"], check=True)
    print("check=True: no error")
except subprocess.CalledProcessError:
    print("check=True: raises")
"""

def launch(*arguments, ignore):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if ignore:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.dup2(write, 1)
        os.execv(sys.executable, [sys.executable, "-c", program, *arguments])
    os.close(write)
    with os.fdopen(read) as out:
        text = out.read().splitlines()
    os.waitpid(child, 0)
    return text

print("Python", sys.version.split()[0])
usual, ignored, reset = launch("as it is", ignore=False), launch("as it is", ignore=True), launch("default", ignore=True)
print("codes of exit 0, exit 3, kill -9:                ", *usual)
print("the same, below a launcher that ignores SIGCHLD: ", *ignored)
print("the same, with SIGCHLD set back first:           ", *reset)
assert usual == reset == ["0 3 -9", "check=True: raises"]
assert ignored == ["0 0 0", "check=True: no error"]
PYTHON
