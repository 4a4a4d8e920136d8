"""Code in the documentation that is marked as tested does run."""

import re

import pytest

PAGES = ["docs/howto/python.md", "docs/howto/python-data.md", "docs/howto/neurogym-and-mod-cog.md"]


def snippets(root):
    for page in PAGES:
        text = (root / page).read_text()
        for number, code in enumerate(re.findall(r"<!-- tested -->\n```python\n(.*?)```", text, re.S)):
            yield f"{page}:{number}", code


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
