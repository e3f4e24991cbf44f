"""Hearing: whether words stand in a text, and what a tool's output says."""

import re
from functools import lru_cache
from typing import Any

import orjson


def contains(text: str, wanted: str) -> bool:
    """Whether the text holds the words as they are, in any case, not as a part of longer words."""
    return bool(wanted) and wanted.lower() in (lowered := text.lower()) and _pattern(wanted.lower()).search(lowered) is not None


def without(text: str, unwanted: str) -> str:
    """The text without these words, in any case."""
    return re.sub(re.escape(unwanted), "", text, flags=re.IGNORECASE) if unwanted else text


def occurrences(text: str, wanted: str) -> int:
    """How often the words stand in the text."""
    lowered = text.lower()
    return len(_pattern(wanted.lower()).findall(lowered)) if wanted.lower() in lowered else 0


@lru_cache(maxsize=8192)
def _pattern(wanted: str) -> "re.Pattern[str]":
    return re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")


def shown(content: str) -> Any:
    """A tool's output as a value: records and lists are JSON, all else is text."""
    if content[:1] not in "{[":
        return content
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content


def refused(content: str) -> str | None:
    """The reason where the output is a refusal; None where it is not."""
    return content.removeprefix("Error: ") if content.startswith("Error: ") else None
