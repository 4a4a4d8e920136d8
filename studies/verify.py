#!/usr/bin/env python3
"""Checks the pages of results against the committed tables of the studies.

    studies/verify.py               # with the package's Python; `lmrnn` on the PATH, or in LMRNN
    studies/verify.py --write       # writes the tables between the marks again
    studies/verify.py --list        # numbers that are in no table, page by page

Every study whose results are committed (docs/results/data/STUDY.csv) is collected again: `lmrnn study collect` makes
its tables from that file and the study's TOML alone, so no run is repeated. Then:

- Tables between `<!-- contrasts: STUDY MEASURE... -->` and `<!-- end -->` must match the tables of the study.
- Every other number with at least three digits on a page must be in a table of a study (or of an analysis of
  one) that the page names, to the digits that are printed. A page lists those that come from elsewhere
  (seconds, equations, other sources), with the reason: `<!-- not in tables: 46, 0.62; reason -->`.
- No contrast of fewer than six pairs may be called supported or refuted: those words may be only in a table between
  the marks, or in a line that quotes a claim's criterion.
- A study's first run must have started after its claim and criterion were committed (six old ones cannot prove it,
  and are listed).

Exit status 1 if any check fails.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs/results/data"
# Their claim and criterion were committed together with their results, so the order of the two cannot be proved. Every
# later study must prove it.
ORDER_NOT_SHOWN = {"e1-small", "e3-small", "e4-long-small", "e4-matched-small", "e4-small", "e5-small"}
MARKED = re.compile(r"<!-- contrasts: (\S+)((?: \S+)*) -->\n(.*?)<!-- end -->", re.S)
NOT_IN_TABLES = re.compile(r"<!-- not in tables: ([^;]*);.*?-->", re.S)
# Code, links, other comments: text that is not a statement about a study.
NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->|https?://\S+|\d{4}-\d\d-\d\d[^.\n`]*|\d{4}\.\d{5}|AVX-512", re.S)
NUMBER = re.compile(r"(?<![\w.,/])[−-]?(\d{1,3}(?: \d{3})+(?!\d)|\d+)(\.\d+)?(%| thousand)?(?![\w/])")


def collect(study, out):
    """The tables of a study, made from its committed results: rows as dictionaries, by name of the table."""
    program = os.environ.get("LMRNN", "lmrnn")
    subprocess.run([program, "study", "collect", study, "--out", out], check=True, stdout=subprocess.DEVNULL)
    return {path.stem: read(path) for path in sorted((out / "tables").glob("*.csv"))}


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def values_of(rows):
    return {value for row in rows for text in row.values() if (value := number(text)) is not None}


def means(rows, by, of):
    """Means of a column over rows that agree in the columns `by`."""
    groups = defaultdict(list)
    for row in rows:
        if (value := number(row[of])) is not None:
            groups[tuple(row[column] for column in by)].append(value)
    return {float(np.mean(group)) for group in groups.values()}


def known_values(study, tables):
    """Every number that a page may state about a study: its tables, means by kind of task, the number of runs, its
    analyses, and the numbers of its TOML."""
    name = study.stem
    known = {float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", study.read_text())}
    known |= {float(len(rows)) for rows in tables.values()} | {float(len({r["hash"] for r in tables["runs"]}))}
    # Without the tables of curves and of single tasks, because almost any number would be found among so many.
    for table in ("cells", "runs", "contrasts", "best", "tuning"):
        known |= values_of(tables.get(table, []))
    known |= means(tables["tasks"], ["cell", "kind"], "share_of_ceiling")
    known |= means(tables["tasks"], ["run", "kind"], "share_of_ceiling")
    others = [s.stem for s in study.parent.glob(f"{name}-*.toml")]
    for path in DATA.glob(f"{name}-*.csv"):
        if any(path.stem == other or path.stem.startswith(other + "-") for other in others):
            continue  # of a study whose name begins with this one's
        rows = read(path)
        known |= values_of(rows)
        labels = [c for c in rows[0] if c != "seed" and any(number(row[c]) is None for row in rows)]
        for column in set(rows[0]) - set(labels) - {"seed"}:
            known |= means(rows, labels, column)
    return known


def decimals(match):
    """The number that a page prints, and half a unit of its last digit."""
    whole, fraction, unit = match.groups()
    digits = whole.replace(" ", "")
    value = float(digits + (fraction or ""))
    if fraction:
        half = 0.5 * 10.0 ** (1 - len(fraction))
    else:
        half = 0.5 * 10.0 ** (len(digits) - len(digits.rstrip("0"))) if value else 0.5
    scale = {"%": 0.01, " thousand": 1000}.get(unit, 1)
    return value * scale, half * scale, len((digits + (fraction or "").strip(".")).lstrip("0"))


def unknown_numbers(text, known):
    """Numbers of at least three digits that are in no table, as printed."""
    known = np.abs(np.array(sorted(known)))
    found = []
    for match in NUMBER.finditer(NOT_PROSE.sub(" ", text)):
        value, half, n_digits = decimals(match)
        if n_digits >= 3 and not np.any(np.abs(known - value) <= half * 1.0001):
            found.append(match.group().lstrip("−-"))
    return list(dict.fromkeys(found))


def three(text):
    """Three significant digits, as printed on pages."""
    value = number(text)
    if value is None or np.isnan(value):
        return ""
    return f"{float(f'{value:.3g}'):g}".replace("-", "−")


def contrast_table(rows, measures):
    """The Markdown table of a study's contrasts."""
    lines = ["| contrast | where | measure | effect | pairs | p (least) | verdict |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["measure"] not in measures or row["pairs"] == "0":
            continue
        ratio = row["scale"] == "ratio"
        keys = ("ratio", "ratio_lower", "ratio_upper") if ratio else ("difference", "lower", "upper")
        estimate, lower, upper = (three(row[key]) for key in keys)
        missed = int(row["censored_a"]) + int(row["censored_b"])
        note = f"; {row['censored_a']} and {row['censored_b']} missed it" if missed else ""
        few = "descriptive" if int(row["pairs"]) < 6 else ""
        lines.append(
            f"| {row['a']} {'/' if ratio else '−'} {row['b']} | {row['where']} | {row['measure']} "
            f"| {estimate} ({lower} to {upper}{note}) | {row['pairs']} | {three(row['p'])} ({three(row['least_p'])}) "
            f"| {row['verdict'] or few} |"
        )
    return "\n".join(lines) + "\n"


def registered_when(study):
    """When the claim and the criterion of a study file got their present wording; None without a git history."""
    words = tomllib.loads(study.read_text())
    log = subprocess.run(["git", "log", "--format=%H %cI", "--", study], cwd=ROOT, capture_output=True, text=True)
    when = None
    for line in log.stdout.splitlines():
        commit, date = line.split()
        shown = subprocess.run(["git", "show", f"{commit}:{study.relative_to(ROOT)}"], cwd=ROOT,
                               capture_output=True, text=True)
        if shown.returncode:
            break
        then = tomllib.loads(shown.stdout)
        if any(then.get(key) != words.get(key) for key in ("claim", "support")):
            break
        when = datetime.fromisoformat(date)
    return when


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    wrong = []
    tables, known = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        for study in sorted((ROOT / "studies").glob("*.toml")):
            if (DATA / f"{study.stem}.csv").exists():
                tables[study.stem] = collect(study, Path(scratch) / study.stem)
                known[study.stem] = known_values(study, tables[study.stem])
                started = [row["started"] for row in tables[study.stem]["times"] if row["started"]]
                when = registered_when(study)
                late = started and when and datetime.fromisoformat(min(started)) < when
                if late and study.stem not in ORDER_NOT_SHOWN:
                    wrong.append(f"{study.relative_to(ROOT)}: its first run started at {min(started)}, before its "
                                 f"criterion was committed ({when.isoformat()})")
    n_tables = n_numbers = 0
    for page in sorted((ROOT / "docs/results").glob("*.md")):
        text = page.read_text()

        def renewed(match):
            name, measures, _ = match.groups()
            return (f"<!-- contrasts: {name}{measures} -->\n"
                    f"{contrast_table(tables[name]['contrasts'], measures.split())}<!-- end -->")

        new = MARKED.sub(renewed, text)
        n_tables += len(MARKED.findall(text))
        if new != text and options.write:
            page.write_text(new)
        elif new != text:
            wrong.append(f"{page.relative_to(ROOT)}: a table of contrasts is not what the tables say; "
                         "studies/verify.py --write writes it again")
        summary = page.name == "studies.md"
        named = [name for name in known if summary or re.search(rf"\b{re.escape(name)}\b", text)]
        if not named:
            continue
        allowed = {part.strip() for match in NOT_IN_TABLES.finditer(text) for part in match[1].split(",")}
        missing = [n for n in unknown_numbers(MARKED.sub("", text), set().union(*(known[n] for n in named)))
                   if n not in allowed]
        n_numbers += len(list(NUMBER.finditer(NOT_PROSE.sub(" ", text))))
        if options.list:
            print(f"{page.relative_to(ROOT)} ({', '.join(named)}): {', '.join(missing) or 'none'}")
        elif missing:
            wrong.append(f"{page.relative_to(ROOT)}: in no table of {', '.join(named)}: {', '.join(missing)}")
        for line in MARKED.sub("", text).splitlines():
            if re.search(r"\b(is|are|was|were) (supported|refuted)\b", line):
                wrong.append(f"{page.relative_to(ROOT)}: a verdict outside of a table of contrasts: {line.strip()}")
    for what in wrong:
        print(what, file=sys.stderr)
    print(f"order of criterion and first run not shown: {', '.join(sorted(ORDER_NOT_SHOWN))}")
    print(f"{len(known)} studies, {n_tables} tables of contrasts and {n_numbers} numbers looked at: "
          f"{len(wrong)} faults")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
