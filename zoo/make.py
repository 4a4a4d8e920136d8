#!/usr/bin/env python3
"""Makes a network of the zoo again and compares it, bit for bit, with the one that is kept.

  zoo/make.py cog20-autapse-256                     # builds its commit first
  zoo/make.py cog20-autapse-256 --program PATH      # with a program of that commit
  zoo/make.py --list

Exit status 0: the same bits; 1: others, or a failure.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from entries import ROOT, ZOO, index, network_file, sha256


def run(*words, **options):
    print("+", *words, file=sys.stderr)
    subprocess.run([str(word) for word in words], check=True, **options)


def build(commit: str, folder: Path) -> Path:
    """The program of a commit of this repository, in `folder`."""
    source = folder / "source"
    run("git", "clone", "--quiet", "--no-checkout", ROOT, source)
    run("git", "-C", source, "checkout", "--quiet", commit)
    switches = [f"-DLMRNN_BUILD_{part}=OFF" for part in ("PYTHON", "TESTS", "BENCH")]
    run("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *switches,
        stdout=subprocess.DEVNULL)
    run("cmake", "--build", folder / "build", "--target", "lmrnn_program", stdout=subprocess.DEVNULL)
    return folder / "build/src/cli/lmrnn"


def check_program(program: Path, entry: dict) -> None:
    info = json.loads(subprocess.run([program, "info", "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout)
    if info["commit"] != entry["commit"]:
        sys.exit(f"zoo/make.py: {program} is of commit {info['commit']}, and the network is of {entry['commit']}; "
                 "leave --program out to build that")
    if entry["simd"] not in info["simd_targets"]:
        sys.exit(f"zoo/make.py: the network was made with {entry['simd']}, which this processor does not have; it has "
                 + ", ".join(info["simd_targets"]))


def make(name: str, entry: dict, program: Path | None, threads: int, out: Path | None) -> bool:
    with tempfile.TemporaryDirectory() as temporary:
        program = program or build(entry["commit"], Path(temporary))
        check_program(program, entry)
        out = out or Path(temporary) / "run"
        run(program, "train", ZOO / name / "config.toml", "--out", out, "--threads", threads)
        made = sha256(network_file(out))
    print(f"{name}: made again {made}\n{name}: kept       {entry['sha256']}")
    return made == entry["sha256"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--list", action="store_true", help="names, and what they score")
    parser.add_argument("--program", type=Path, help="an lmrnn of the commit that made it")
    parser.add_argument("--threads", type=int, default=0, help="any number gives the same bits; 0: all")
    parser.add_argument("--out", type=Path, help="keep the run in this directory")
    options = parser.parse_args()
    networks = index()["networks"]
    if options.list:
        for name, n in networks.items():
            print(f"{name:<32} {n['tasks_passed']} of {n['n_tasks']} tasks, {n['seconds'] / 60:.1f} min, {n['commit'][:12]}")
        return 0
    if options.name not in networks:
        sys.exit(f"zoo/make.py: {options.name or 'no name'}: there is no such network; there are: " + ", ".join(networks))
    same = make(options.name, networks[options.name], options.program, options.threads, options.out)
    print(f"{options.name}: {'the same bits' if same else 'OTHER BITS'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
