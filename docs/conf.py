"""The site: `make docs` builds it from the pages of this folder into site/. It needs no network, neither to build nor to read."""

import re
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent

project = "writ"
extensions = ["myst_parser"]
exclude_patterns = ["*.py", "__pycache__"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "writ"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["tables.css"]
nitpicky = True

LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#]*)(#[^)]*)?\)")


def setup(app: Sphinx) -> None:
    app.connect("source-read", name_files_outside)
    app.connect("source-read", drop_empty_globs)


def name_files_outside(app: Sphinx, page: str, source: list[str]) -> None:
    """A link from a page to a file of the repository that is no page becomes the name of that file."""
    folder = (DOCS / page).parent

    def named(link: re.Match[str]) -> str:
        text, target = link[1], (folder / link[2]).resolve()
        if target.is_relative_to(DOCS):
            return link[0]
        name = f"`{target.relative_to(DOCS.parent)}`"
        return name if text.strip("`") in name else f"{text} ({name})"

    source[0] = LINK.sub(named, source[0])


def drop_empty_globs(app: Sphinx, page: str, source: list[str]) -> None:
    """A line `name*` of a table of contents that matches no page is not there: Sphinx would warn."""
    lines = source[0].splitlines(keepends=True)
    source[0] = "".join(line for line in lines if not re.fullmatch(r"[\w/-]+\*\n", line) or any(DOCS.glob(f"{line.strip()}.md")))
