"""Who may appear where: users are dealt into train and held-out before any task is made, and those a benchmark names are blocked."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from writ.domains.base import Domain
from writ.domains.database import Database
from writ.domains.environment import Environment

Split = Literal["train", "held_out"]

_ID = re.compile(r"[\w#-]+")
_SPACE = re.compile(r"(?:\\[nrt]|\s)+")
"""Between words of JSON text, where a new line is two characters."""


def split_of(user_id: str, salt: str, held_out_share: float) -> Split:
    """The side of one person: a hash of the id and a salt, so it depends on nobody else. `held_out_share` in [0, 1]."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).digest()
    return "held_out" if int.from_bytes(digest[:8], "big") / 2**64 < held_out_share else "train"


def blocked_users(domain: Domain, database: Database, benchmark_tasks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Users that a benchmark's tasks name: by id, by name or e-mail, or by any id that belongs to them alone (an order, a reservation, a card).

    A name that several users share blocks them all.
    """
    tasks = list(benchmark_tasks)
    if not tasks:
        return frozenset()
    words, world = _ids_in(tasks), Environment(domain.toolkit, database)
    lowered = _SPACE.sub(" ", json.dumps(tasks, ensure_ascii=False).lower())
    return frozenset(
        user
        for user in domain.persons(database)
        if user in words or not words.isdisjoint(domain.owned(database, user)) or any(alias in lowered for alias in _aliases(domain, world, user))
    )


def records_of(domain: Domain, database: Database, users: Iterable[str]) -> frozenset[str]:
    """Ids that belong to one of these users alone."""
    return frozenset(record for user in users for record in domain.owned(database, user))


def named_in(value: Any, ids: frozenset[str]) -> bool:
    """Whether a JSON value holds one of these ids as a word."""
    return not ids.isdisjoint(_ids_in(value))


def _aliases(domain: Domain, world: Environment, user_id: str) -> frozenset[str]:
    """Lower-case texts that name a person in a task: an e-mail address, a full name, or a name as arguments spell it."""
    told = (*domain.identity(world, user_id, "primary"), *domain.identity(world, user_id, "alternative"))
    said = {fact.name: str(fact.value).lower() for fact in told}
    found = {said[name] for name in ("email", "name") if name in said}
    if "first_name" in said and "last_name" in said:
        first, last = said["first_name"], said["last_name"]
        found |= {f"{first} {last}", f'"first_name": "{first}", "last_name": "{last}"'}
    return frozenset(found)


def _ids_in(value: Any) -> frozenset[str]:
    """Everything in a JSON value, keys included, that could be an id: maximal runs of letters, digits, `_`, `#` and `-`; people leave the `#` out."""
    found = {word for text in _texts(value) for word in _ID.findall(text)}
    return frozenset(found.union(f"#{word}" for word in found if word[0] != "#"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
