"""The command line of lmrnn-report: same conventions as the program's verbs."""

from __future__ import annotations

import argparse

from ..program import run_verb
from . import write_report


def run(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="lmrnn report",
        description="Write one self-contained HTML file about a run or a study.",
        epilog="Example:\n  lmrnn report runs/quickstart --out quickstart.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subject", metavar="RUN|STUDY|zoo:NAME",
                        help="run directory, study directory or zoo:NAME")
    parser.add_argument("--against", metavar="RUN", help="a second run to compare the first one with")
    parser.add_argument("--out", metavar="FILE",
                        help="default: report.html in that directory, runs/NAME/report.html for zoo:NAME")
    options = parser.parse_args(arguments)
    return run_verb("report", lambda: write_report(options.subject, options.out, against=options.against))
