"""Code in the documentation that is marked as tested runs."""

import re

import pytest


def snippets(root):
    for path in sorted(root.glob("docs/**/*.md")):
        page, text = path.relative_to(root), path.read_text()
        for number, code in enumerate(re.findall(r"<!-- tested -->\n```python\n(.*?)```", text, re.S)):
            yield f"{page}:{number}", code


# JAX, which other tests of this process may have imported, warns of the workers of a DataLoader.
@pytest.mark.filterwarnings("ignore:os.fork")
def test_snippets_run(root, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    found = dict(snippets(root))
    assert len(found) >= 8
    monkeypatch.chdir(tmp_path)
    for name, code in found.items():
        exec(compile(code, name, "exec"), {"__name__": "__main__"})


def test_code_that_names_its_file_is_in_it(root):
    quotation = re.compile(r"^( *)<!-- from (\S+) -->\n *```\w*\n(.*?)^ *```", re.S | re.M)
    found = 0
    for page in root.glob("docs/**/*.md"):
        for _, path, code in quotation.findall(page.read_text()):
            lines = [line.strip() for line in (root / path).read_text().splitlines()]
            wanted = [line.strip() for line in code.splitlines()]
            places = [i for i in range(len(lines)) if lines[i : i + len(wanted)] == wanted]
            assert places, f"{page}: {path} has no such lines"
            found += 1
    assert found >= 2


def tables_of_scores(text):
    """(header, text up to the next table) of every table with a column or row of solved tasks."""
    blocks = re.findall(r"(?:^\|.*\n)+|(?:^(?!\|).*\n)+", text, re.M)
    for table, after in zip(blocks, [*blocks[1:], ""]):
        rows = [row.split("|") for row in table.splitlines()]
        if not table.startswith("|") or len(rows) < 3:
            continue
        if "solved" in table.splitlines()[0].lower() or any(
            "tasks solved" in row[1].lower() for row in rows[2:]
        ):
            yield table.splitlines()[0], after


def test_tables_of_scores_say_what_solved_means(root):
    import lmrnn

    words = lambda text: " ".join(text.split())
    pages = [p for p in root.glob("docs/results/*.md") if p.name != "studies.md"]  # sentences, no scores
    n_tables = 0
    for page in pages:
        for header, after in tables_of_scores(page.read_text() + "\n"):
            assert lmrnn.solved_definition in words(after), f"{page}: no definition below {header}"
            n_tables += 1
    assert n_tables >= 6
    assert lmrnn.solved_definition in words((root / "README.md").read_text()).replace(
        "trials solved:", "trials; solved:"
    )


def test_every_wiring_is_in_the_table_of_wirings(root):
    names = re.findall(r"^  WIRING\((\w+),", (root / "include/lmrnn/wiring.hpp").read_text(), re.M)
    table = (root / "docs/concepts/wiring.md").read_text().split("## The wirings")[1]
    assert len(names) >= 8
    rows = re.findall(r"^\| `(\w+)` \|", table, re.M)
    assert rows[1 : len(names) + 1] == names  # after the header
