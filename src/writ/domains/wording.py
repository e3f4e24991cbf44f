"""Varied wording: one template, many sentences.

A template is text with choices: `{I want|I'd like} to {cancel|call off} [order]`. Choices may nest and may be empty (`{|please}`); `[name]` is
filled with a value last, so a value may hold braces. Spaces that an empty choice leaves behind are folded.
"""

import re
from collections.abc import Iterable, Mapping
from random import Random

_INNERMOST = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"\[(\w+)\]")
_SPACES = re.compile(r" {2,}")
_BEFORE_MARK = re.compile(r" +([,.;!?])")


def spin(rng: Random, template: str, slots: Mapping[str, object] | None = None) -> str:
    """One sentence of the template, chosen by `rng`; `[name]` becomes `slots[name]`. Raises KeyError for a slot without a value."""
    text = template
    while (found := _INNERMOST.search(text)) is not None:
        text = text[: found.start()] + rng.choice(found.group(1).split("|")) + text[found.end() :]
    text = _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()
    return _SLOT.sub(lambda match: str((slots or {})[match.group(1)]), text)


def phrasebook(text: str) -> dict[str, tuple[str, ...]]:
    """Templates by name from a text file: `[name]` on a line of its own, then one template per line; `#` starts a comment line."""
    book: dict[str, list[str]] = {}
    name = ""
    for line in map(str.strip, text.splitlines()):
        if found := _SLOT.fullmatch(line):
            name = found.group(1)
        elif line and not line.startswith("#"):
            book.setdefault(name, []).append(line)
    return {name: tuple(templates) for name, templates in book.items()}


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *head, tail = list(words) or [""]
    return f"{', '.join(head)} {last} {tail}" if head else tail
