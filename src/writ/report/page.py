"""Puts a page together: one HTML file that needs no network. Its styles and scripts stand beside this file, in `page/`.

Data never enters the markup as text: it stands in base64, and the scripts put it on the page as text nodes only. The content security policy
allows exactly this page's own style and script, by hash, and nothing else.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from writ.report.blocks import Blocks, pack, to_json
from writ.report.index import Index
from writ.report.names import words

_FOLDER = Path(__file__).parent / "page"
_SCRIPTS = (
    "dom.js",
    "data.js",
    "charts.js",
    "overview.js",
    "compare.js",
    "list.js",
    "search.js",
    "json.js",
    "markdown.js",
    "evidence.js",
    "reason.js",
    "chat.js",
    "task.js",
    "main.js",
)
"""In the order in which they are read; one function around them keeps their names off the window."""


def run_page(head: Mapping[str, Any], index: Index, blocks: Blocks) -> bytes:
    """The page of one run."""
    blocks.flush()
    data = {"mode": "run", "head": head, "columns": index.columns, "starts": blocks.starts}
    return _page(data, blocks.packed)


def compare_page(runs: Sequence[tuple[Mapping[str, Any], Index]]) -> bytes:
    """The page of two runs side by side; it holds no conversations."""
    return _page({"mode": "compare", "runs": [{"head": head, "columns": index.columns} for head, index in runs]}, [])


def _page(data: Mapping[str, Any], blocks: Sequence[bytes]) -> bytes:
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    script = "(() => {\n" + "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS) + "\n})();"
    frame = (_FOLDER / "page.html").read_text(encoding="utf-8")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; base-uri 'none'; form-action 'none'"
    for mark, text in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script)):
        frame = frame.replace(f"@@{mark}@@", text)
    before, _, after = frame.partition("@@INDEX@@")
    between, _, end = after.partition("@@BLOCKS@@")
    index = pack(to_json({**data, "words": words()}))
    stored = (b'<script type="application/x-writ" id="block-%d">%s</script>\n' % (number, block) for number, block in enumerate(blocks))
    return b"".join((before.encode(), index, between.encode(), *stored, end.encode()))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
