"""Who may appear where: users are dealt into train and held-out before any task is made, and those a benchmark names are blocked."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from writ.domains.base import Domain
from writ.domains.database import Database

Split = Literal["train", "held_out"]


def split_of(user_id: str, salt: str, held_out_share: float) -> Split:
    """The side of one person: a hash of the id and a salt, so it depends on nobody else. `held_out_share` in [0, 1]."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).digest()
    return "held_out" if int.from_bytes(digest[:8], "big") / 2**64 < held_out_share else "train"


def blocked_users(domain: Domain, database: Database, benchmark_tasks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Users that a benchmark's tasks name: by id, or by any id that belongs to them alone (an order, a reservation, a payment method)."""
    text = json.dumps(list(benchmark_tasks), ensure_ascii=False)
    if text == "[]":
        return frozenset()
    words = _ids_in(text)
    return frozenset(user for user in domain.persons(database) if user in words or not words.isdisjoint(domain.owned(database, user)))


def _ids_in(text: str) -> frozenset[str]:
    """Everything in a text that could be an id: maximal runs of letters, digits, `_`, `#` and `-`."""
    cleaned = "".join(char if char.isalnum() or char in "_#-" else " " for char in text)
    return frozenset(cleaned.split())
