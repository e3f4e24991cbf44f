"""Where each argument of a write came from: the user's words, a tool output, or a named formula over such values."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from writ.domains.database import leaf_paths
from writ.schema import Call, Check, Origin
from writ.verification.case import Case, failed, not_applicable, passed
from writ.verification.transcript import Made
from writ.verification.values import occurs


def grounding(case: Case) -> tuple[Check, tuple[Origin, ...]]:
    """The check, and the origin of every argument leaf of every write that was made."""
    done = case.transcript.done
    if not done:
        return not_applicable("grounding", "no write"), ()
    origins = tuple(origin for made in done for origin in _origins(case, made))
    lost = next((origin for origin in origins if origin.kind == "none"), None)
    if lost is not None:
        return failed("grounding", "ungrounded_argument", f"{lost.argument} = {lost.value!r} comes from nowhere", lost.call), origins
    return passed("grounding", f"{len(origins)} arguments"), origins


def _origins(case: Case, made: Made) -> Iterator[Origin]:
    call = made.call or Call(name=made.name)
    formulas = case.site.domain.formulas(call, case.transcript.shown_before(made.index), case.said(call))
    forms = case.forms(made)
    for path, value in leaf_paths(call.arguments):
        found = _formula(formulas, path, value) or _said(case, made, forms.get(path, ()), value) or _shown(case, made, call.name, path, value)
        kind, turn, where = found or ("none", None, "")
        yield Origin(call=made.index, argument=path, value=value, kind=kind, turn=turn, path=where)


def _formula(formulas: Any, path: str, value: Any) -> tuple[str, int | None, str] | None:
    name, derived = formulas.get(path, ("", None))
    return ("formula", None, name) if name and _equal(derived, value) else None


def _said(case: Case, made: Made, forms: Sequence[str], value: Any) -> tuple[str, int | None, str] | None:
    own, heard = str(value).lower(), case.transcript.heard
    spellings = [spelling for spelling in dict.fromkeys((own, own.replace("_", " "), *forms)) if spelling and spelling in heard]
    turn = stating([turn for turn in case.transcript.heard_from_user if turn[0] < made.index], spellings) if spellings else None
    return None if turn is None else ("said", turn, "")


def stating(turns: Sequence[tuple[int, str]], spellings: Sequence[str]) -> int | None:
    """Index of the last turn that states a value in one of its spellings, all in lower case: an earlier one may be about another.

    A bare yes or no counts where no other spelling was said, since every confirmation holds one.
    """
    for some in ([each for each in spellings if each not in _ANSWERS], [each for each in spellings if each in _ANSWERS]):
        for index, text in reversed(turns) if some else ():
            if any(occurs(spelling, text) for spelling in some):
                return index
    return None


_ANSWERS = frozenset(("yes", "no"))


def _shown(case: Case, made: Made, tool: str, path: str, value: Any) -> tuple[str, int | None, str] | None:
    """The output with this value at a path that the domain allows for this argument: of a read that the decision rests on, if there is one, and the
    latest of them."""
    allowed = case.site.domain.fields(tool, ".".join("*" if step.isdecimal() else step for step in path.split(".")))
    patterns = [_steps(pattern) for pattern in allowed]
    names = {name for name, _ in patterns}
    outputs = [each for each in case.outputs_before(made) if "*" in names or each.name in names]
    for output in outputs:
        for name, steps in patterns:
            if name in (output.name, "*"):
                where = _find(output.value, steps, value)
                if where is not None:
                    return "shown", _result_index(case, output), where
    return None


@lru_cache(maxsize=1024)
def _steps(pattern: str) -> tuple[str, tuple[str, ...]]:
    """`get_user_details:payment_methods.*.id` as the tool and the steps into its output."""
    name, _, path = pattern.partition(":")
    return name, tuple(path.split(".")) if path else ()


def _find(node: Any, steps: tuple[str, ...], value: Any) -> str | None:
    """Path of a leaf that matches the steps and equals the value; `*` stands for any key or index, and a key itself may be the value."""
    if not steps:
        return "" if _equal(node, value) else None
    head, rest = steps[0], steps[1:]
    if head != "*":
        return _behind(head, _find(node[head], rest, value)) if isinstance(node, dict) and head in node else None
    for key, child in _children(node):
        if not rest and _equal(key, value):
            return key
        found = _find(child, rest, value)
        if found is not None:
            return _behind(key, found)
    return None


def _children(node: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(node, dict):
        return node.items()
    return ((str(index), item) for index, item in enumerate(node)) if isinstance(node, list) else ()


def _behind(key: str, path: str | None) -> str | None:
    return f"{key}.{path}" if path else key if path is not None else None


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) < 0.005
    return type(one) is type(other) and bool(one == other)


def _result_index(case: Case, made: Made) -> int:
    """Index of the tool message that answered a call."""
    for index in range(made.index + 1, len(case.trajectory.messages)):
        message = case.trajectory.messages[index]
        if message.role == "tool":
            calls = case.trajectory.messages[made.index].tool_calls
            names = {call.id: call.name for call in calls}
            if names.get(message.tool_call_id or "") == made.name:
                return index
    return made.index
