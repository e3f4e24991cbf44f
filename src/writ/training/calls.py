"""What a model wrote, as content and tool calls: the reading that vLLM gives its text, for two formats of calls.

All calls of a turn parse, or the whole turn is content and none is a call. Arguments are spelled anew, so that the history of a conversation
has one spelling, which is also the one that is trained.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from writ.errors import ConfigError


class Written(NamedTuple):
    content: str | None
    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments, as JSON text."""


Reader = Callable[[str], Written]

_HERMES = re.compile(r"<tool_call>(.*?)</tool_call>|<tool_call>(.*)", re.DOTALL)


def hermes(text: str) -> Written:
    """Calls as Qwen3 Instruct writes them: JSON between marks, the last mark may be missing; what stands before them is content."""
    found = [inside or rest for inside, rest in _HERMES.findall(text)]
    try:
        calls = tuple(_call(json.loads(each), "arguments") for each in found)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Written(text)
    return Written(text[: text.index("<tool_call>")] or None, calls) if calls else Written(text)


def llama3_json(text: str) -> Written:
    """Calls as Llama 3.1 writes them: bare JSON objects with `parameters`; text beside them is lost, as there."""
    calls: list[tuple[str, str]] = []
    start = text.find("{")
    try:
        while start >= 0:
            found, end = _DECODER.raw_decode(text, start)
            calls.append(_call(found, "arguments" if "arguments" in found else "parameters"))
            start = text.find("{", end)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Written(text)
    return Written(None, tuple(calls)) if calls else Written(text)


_DECODER = json.JSONDecoder()


def _call(found: Mapping[str, Any], member: str) -> tuple[str, str]:
    name, arguments = found["name"], found[member]
    if not isinstance(name, str):
        raise TypeError(f"a tool is called {name!r}")
    return name, json.dumps(arguments, ensure_ascii=False)


READERS: Mapping[str, Reader] = MappingProxyType({"hermes": hermes, "llama3_json": llama3_json})
"""By the name that vLLM's `--tool-call-parser` has for it."""


def reader_of(template: str) -> str:
    """The name of the reader for a chat template. Raises: ConfigError for one whose calls have another form."""
    if "<tool_call>" in template and "<function=" not in template:
        return "hermes"
    if '"parameters": ' in template and "ipython" in template:
        return "llama3_json"
    raise ConfigError(f"the chat template writes calls in a form that none of {', '.join(READERS)} reads; serve this model with vLLM")
