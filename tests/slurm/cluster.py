"""A Slurm cluster for a test program (tests/slurm/cluster.sh), and when to skip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def skip_unless_possible():
    """Ends the program with status 77 if no cluster can be started."""
    missing = [p for p in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(p)]
    reason = "not root" if os.geteuid() != 0 else f"{', '.join(missing)} not installed"
    if os.geteuid() != 0 or missing:
        print(f"skipped: {reason}")
        sys.exit(77)


def run(*command, check=True, **options):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600,
                            **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def start(directory):
    """Starts a cluster in the directory, and lets this process and its children use it."""
    out = run(HERE / "cluster.sh", "start", directory).stdout
    os.environ["SLURM_CONF"] = out.split("=", 1)[1].strip()


def stop(directory):
    run("scancel", "--user=root", check=False)
    run(HERE / "cluster.sh", "stop", directory)
