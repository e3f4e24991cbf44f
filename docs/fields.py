"""What the reference reads off a model, and how Markdown has it: docstrings under fields, types, defaults, cells of a table."""

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@lru_cache(maxsize=256)
def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Field -> the docstring under it, its lines joined."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    found = {}
    body = getattr(tree, "body", [])
    for field, below in pairwise(body):
        said = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and said:
            found[field.target.id] = " ".join(below.value.value.split())
    return found


def doc(model: type) -> str:
    return inspect.getdoc(model) or ""


def model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The settings model that a field holds, optional or not."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def is_execution(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("execution"))


def type_text(annotation: Any) -> str:
    text = inspect.formatannotation(annotation).replace("typing.", "").replace("writ.schema.", "").replace("NoneType", "null").replace("None", "null")
    text = re.sub(r"Annotated\[(\w+), .*?\)\]", r"\1", text)
    text = re.sub(r"Literal\[(.*?)\]", lambda match: match[1].replace("'", "").replace(", ", " | "), text)
    return f"`{text}`".replace("|", "\\|")


def plain(value: Any) -> str:
    """A value as YAML has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(str(part) for part in value)}]`"
    if isinstance(value, dict):
        return f"`{{{', '.join(f'{name}: {part}' for name, part in value.items())}}}`"
    return f"`{value}`" if value != "" else '`""`'


def cell(text: str) -> str:
    """Text for one cell of a table: one line, `|` escaped, and `<` outside of code as an entity, since Markdown takes it for a tag."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))
