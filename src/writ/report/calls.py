"""The calls of a conversation as the report reads them: decoded, leaf by leaf, against the right one, and in words."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from writ.domains.hostile import decoded
from writ.report.names import argument_name, humane, small
from writ.schema import Call, Message, ToolCall

_SHOWN_VALUES = 4


def call_of(call: ToolCall) -> Call | None:
    """The call with decoded arguments; None where they are no JSON object."""
    arguments = decoded(call.arguments or "{}")
    return None if arguments is None else Call(name=call.name, arguments=arguments)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of every leaf; empty objects and lists are leaves."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield path, value
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key))


def differences(call: Call, right: Call) -> dict[str, Any]:
    """Path -> the value that is due, None where none is."""
    got, wanted = dict(leaves(call.arguments)), dict(leaves(right.arguments))
    return {path: value for path, value in wanted.items() if got.get(path, ...) != value} | {path: None for path in got if path not in wanted}


def argument_text(path: str, value: Any) -> str:
    """A value of a call inside a sentence."""
    if path.rsplit(".", 1)[-1] == "amount" and isinstance(value, int | float):
        return f"${value:,.2f}".removesuffix(".00")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if re.fullmatch(r"[a-z]+(?:_[a-z]+)+", text):
        return text.replace("_", " ")
    return text or "nothing"


def call_text(call: Call) -> str:
    """`Cancel pending order (order #W1, reason no longer needed)`."""
    values = [(path, value) for path, value in leaves(call.arguments) if path and path != "user_id"]
    told = [f"{small(argument_name(path))} {argument_text(path, value)}" for path, value in values if path.count(".") < 2][:_SHOWN_VALUES]
    more = f", and {len(values) - len(told)} more" if len(values) > len(told) else ""
    return f"{humane(call.name)} ({', '.join(told)}{more})" if told else humane(call.name)


def tool_at(messages: Sequence[Message], turn: int) -> str:
    """The tool whose result a message is."""
    called = {call.id: call.name for message in messages[:turn] for call in message.tool_calls}
    return called.get(messages[turn].tool_call_id or "", "a tool")


def refused(call_id: str, later: Iterable[Message]) -> bool:
    """Whether the environment refused a call, by the messages from its own on."""
    return next((message.error for message in later if message.role == "tool" and message.tool_call_id == call_id), False)
