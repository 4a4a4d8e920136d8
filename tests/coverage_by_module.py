#!/usr/bin/env python3
"""Coverage by module from gcovr's JSON, and the lines that no test reached.

    tests/coverage_by_module.py build/coverage/lines.json
"""

import json
import sys
from collections import defaultdict
from itertools import groupby


def ranges(numbers):
    """[1, 2, 3, 7] -> "1-3 7"."""
    parts = []
    for _, group in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        parts.append(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}")
    return " ".join(parts)


def main():
    modules, missing = defaultdict(lambda: [0, 0]), []
    for file in json.load(open(sys.argv[1], encoding="utf-8"))["files"]:
        module = "/".join(file["file"].split("/")[:2])
        lines = defaultdict(int)  # a template's line occurs once per instance
        for line in file["lines"]:
            if not line.get("gcovr/noncode"):
                lines[line["line_number"]] += line["count"]
        modules[module][0] += sum(count > 0 for count in lines.values())
        modules[module][1] += len(lines)
        never = [number for number, count in lines.items() if count == 0]
        if never:
            missing.append((file["file"], ranges(never)))
    for name, numbers in missing:
        print(f"{name}: {numbers}")
    print()
    for module, (covered, total) in sorted(modules.items()):
        print(f"{module:16} {covered:5} of {total:5} lines  {100 * covered / max(total, 1):5.1f}%")


if __name__ == "__main__":
    main()
