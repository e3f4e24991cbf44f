"""How a write reads in a confirmation, and where its arguments may come from."""

from collections.abc import Mapping
from random import Random
from typing import Any

from writ.domains.base import Shown
from writ.schema import Call

from .account import say

FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("renew_loan", "loan_id"): ("get_member:loans.*", "get_loan:loan_id"),
    ("place_hold", "member_id"): ("find_member:", "get_member:member_id"),
    ("place_hold", "edition_id"): ("search_catalog:*", "get_edition:edition_id"),
    ("cancel_hold", "hold_id"): ("get_member:holds.*", "get_hold:hold_id"),
    ("change_pickup", "hold_id"): ("get_member:holds.*", "get_hold:hold_id"),
}


def summary(write: Call, shown: Shown, rng: Random) -> str:
    """One clause that states every argument of the write but the member's own id."""
    record = _record(write, shown)
    title = f'"{record["title"]}"' if "title" in record else "it"
    slots = {"title": title, "id": _subject(write), "form": record.get("format"), "year": record.get("year"), "branch": write.arguments.get("branch")}
    return say(f"summary_{write.name}", rng, slots)


def forms(write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
    """What states an argument: its id or its title; a branch by its name. Nobody needs to hear their own member id."""
    record = _record(write, shown)
    key = next(name for name in ("loan_id", "hold_id", "edition_id") if name in write.arguments)
    stated = (_subject(write), *((record["title"],) if "title" in record and key != "edition_id" else ()))
    if key == "edition_id" and record:
        stated += (f"{record['format']} from {record['year']}", f"{record['format']} of {record['year']}", f"{record['year']} {record['format']}")
    return {key: stated} | ({"branch": (write.arguments["branch"],)} if "branch" in write.arguments else {})


def _subject(write: Call) -> str:
    return str(next(write.arguments[name] for name in ("loan_id", "hold_id", "edition_id") if name in write.arguments))


def _record(write: Call, shown: Shown) -> Mapping[str, Any]:
    """The newest shown record that the write is about; empty where it was never looked up."""
    name = next(name for name in ("loan_id", "hold_id", "edition_id") if name in write.arguments)
    look_up = Call(name=f"get_{name.removesuffix('_id')}", arguments={name: write.arguments[name]})
    return next((value for read, value in reversed(shown) if read.key == look_up.key), {})
