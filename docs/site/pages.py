"""MkDocs hook: the pages of the site that are generated, and files that come from elsewhere.

- reference/command-line.md, configuration.md and analyses.md: what the program says of itself
- reference/headers/NAME.md: the public headers of the C++ library
- source/PATH.md: files outside docs/ that a page links to
- results/zoo/NAME.html: the report of a network of the zoo
- assets/katex: KaTeX, as Debian packages it
"""

import base64
import json
import os
import re
import subprocess
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("LMRNN", str(ROOT / "build/release/src/cli/lmrnn"))
KATEX = Path("/usr/share/javascript/katex")
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".toml": "toml", ".sh": "sh",
             ".csv": "text", ".json": "json", ".md": "markdown"}


def program(*words):
    return subprocess.run([PROGRAM, *words], check=True, capture_output=True, text=True).stdout


# The program -------------------------------------------------------------------------------------


def verbs(*words):
    """Every verb with its help, from the program down."""
    text = program(*words, "--help")
    yield words, text
    listed = re.search(r"\nVerbs:\n(.*?)(\n\n|\Z)", text, re.S)
    for verb in re.findall(r"^  (\w+) ", listed[1] if listed else "", re.M):
        yield from verbs(*words, verb)


def command_line():
    page = ("# Command line\n\nData goes to stdout; log, warnings and progress to stderr. Exit status "
            "0: done; 1: the run failed; 2: the request is invalid; 75: training or a study was "
            "interrupted and can be resumed.\n")
    for words, text in verbs():
        heading = "#" * (2 + max(0, len(words) - 1))
        page += f"\n{heading} lmrnn {' '.join(words)}\n\n```text\n{text.strip()}\n```\n"
    return page


def configuration():
    return ("---\nhide: [toc]\n---\n# Configuration\n\nKeys of the file that `lmrnn train` takes, of `--set KEY=VALUE`, and of "
            "`lmrnn.Trainer` in Python. Defaults are those of the `modern` recipe "
            "([training](../concepts/training.md) explains them).\n\n"
            + program("train", "--list-keys")
            + "\n## Studies\n\nKeys of the file that `lmrnn study` takes "
            "([studies](../concepts/studies.md)).\n\n"
            + program("study", "plan", "--list-keys"))


def analyses():
    page = ("# Options of analyses\n\n`lmrnn analyze RUN NAME --set KEY=VALUE`; in Python, "
            '`lmrnn.analyze(RUN, "NAME", KEY=VALUE)`. What each computes: '
            "[analyses](../concepts/analysis.md).\n")
    for line in program("analyze", "--list").splitlines():
        name = line.split()[0]
        page += f"\n## {name}\n\n```text\n{program('analyze', '--list', name).strip()}\n```\n"
    return page


def tasks():
    rows = json.loads(program("tasks", "list", "--json"))
    page = ("# Tasks\n\nThe 132 tasks of `modcog132`, in collection order. `lmrnn tasks show NAME` "
            "explains one and draws a trial.\n\n| task | base | family | int | seq | published code |\n"
            "|---|---|---|---|---|---|\n")
    for row in rows:
        published = "yes" if row["in_published_code"] else ""
        page += (f"| `{row['name']}` | {row['base']} | {row['family']} | {row['int']} | {row['seq']} | "
                 f"{published} |\n")
    return page


# The headers --------------------------------------------------------------------------------------


def header_page(path):
    """The comment at the top as text, the rest as code."""
    lines = path.read_text().splitlines()
    n_comment = next(i for i, line in enumerate(lines) if not line.startswith("//"))
    page = f"---\nhide: [toc]\n---\n# {path.name}\n"
    was_code = None
    for line in lines[:n_comment]:
        line = line[2:].removeprefix(" ")
        is_code = line.startswith("  ")
        if line and is_code != was_code:
            page += "\n"
            was_code = is_code
        page += ("    " + line if is_code else line.replace("<", "&lt;")) + "\n"
    code = "\n".join(lines[n_comment:]).strip()
    return f"{page}\n```cpp\n{code}\n```\n"


# Files outside docs/ ------------------------------------------------------------------------------

LINK = re.compile(r"\]\((?P<path>(?:\.\./)+[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def outside(page):
    """Paths, relative to the root, of the existing files outside docs/ that a page links to."""
    folder = (ROOT / "docs" / page.src_uri).parent
    for match in LINK.finditer(page.content_string):
        target = (folder / match["path"]).resolve()
        if target.is_file() and ROOT in target.parents and ROOT / "docs" not in target.parents:
            yield match["path"], target.relative_to(ROOT)


# Notebooks ----------------------------------------------------------------------------------------


def notebook_page(path):
    """Markdown of a notebook, and its pictures by name. Outputs are those of the newest execution
    (tests/python/test_notebooks.py leaves it in build/notebooks), if it ran the same cells."""
    book = json.loads(path.read_text())
    executed = ROOT / "build/notebooks" / path.name
    if executed.is_file():
        ran = json.loads(executed.read_text())
        if [text_of(c["source"]) for c in ran["cells"]] == [text_of(c["source"]) for c in book["cells"]]:
            book = ran
    page, pictures = "", {}
    for cell in book["cells"]:
        source = text_of(cell["source"])
        if cell["cell_type"] == "markdown":
            page += f"{source}\n\n"
            continue
        language = "sh" if source.startswith("!") else "python"
        page += f"```{language}\n{source.replace('!', '', source.count(chr(10)) + 1) if language == 'sh' else source}\n```\n\n"
        for output in cell["outputs"]:
            page += output_text(output, path.stem, pictures)
    source = f"examples/notebooks/{path.name}"
    note = f"\n*The notebook: [`{source}`](../../../{source}).*\n"
    title, _, rest = page.partition("\n")
    return f"{title}\n{note}\n{rest}", pictures


def text_of(source):
    return source if isinstance(source, str) else "".join(source)


def output_text(output, name, pictures):
    data = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in data:  # a progress bar
        return ""
    if "image/png" in data:
        picture = f"{name}-{len(pictures) + 1}.png"
        pictures[picture] = base64.b64decode(data["image/png"])
        return f"![{name}, picture {len(pictures)}]({picture})\n\n"
    if "text/html" in data and "<progress" not in text_of(data["text/html"]):
        return f'<div class="notebook-output" markdown="0">{text_of(data["text/html"])}</div>\n\n'
    text = text_of(output.get("text", data.get("text/plain", "")))
    if output.get("name") == "stderr" or "<progress" in text_of(data.get("text/html", "")) or not text.strip():
        return ""
    if text.startswith(("<Axes", "array([<Axes", "<Figure", "HBox(")):
        return ""
    return f"```text\n{text.rstrip()}\n```\n\n"


def source_page(path):
    text = (ROOT / path).read_text()
    fence = "`" * (4 if "```" in text else 3)
    language = LANGUAGES.get(path.suffix, "text")
    return f"# {path.name}\n\n`{path}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


# Reports of the zoo ---------------------------------------------------------------------------------


def newest(*folders):
    """When a file in one of the folders was last changed."""
    return max(path.stat().st_mtime for folder in folders for path in folder.rglob("*") if path.is_file())


def zoo_report(name):
    """The report of a network, which takes a few seconds and is kept until something changes."""
    package = ROOT / "build/release/python"
    report = ROOT / f"build/zoo-reports/{name}.html"
    if not report.is_file() or report.stat().st_mtime < newest(package, ROOT / "python", ROOT / "zoo"):
        report.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([ROOT / ".venv/bin/python", "-m", "lmrnn.report", f"zoo:{name}", "--out", report],
                       check=True, stdout=subprocess.DEVNULL, cwd=ROOT,
                       env=os.environ | {"PYTHONPATH": str(package), "LMRNN": PROGRAM})
    return report


# Hooks of MkDocs ----------------------------------------------------------------------------------


def on_files(files, config):
    def add(uri, **content):
        files.append(File.generated(config, uri, **content))

    for name, page in {"command-line": command_line, "configuration": configuration,
                       "analyses": analyses, "tasks": tasks}.items():
        add(f"reference/{name}.md", content=page())
    for header in sorted((ROOT / "include/lmrnn").glob("*.hpp")):
        add(f"reference/headers/{header.name}.md", content=header_page(header))
    for path in sorted((ROOT / "examples/notebooks").glob("*.ipynb")):
        page, pictures = notebook_page(path)
        add(f"tutorials/notebooks/{path.stem}.md", content=page)
        for name, content in pictures.items():
            add(f"tutorials/notebooks/{name}", content=content)
    linked = {path for page in files.documentation_pages() for _, path in outside(page)}
    for path in sorted(linked):
        add(f"source/{path}.md", content=source_page(path))
    for name in json.loads((ROOT / "zoo/index.json").read_text())["networks"]:
        add(f"results/zoo/{name}.html", abs_src_path=str(zoo_report(name)))
    for pattern in ("katex.min.*s", "contrib/auto-render.js", "fonts/*.woff2"):
        for path in sorted(KATEX.glob(pattern)):
            add(f"assets/katex/{path.relative_to(KATEX)}", abs_src_path=str(path))
    return files


def on_page_markdown(markdown, page, config, files):
    up = "../" * (page.file.src_uri.count("/"))
    if page.file.src_uri.startswith("reference/cpp/"):
        # Listings of files say again what the headers say; and who searches wants text first.
        listing = re.search(r"_8hpp|/dir_|/files|/links|/pages", page.file.src_uri)
        page.meta["search"] = {"exclude": True} if listing else {"boost": 0.2}
        # Anchors as they come out, which mkdoxy's links to specialisations of templates are not.
        markdown = re.sub(r"\(#[^)]*\)", lambda link: link[0].replace("::", ""), markdown)
    for written, path in set(outside(page.file)):
        markdown = markdown.replace(f"]({written}", f"]({up}source/{path}.md")
    return markdown
