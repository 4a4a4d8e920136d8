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
