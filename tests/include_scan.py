#!/usr/bin/env python3
"""Checks the dependencies between modules: prints every include, and every use of the outside world, that the design
forbids, one per line, and exits 1 if there is any. It also reports kernels that are called on the SIMD target of the
whole process, and public classes whose comment does not say what threads may share.

A module may include public headers (include/lmrnn), its own headers, those in the folder "shared" of a module that it
may use, and the kernels' headers.

    python3 tests/include_scan.py [ROOT]
"""

import re
import sys
from pathlib import Path

# Direct dependencies; a module may also include what those modules may.
ARROWS = {
    "core": [],
    "kernels": ["core"],
    "wiring": ["core"],
    "tasks": ["core", "kernels"],
    "rnn": ["core", "kernels", "wiring"],
    "eval": ["core", "rnn", "tasks"],
    "train": ["core", "kernels", "eval"],
    "analysis": ["core", "eval", "wiring"],
    "study": ["core", "train", "analysis"],
}

# Public headers, by the module that implements them.
HEADERS = {
    "analysis": "analysis",
    "array": "core",
    "ceiling": "tasks",
    "check": "core",
    "config": "core",
    "continuous": "eval",
    "curriculum": "train",
    "error": "core",
    "evaluate": "eval",
    "files": "core",
    "golden": "tasks",
    "lesion": "eval",
    "machine": "core",
    "mpi": "train",
    "network": "rnn",
    "operation": "rnn",
    "processes": "core",
    "psychometric": "analysis",
    "random": "core",
    "run": "train",
    "run_config": "train",
    "run_tables": "train",
    "seed": "core",
    "simd": "kernels",
    "statistics": "study",
    "streams": "tasks",
    "table": "core",
    "study": "study",
    "zoo": "train",
    "study_config": "study",
    "tasks": "tasks",
    "threads": "core",
    "trials": "core",
    "train": "train",
    "version": "core",
    "wiring": "wiring",
    "wiring_paths": "wiring",
}

# Headers that other modules may include in addition to public ones: those in a module's folder "shared". The
# kernels' only public header is simd.hpp: modules that may use them may include all of their headers.
SHARED = "shared"
OPEN_TO_MODULES = {"kernels"}
# The thread pool and the kernels' dispatch share the choice of a thread; no other module needs it.
OPEN_HEADERS = {("kernels", "core/simd_choice.hpp")}

# Third-party headers stay where they are used: include prefix -> directory.
THIRD_PARTIES = {
    "CLI/": "src/cli",
    "hwy/": "src/kernels",
    "nanobind/": "python/bindings",
    "toml++/": "src/core",
    "Random123/": "src/core",
    "hdf5": "src/core",
    "zip.h": "src/core",
    "sqlite3": "src/study",
    "mpi.h": "src/train",
}

# The library communicates only with its caller.
OUTSIDE_WORLD = re.compile(
    r"\b(std::c(?:out|err|log)|f?printf|puts|fmt::print|getenv|std::exit|abort|"
    r"spdlog::\w+)\s*[(<]|#\s*include\s*<iostream>"
)

# Highway's choice of a target applies to all runs of a process; ours is in kernels/dispatch.hpp.
PROCESS_WIDE = re.compile(r"\b(HWY_DYNAMIC_DISPATCH|SetSupportedTargetsForTest|DisableTargets)\b")
# Except for a development check that fails: it ends the process and says why.
SPEAKS = "src/core/check.cpp"

# A class with a body; exceptions are values like any struct.
CLASS = re.compile(r"^class (?P<name>\w+)\b(?! : public (?:Error|RunError|std::)).* \{")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def reachable(module):
    """The module and all modules that it may include."""
    modules = {module}
    for other in ARROWS[module]:
        modules |= reachable(other)
    return modules


def module_of_file(path, root):
    """core, ..., cli, or None (tests, benchmarks: no restrictions)."""
    parts = path.relative_to(root).parts
    if parts[:2] == ("include", "lmrnn"):
        return HEADERS.get(path.stem, "unknown")
    if parts[0] == "src":
        return parts[1]
    if parts[:2] == ("python", "bindings"):
        return "bindings"
    return None


def module_of_include(name, path, root):
    """The module of an include, or None if it is not ours."""
    if name.startswith("lmrnn/"):
        return HEADERS.get(Path(name).stem, "unknown")
    for candidate in (path.parent / name, root / "src" / name):
        if candidate.is_file() and (root / "src").resolve() in candidate.resolve().parents:
            return module_of_file(candidate.resolve(), root.resolve())
    return None


def check_include(name, path, root):
    """The violation of one include, or None."""
    module = module_of_file(path, root)
    target = module_of_include(name, path, root)
    if target == "unknown":
        return f"{name} belongs to no module; add it to HEADERS of tests/include_scan.py"
    for prefix, home in THIRD_PARTIES.items():
        if name.startswith(prefix) and not str(path.relative_to(root)).startswith(home + "/"):
            return f"{name} is for {home} only"
    if target is None:
        return None
    if module in ("cli", "bindings"):
        if target != module and not name.startswith("lmrnn/"):
            return f"{module} must not include {name}: public headers only"
        return None
    if module not in ARROWS:
        return f"module {module} is not in ARROWS of tests/include_scan.py"
    if target not in reachable(module):
        return f"{module} must not include {name} ({target})"
    is_private = not name.startswith("lmrnn/") and SHARED not in Path(name).parts[1:-1]
    if (module, name) in OPEN_HEADERS or target in OPEN_TO_MODULES:
        return None
    if target != module and is_private:
        return (f"{module} must not include {name}, which is private to {target}; "
                f"move what both need to src/{target}/{SHARED} or a public header")
    return None


def without_comments(line):
    return line.split("//", 1)[0]


def classes_without_threads(lines):
    """Line numbers and names of the classes whose comment has no line "Threads: ..."."""
    comment = []
    for number, line in enumerate(lines, 1):
        if line.startswith("///"):
            comment.append(line)
        elif match := CLASS.match(line):
            if not any(text.startswith("/// Threads: ") for text in comment):
                yield number, match["name"]
            comment = []
        elif not line.startswith("template"):
            comment = []


def scan(root):
    """All violations in a source tree, as `file:line: what`."""
    violations = []
    files = sorted(
        path
        for top in ("include", "src", "python/bindings")
        for path in (root / top).rglob("*")
        if path.suffix in (".hpp", ".cpp")
    )
    if not files:
        return [f"{root}: no sources here"]
    for path in files:
        module = module_of_file(path, root)
        where = path.relative_to(root)
        if module == "unknown":
            violations.append(f"{where}:1: {check_include('lmrnn/' + path.name, path, root)}")
            continue
        lines = path.read_text().splitlines()
        if where.parts[0] == "include":
            for number, name in classes_without_threads(lines):
                violations.append(
                    f'{where}:{number}: say of {name} what threads may share: "/// Threads: ..."')
        for number, line in enumerate(lines, 1):
            code = without_comments(line)
            if match := PROCESS_WIDE.search(code):
                violations.append(
                    f"{where}:{number}: {match[0]} is for the whole process; use LMRNN_DISPATCH")
            if match := INCLUDE.match(code):
                if wrong := check_include(match[1], path, root):
                    violations.append(f"{where}:{number}: {wrong}")
            speaks = module in ("cli", "bindings") or str(where) == SPEAKS
            if not speaks and (match := OUTSIDE_WORLD.search(code)):
                violations.append(f"{where}:{number}: a library does not use {match[0].strip()}")
    return violations


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    violations = scan(root)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
