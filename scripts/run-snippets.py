#!/usr/bin/env python3
"""Runs every block of code of README and of the built site as a reader would: in the order of its page, by copying it.

    make docs && .venv/bin/python scripts/run-snippets.py [PAGE...]     PAGE: part of a page's name

Blocks are taken from the rendered HTML, because readers copy from that. Each page has its own directory with studies/
and examples/ of this clone, a (short) run runs/quickstart and, on PATH, the program and Python, as after the first
hour. Python blocks of a page share one process, as in a notebook; a block that begins with "# NAME.toml" is saved under
that name; other TOML must be part of a valid configuration or study. Text is output and not run. Other blocks that are
not run are in docs/snippets-not-run.toml, with the reason.

Prints a line per failure and the counts; exit status 1 if a block failed, or if an entry of that list matches no block.
"""

from __future__ import annotations

import argparse
import html.parser
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SITE = Path(os.environ.get("LMRNN_SITE", ROOT / "build/site"))
OUTPUT = {"text", "csv", "markdown"}
SECONDS = float(os.environ.get("LMRNN_SNIPPET_SECONDS", 200))
"""A shell block that takes longer has failed; a machine that does other work needs more."""


@dataclass
class Block:
    page: str
    number: int
    language: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.page}, block {self.number} ({self.language})"


class Blocks(html.parser.HTMLParser):
    """The code blocks of a page: (language, text)."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._language, self._inside = "text", False

    def handle_starttag(self, tag, attributes):
        classes = dict(attributes).get("class") or ""
        if match := re.search(r"language-(\w+)", classes):
            self._language = match[1]
        if tag == "pre":
            self._inside = True
            self.found.append((self._language, ""))

    def handle_endtag(self, tag):
        if tag == "pre":
            self._inside = False
            self._language = "text"

    def handle_data(self, text):
        if self._inside:
            language, before = self.found[-1]
            language = self._language if not before else language
            self.found[-1] = (language, before + text)


def blocks_of(page: str, text: str) -> list[Block]:
    parser = Blocks()
    parser.feed(text)
    kept = [(language, code.strip("\n")) for language, code in parser.found]
    return [Block(page, i + 1, *one) for i, one in enumerate(kept) if one[1]]


def readme() -> list[Block]:
    """README's blocks; README is not a page of the site, and viewers show its Markdown directly."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
    found = fence.findall((ROOT / "README.md").read_text("utf-8"))
    return [Block("README", i + 1, lang or "text", code.strip("\n")) for i, (lang, code) in enumerate(found)]


def site() -> list[Block]:
    """The blocks of all hand-written pages; generated pages have none to run."""
    found = []
    for path in sorted(SITE.rglob("*.html")):
        page = str(path.relative_to(SITE).with_suffix(""))
        if page.startswith(("reference/", "source/", "404")):
            continue
        text = path.read_text("utf-8")
        body = re.search(r"<article.*?</article>", text, re.S)
        found += blocks_of(page, body[0] if body else text)
    return found


# Running ---------------------------------------------------------------------------------------------

SESSION = """
import os, sys, traceback
answers = os.fdopen(int(sys.argv[1]), "w")
names = {"__name__": "__main__"}
for line in sys.stdin:
    path = line.strip()
    try:
        exec(compile(open(path).read(), path, "exec"), names)
        answer = "done"
    except BaseException:
        traceback.print_exc()
        answer = "failed"
    sys.stderr.flush()
    print(answer, file=answers, flush=True)
"""


@dataclass
class Page:
    """A reader of one page."""

    place: Path
    environment: dict[str, str]
    session: subprocess.Popen | None = None

    def run(self, block: Block) -> str | None:
        """Runs a block; returns None, or the error."""
        if block.language in ("python", "py"):
            return self._python(block)
        if block.language in ("sh", "bash", "console"):
            return self._shell(block)
        if block.language == "toml":
            return self._toml(block)
        return f"nobody knows how to run {block.language}; list it in docs/snippets-not-run.toml"

    def _shell(self, block: Block) -> str | None:
        try:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.code], cwd=self.place,
                                  env=self.environment, capture_output=True, text=True, timeout=SECONDS)  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"took more than {SECONDS:g} s"
        return None if done.returncode == 0 else (done.stderr or done.stdout).strip()[-800:]

    def _python(self, block: Block) -> str | None:
        path = self.place / f".block{block.number}.py"
        path.write_text(block.code)
        if self.session is None:
            read, write = os.pipe()
            self.session = subprocess.Popen(
                ["python", "-c", SESSION, str(write)], cwd=self.place, env=self.environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=open(self.place / ".python.log", "w"), pass_fds=[write],
            )  # fmt: skip
            os.close(write)
            self._answers = os.fdopen(read)
        before = (self.place / ".python.log").stat().st_size
        self.session.stdin.write(f"{path}\n")
        self.session.stdin.flush()
        answer = self._answers.readline().strip()
        if answer == "done":
            return None
        return (self.place / ".python.log").read_text()[before:].strip()[-800:] or "the process ended"

    def _toml(self, block: Block) -> str | None:
        try:
            table = tomllib.loads(block.code)
        except tomllib.TOMLDecodeError as error:
            return str(error)
        if named := re.match(r"# (\S+\.toml)\n", block.code):
            (self.place / named[1]).write_text(block.code + "\n")
            return None
        if any(key in table for key in ("axis", "claim", "tuning", "slurm", "contrast", "override")):
            return self._part_of_study(block.code)
        path = self.place / ".part.toml"
        path.write_text(block.code)
        done = subprocess.run(
            ["python", "-c", "import lmrnn; lmrnn.resolve_config('.part.toml', {'seed': 1})"],
            cwd=self.place, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]

    def _part_of_study(self, code: str) -> str | None:
        """Checks a study, or tables that are added to a small one."""
        if "claim" not in code:
            code = f'claim = "x"\nsupport = "y"\nseeds = [1]\n[config]\ntrain.steps = 1000\n{code}'
            if "[statistics]" not in code:
                code += "\n[statistics]\nseed = 1\n"
            if "[axis" not in code:
                code += "\n[axis.network.local]\n"
        (self.place / ".study.toml").write_text(code)
        done = subprocess.run(["lmrnn", "study", "plan", ".study.toml"], cwd=self.place,
                              env=self.environment, capture_output=True, text=True)  # fmt: skip
        return None if done.returncode == 0 else done.stderr.strip()

    def close(self) -> None:
        if self.session is not None:
            self.session.stdin.close()
            self.session.wait()


def prepare(folder: Path, environment: dict[str, str]) -> Path:
    """Makes a short run, runs/quickstart, for pages that use it."""
    command = ["lmrnn", "train", str(ROOT / "studies/quickstart.toml"), "--out", str(folder / "quickstart")]
    for value in ("train.steps=60", "evaluation.every=30", "evaluation.trials=100", "checkpoint.every=60",
                  "checkpoint.keep_every=60", "train.log_every=10"):  # fmt: skip
        command += ["--set", value]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder / "quickstart"


def reader(folder: Path, environment: dict[str, str], quickstart: Path) -> Page:
    """Makes the directory of a page's reader."""
    folder.mkdir(parents=True)
    for name in ("studies", "examples", "scripts", "tests"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "build").symlink_to(ROOT / "build")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "runs").mkdir()
    subprocess.run(["cp", "-r", str(quickstart), str(folder / "runs/quickstart")], check=True)
    return Page(folder, environment)


def is_of(entry: dict[str, str], block: Block) -> bool:
    """Whether an entry of that list matches the block: by page and beginning, or by language."""
    if "language" in entry:
        return entry["language"] == block.language
    return entry["page"] == block.page and block.code.startswith(entry["begins"])


def not_run() -> list[dict[str, str]]:
    """The committed list of blocks not to run: page and begins (how the block begins), or language; and the reason."""
    return tomllib.loads((ROOT / "docs/snippets-not-run.toml").read_text("utf-8")).get("block", [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="only pages whose name has one of these in it")
    wanted = parser.parse_args().pages
    if not SITE.is_dir():
        print("run-snippets: no build/site; make docs builds it", file=sys.stderr)
        return 2
    blocks = [b for b in readme() + site() if not wanted or any(w in b.page for w in wanted)]
    build = ROOT / "build/release"
    environment = {
        **os.environ,
        "PATH": f"{build / 'src/cli'}:{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(build / "python"),
        "MPLBACKEND": "agg",
    }
    exceptions, used = not_run(), set()
    counts = {"run": 0, "failed": 0, "listed": 0, "output": 0}
    with tempfile.TemporaryDirectory() as folder:
        quickstart = prepare(Path(folder), environment)
        pages: dict[str, Page] = {}
        for block in blocks:
            listed = next((i for i, e in enumerate(exceptions) if is_of(e, block)), None)
            if listed is not None:
                used.add(listed)
                counts["listed"] += 1
                continue
            if block.language in OUTPUT:
                counts["output"] += 1
                continue
            if block.page not in pages:
                pages[block.page] = reader(Path(folder) / "pages" / block.page, environment, quickstart)
            start = time.monotonic()
            problem = pages[block.page].run(block)
            counts["run"] += 1
            if problem is not None:
                counts["failed"] += 1
                print(f"FAILED {block.name}:\n{block.code}\n  {problem}\n")
            elif time.monotonic() - start > 20:
                print(f"slow: {block.name} took {time.monotonic() - start:.0f} s", file=sys.stderr)
        for page in pages.values():
            page.close()
    stale = [] if wanted else [e for i, e in enumerate(exceptions) if i not in used]
    for e in stale:
        print(f"docs/snippets-not-run.toml: {e} names no block")
    print(f"{len(blocks)} blocks: {counts['run']} run, {counts['failed']} failed, {counts['listed']} on the "
          f"list of those not run, {counts['output']} output")  # fmt: skip
    return 1 if counts["failed"] or stale else 0


if __name__ == "__main__":
    sys.exit(main())
