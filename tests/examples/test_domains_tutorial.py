"""The tutorial cannot rot: its snippets stand in the files that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNIPPETS = re.findall(r"<!-- (\S+) -->\n```python\n(.*?)```", (ROOT / "docs" / "domains.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(("file", "snippet"), SNIPPETS)
def test_snippet_of_the_tutorial_stands_in_the_file_it_names(file, snippet):
    assert snippet in (ROOT / file).read_text()


def test_tutorial_shows_a_snippet_of_every_step():
    assert {file for file, _ in SNIPPETS} >= {f"examples/library/{name}.py" for name in ("tools", "rules", "renew_loan", "place_hold", "domain")}


def test_tutorial_names_every_file_of_the_folder():
    text = (ROOT / "docs" / "domains.md").read_text()
    files = {path.name for path in (ROOT / "examples" / "library").iterdir() if path.is_file() and path.name != "__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()
