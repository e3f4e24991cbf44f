"""The slot ledger: proves that a task can be solved from what this user knows and will say, and that the telling gives nothing away.

Debit: every value in a gold call. Credit: the user's facts, the outputs of the certificate's reads, and the domain's formulas over both. An
id that the decision needs and the user's facts do not hold is *hidden*: no word of the user's may name it before the agent did.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from writ.domains.database import leaf_paths
from writ.domains.environment import Environment
from writ.domains.registry import OpenDomain
from writ.errors import ToolRefused
from writ.schema import Call, Decision, Fact, Task, Wish

_DATE_OR_TIME = re.compile(r"\d{4}-\d\d-\d\d(T.*)?|\d\d?:\d\d(:\d\d)?")

Shown = list[tuple[Call, Any]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a telling of one task has to respect."""

    facts: tuple[tuple[Fact, ...], ...]
    """Per wish, in the order of the task."""
    hidden: tuple[str, ...]
    """Ids that the user does not know."""
    underived: tuple[str, ...]
    """Arguments of gold calls, as `tool.path = value`, that neither words nor reads give; empty where the task is sound."""


def balance(site: OpenDomain, task: Task, identity: Sequence[Fact]) -> Ledger:
    """Adds up both sides for one task, decision by decision, each in the state that the ones before left."""
    facts = tuple(site.domain.kinds[wish.kind].facts(wish) for wish in task.wishes)
    known = Words((*identity, *(fact for told in facts for fact in told)), task.user_id)
    world, shown, texts, underived = site.environment(), Shown(), list[bytes](), list[str]()
    for wish, decision in zip(task.wishes, task.decisions, strict=True):
        outputs = list(_outputs(world, decision.certificate.plan)) if decision.calls else []
        shown += outputs
        texts += (orjson.dumps(output, option=orjson.OPT_NON_STR_KEYS) for _, output in outputs)
        for call in decision.calls:
            underived += _underived(site, call, wish, known, shown, texts)
            world.apply(call.name, call.arguments)
    return Ledger(facts, _hidden(site, task.decisions, known), tuple(underived))


class Words:
    """The values that a user's facts hold."""

    def __init__(self, facts: Iterable[Fact], *more: str) -> None:
        self._texts = "\n".join(fact.text.lower() for fact in facts)
        self._values = {_plain(leaf) for fact in facts for leaf in leaves(fact.value)} | {_plain(value) for value in more}

    def __contains__(self, value: Any) -> bool:
        return _plain(value) in self._values or names(self._texts, str(value))


def names(text: str, identifier: str) -> bool:
    """Whether the text holds the identifier as a whole word, in any case."""
    wanted = identifier.lower()
    lowered = text.lower()
    return wanted in lowered and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", lowered) is not None


def leaks(texts: Iterable[str], hidden: Iterable[str]) -> tuple[str, ...]:
    """Hidden ids that the texts name."""
    whole = "\n".join(texts)
    return tuple(each for each in hidden if names(whole, each))


def leaves(value: Any) -> Iterator[Any]:
    """Scalar leaves of a JSON value, keys of objects included: some tools show ids as keys."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def _outputs(world: Environment, reads: Iterable[Call]) -> Iterator[tuple[Call, Any]]:
    for read in reads:
        try:
            yield read, world.read(read.name, read.arguments)
        except ToolRefused:
            continue


def _underived(site: OpenDomain, call: Call, wish: Wish, known: Words, shown: Shown, texts: Sequence[bytes]) -> Iterator[str]:
    """Argument leaves that nothing gives. `texts`: the outputs as JSON, where a value is looked for as it stands between marks."""
    given: Mapping[str, tuple[str, Any]] | None = None
    for path, value in leaf_paths(call.arguments):
        if value in known or _is_shown(value, texts):
            continue
        given = site.domain.formulas(call, shown, wish.slots) if given is None else given
        if path not in given:
            yield f"{call.name}.{path} = {value!r}"


def _is_shown(value: Any, texts: Sequence[bytes]) -> bool:
    token = orjson.dumps(value)
    if isinstance(value, str):
        return any(token in text for text in texts)
    pattern = re.compile(rb"[:,\[]" + re.escape(token.removesuffix(b".0")) + rb"(\.0+)?[,\]}]")
    return any(pattern.search(text) for text in texts)


def _hidden(site: OpenDomain, decisions: Iterable[Decision], known: Words) -> tuple[str, ...]:
    """Ids in gold calls and plans that the user does not know, sorted."""
    calls = (call for decision in decisions for call in (*decision.calls, *decision.certificate.plan))
    values = {value for call in calls for value in leaves(list(call.arguments.values())) if isinstance(value, str)}
    return tuple(sorted(value for value in values if _is_id(site, value) and value not in known))


def _is_id(site: OpenDomain, value: str) -> bool:
    """A key of the database, or a word with a digit in it that is no date or time."""
    if any(value in table for table in site.database.tables.values()):
        return True
    return " " not in value and any(char.isdigit() for char in value) and not _DATE_OR_TIME.fullmatch(value)


def _plain(value: Any) -> Any:
    """One spelling for values that are equal as JSON shows them: 3 and 3.0, True and `true`, any case."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(float(value)) if isinstance(value, int | float) else str(value).lower()
