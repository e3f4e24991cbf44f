"""Whether a write is one of the right answer, and why: what `page/reason.js` says on the page, for the terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from writ.schema import Call, Candidate, Message, Task, ToolCall

_SHORTEST_ID = 4


class Standing(NamedTuple):
    """How a write stands to the right answer."""

    word: str
    wanted: Mapping[str, Any]
    """Path -> the value that is due, where the write has another."""
    why: tuple[str, ...]
    """Lines: what it is about, and the facts that decided."""


def standing(call: ToolCall, task: Task, messages: Sequence[Message]) -> Standing:
    """`messages`: the whole conversation; a right call that was made is no longer due."""
    written = call_of(call)
    if written is None:
        return Standing("cannot be read", {}, ())
    for decision in task.decisions:
        if written.key in {gold.key for gold in decision.calls}:
            winners = [each for each in decision.certificate.candidates if each.status == "winner"]
            about = [each for each in winners if _names(each, written)] or winners
            return Standing("as the right answer", {}, tuple(map(_line, about[:3])))
    made = {each.key for message in messages for tool_call in message.tool_calls if (each := call_of(tool_call))}
    out = [each for decision in task.decisions for each in decision.certificate.candidates if each.status != "winner" and _names(each, written)]
    why = tuple(_line(each) for each in out[:2] if each.why)
    mine = dict(leaves(written.arguments))
    due = [dict(leaves(gold.arguments)) for gold in task.writes if gold.name == call.name and gold.key not in made]
    if not due:
        return Standing("not in the right answer", {}, why)
    nearest = max(due, key=lambda gold: sum(mine.get(path, ...) == value for path, value in gold.items()))
    return Standing("differs from the right answer", {path: value for path, value in nearest.items() if mine.get(path, ...) != value}, why)


def call_of(call: ToolCall) -> Call | None:
    """The call with decoded arguments; None where they are no JSON object."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        return None
    return Call(name=call.name, arguments=arguments) if isinstance(arguments, dict) else None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every leaf; empty objects and lists are leaves."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield path, value
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key))


def _names(candidate: Candidate, call: Call) -> bool:
    """Whether the call has an id of the candidate's label among its values."""
    words = "".join(" " if letter in ":,()+" else letter for letter in candidate.label).split()
    ids = {word for word in words if len(word) >= _SHORTEST_ID and (any(map(str.isdigit, word)) or word.isupper())}
    return not ids.isdisjoint(str(value) for _, value in leaves(call.arguments))


def _line(candidate: Candidate) -> str:
    return f"{candidate.label}: {candidate.why}" if candidate.why else candidate.label
