"""What a domain's tools are: methods of a `Toolkit`, each declared as a read, a write or neither.

A tool reads and writes through `self.database`, gives back a string or JSON values, and refuses with `ToolRefused`. Its parameters' JSON
schema comes from its signature and docstring (one paragraph or more, then `Args:` with a line `name: text` for each parameter).
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar, cast

from pydantic import BaseModel, Field, create_model

from writ.domains.database import Database, Overlay, parsed
from writ.errors import ArtifactError

ToolKind = Literal["read", "write", "generic"]
Schema = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


def read_tool(method: F) -> F:
    """Declare a tool that only looks."""
    return _declared(method, "read")


def write_tool(method: F) -> F:
    """Declare a tool that changes the database where it succeeds."""
    return _declared(method, "write")


def generic_tool(method: F) -> F:
    """Declare a tool that neither shows the database nor changes it."""
    return _declared(method, "generic")


@dataclass(frozen=True)
class Tool:
    """One tool of a toolkit: `method` takes the toolkit, then the arguments by name."""

    name: str
    kind: ToolKind
    method: Callable[..., Any]

    @cached_property
    def parameters(self) -> Mapping[str, bool]:
        """Parameter names in order; True where required."""
        return {p.name: p.default is p.empty for p in list(inspect.signature(self.method).parameters.values())[1:]}

    @cached_property
    def schema(self) -> Schema:
        """The function in OpenAI form."""
        description, arguments = _described(inspect.getdoc(self.method) or "")
        hints = inspect.signature(self.method, eval_str=True).parameters
        fields: Any = {
            name: (hints[name].annotation, Field(... if required else hints[name].default, description=arguments.get(name)))
            for name, required in self.parameters.items()
        }
        schema = create_model("parameters", **fields).model_json_schema()
        return {"type": "function", "function": {"name": self.name, "description": description, "parameters": schema}}

    def takes(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the names fit. Values are not looked at: that is the tool's affair, as in the benchmark."""
        return arguments.keys() <= self.parameters.keys() and arguments.keys() >= self._required

    def misfit(self, arguments: Mapping[str, Any]) -> str:
        """What CPython says of names that do not fit: first of one that the tool does not take, then of those that it lacks."""
        owner = self.method.__qualname__
        for name in arguments:
            if name not in self.parameters:
                return f"{owner}() got an unexpected keyword argument '{name}'"
        missing = [f"'{name}'" for name, required in self.parameters.items() if required and name not in arguments]
        plural = "" if len(missing) == 1 else "s"
        return f"{owner}() missing {len(missing)} required positional argument{plural}: {_listed(missing)}"

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, required in self.parameters.items() if required)


class Toolkit:
    """Base of a domain's tools. A subclass sets `shape`, the model of its whole database."""

    shape: ClassVar[type[BaseModel]]
    tools: ClassVar[Mapping[str, Tool]] = {}
    reads: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        declared = {name: Tool(name, cast(ToolKind, method.tool_kind), method) for name, method in vars(cls).items() if hasattr(method, "tool_kind")}
        cls.tools = {**cls.tools, **declared}
        cls.reads = frozenset(name for name, tool in cls.tools.items() if tool.kind == "read")

    def __init__(self, database: Overlay) -> None:
        self.database = database

    @property
    def snapshot(self) -> Database:
        """What the conversation started from: for indexes over facts that no tool changes."""
        return self.database.database

    @classmethod
    def schemas(cls) -> list[Schema]:
        """All tools in OpenAI form, in the order of their definition."""
        return [tool.schema for tool in cls.tools.values()]

    @classmethod
    def schemas_from(cls, data: bytes, source: str) -> list[Schema]:
        """The schemas of a `tools.json` file, where a benchmark prescribes them.

        Raises: ArtifactError if it does not describe exactly this toolkit's tools.
        """
        listed = parsed(data, source)
        names = [_name(entry) for entry in listed] if isinstance(listed, list) else []
        if sorted(map(str, names)) != sorted(cls.tools):
            wrong = sorted(set(map(str, names)) ^ set(cls.tools)) or "the same tool twice"
            raise ArtifactError(f"{source} does not describe the tools of {cls.__name__}: {wrong}; take the file of this domain")
        return cast(list[Schema], listed)


def _declared(method: F, kind: ToolKind) -> F:
    cast(Any, method).tool_kind = kind
    return method


def _name(entry: Any) -> Any:
    function = entry.get("function") if isinstance(entry, dict) else None
    return function.get("name") if isinstance(function, dict) else json.dumps(entry)[:40]


def _listed(names: Sequence[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def _described(doc: str) -> tuple[str, dict[str, str]]:
    """A docstring's text, and the text of each parameter."""
    text, _, listed = doc.partition("\nArgs:\n")
    arguments: dict[str, str] = {}
    name = ""
    for line in listed.splitlines():
        if line.startswith("        ") and name:
            arguments[name] += " " + line.strip()
        elif ":" in line:
            name, _, meaning = (part.strip() for part in line.partition(":"))
            arguments[name] = meaning
    return text.strip(), arguments
