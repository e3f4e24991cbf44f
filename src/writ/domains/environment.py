"""One conversation's executable world: a toolkit over an overlay of the shared database.

Results are byte-identical to τ²-bench's: strings as they are, records as JSON with every field, refusals as `Error: ` and their reason.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from writ.domains.database import Changes, Database, Looked, Overlay, gist
from writ.domains.toolkit import Tool, Toolkit
from writ.errors import ToolRefused

Malformed = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, SyntaxError, RecursionError, MemoryError)
"""What Python raises inside a tool that gets arguments it was not made for. The benchmark shows the agent their text, so do we."""

_PYDANTIC_DOCS = re.compile(r"(https://errors\.pydantic\.dev/)[0-9.]+/")
_PYDANTIC_PINNED = r"\g<1>2.12/"
"""The benchmark's lock file pins pydantic 2.12, whose error texts carry that version in a link."""

_TAKEN = {
    "requestor": "tau2.environment.environment.Environment.make_tool_call() got multiple values for keyword argument 'requestor'",
    "self": "Environment.make_tool_call() got multiple values for argument 'self'",
    "tool_name": "Environment.make_tool_call() got multiple values for argument 'tool_name'",
}
"""Argument names that collide with the benchmark's own dispatcher, and what it answers; `requestor` is looked at first."""

_dumps = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the agent sees of a call."""

    content: str
    error: bool


_ANSWERS = "answers of read tools"
_MOST_ANSWERS = 20_000
"""Remembered per database, about 5 kB each for the benchmark's flight searches; then the memory begins anew."""


class Answer:
    """What a tool gave, as JSON values that must not be changed: they stay as they are, whatever is written later."""

    __slots__ = ("_text", "looked_at", "value")

    def __init__(self, value: Any, looked_at: Looked = frozenset()) -> None:
        self.value = value
        self.looked_at = looked_at
        self._text: str | None = None

    @property
    def text(self) -> str:
        """What the agent sees of it; made when it is first asked for."""
        if self._text is None:
            self._text = rendered(self.value)
        return self._text


class Environment:
    """Opening one costs microseconds: nothing is copied until a tool writes."""

    __slots__ = ("_hash", "_overlay", "_remembered", "_toolkit", "_tools")

    def __init__(self, toolkit_class: type[Toolkit], database: Database | Overlay) -> None:
        self._overlay = database if isinstance(database, Overlay) else Overlay(database)
        self._toolkit = toolkit_class(self._overlay)
        self._tools = toolkit_class.tools
        self._remembered = toolkit_class.reads
        self._hash: tuple[int, str] | None = None
        """The hash, and the overlay's count of writes that it belongs to."""

    @property
    def state(self) -> Overlay:
        """The tables as they stand now, for those who make tasks; an agent has only `read`."""
        return self._overlay

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run a tool. Never raises: a refusal is a result, and leaves no trace but those the benchmark itself leaves."""
        try:
            return ToolResult(self.perform(name, arguments).text, error=False)
        except ToolRefused as e:
            return ToolResult(f"Error: {e}", error=True)

    def read(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """What a read or generic tool gives, as JSON values that must not be changed.

        Raises: ToolRefused where `call` would give an error, and for a tool that writes.
        """
        if self.writes(name):
            raise ToolRefused(f"Tool '{name}' writes.")
        return self.perform(name, arguments).value

    def apply(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Runs a call whose text nobody will read; False where it is refused."""
        try:
            self.perform(name, arguments)
        except ToolRefused:
            return False
        return True

    def perform(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Runs a tool, for those who want its value, its text, or both.

        What a read gives over the snapshot is remembered for all conversations on it, and holds until what it looked at is written.
        Raises: ToolRefused, after undoing what the tool wrote since its last mark; its text behind `Error: ` is what the agent sees.
        """
        if name not in self._remembered or not all(isinstance(value, str) for value in arguments.values()):
            return Answer(self._made(name, arguments))
        overlay, key = self._overlay, (name, *arguments.items())
        answers: dict[tuple[Any, ...], Answer] = overlay.database.memo(_ANSWERS, lambda tables: {})
        found = answers.get(key)
        if found is not None and overlay.untouched(found.looked_at):
            return found
        with overlay.watched() as looked_at:
            made = Answer(self._made(name, arguments), gist(looked_at))
        if overlay.untouched(made.looked_at):
            if len(answers) >= _MOST_ANSWERS:
                answers.clear()
            answers[key] = made
        return made

    def writes(self, name: str) -> bool:
        """True for a write tool; False for any other, or for a name that is no tool."""
        tool = self._tools.get(name)
        return tool is not None and tool.kind == "write"

    def delta(self) -> Changes:
        """The records that differ from the snapshot, None where deleted: table -> id -> record. Not to be changed."""
        return self._overlay.delta()

    def fingerprint(self) -> str:
        """Over one snapshot, two end states are equal iff their fingerprints are."""
        return self._overlay.fingerprint()

    def db_hash(self) -> str:
        """sha256 (hex) of the whole database as JSON with sorted keys: what the benchmark compares."""
        if self._hash is None or self._hash[0] != self._overlay.writes:
            self._hash = (self._overlay.writes, self._overlay.hash())
        return self._hash[1]

    def fork(self) -> "Environment":
        """An independent environment in the same state."""
        return Environment(type(self._toolkit), self._overlay.fork())

    def _made(self, name: str, arguments: Mapping[str, Any]) -> Any:
        tool = self._tools.get(name)
        if tool is None or not tool.takes(arguments):
            raise ToolRefused(_misfit(name, tool, arguments))
        self._overlay.mark()
        try:
            return tool.method(self._toolkit, **arguments)
        except ToolRefused:
            self._overlay.rollback()
            raise
        except Malformed as e:
            self._overlay.rollback()
            raise ToolRefused(_explained(e)) from e


def _misfit(name: str, tool: Tool | None, arguments: Mapping[str, Any]) -> str:
    """Why a call by these names cannot be made, in the benchmark's order: its dispatcher, the tool, the names of the arguments."""
    for taken, text in _TAKEN.items():
        if taken in arguments:
            return text
    return tool.misfit(arguments) if tool else f"Tool '{name}' not found."


def rendered(value: Any) -> str:
    """A tool's result as text: strings as they are, records as JSON; numbers outside a record become strings, as in the benchmark."""
    return value if isinstance(value, str) else _dumps(_quoted(value))


def _quoted(value: Any) -> Any:
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return str(value) if isinstance(value, int | float) else value


def _explained(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return _PYDANTIC_DOCS.sub(_PYDANTIC_PINNED, str(error))
    return str(error)
