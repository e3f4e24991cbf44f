"""What the kinds of wish share: looking through a member's loans or holds, and the rivals that such a search leaves."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from writ.domains.base import Outcome, Reads
from writ.domains.wording import phrasebook, spin
from writ.schema import Call, Fact, Rival

from .rules import RULES
from .tools import BRANCHES

Record = Mapping[str, Any]

PHRASES = phrasebook((Path(__file__).parent / "phrases.txt").read_text())

FETCH = {"loans": "get_loan", "holds": "get_hold"}


def get_member(member_id: str) -> Call:
    return Call(name="get_member", arguments={"member_id": member_id})


def get_record(table: str, record_id: str) -> Call:
    return Call(name=FETCH[table], arguments={f"{table[:-1]}_id": record_id})


def refused(rule: str, subject: str, *mentions: str) -> Outcome:
    return Outcome(rule=rule, transfer=RULES[rule].transfer, subject=subject, mentions=(subject, *mentions))


def title_fact(title: str) -> Fact:
    return Fact(name="title", value=title, text=title, question="Which title is it about?", cues=("title", "book"))


def branch_fact(branch: str) -> Fact:
    others = [other for other in BRANCHES if other != branch]
    wrong = others[len(branch) % len(others)]
    return Fact(
        name="branch",
        value=branch,
        text=branch,
        question="Which branch should it be picked up at?",
        cues=("branch", "picked up", "pick it up"),
        wrong=wrong,
        core=False,
    )


def id_fact(name: str, record_id: str) -> Fact:
    return Fact(name=name, value=record_id, text=record_id, question=f"What is the number of the {name}?", cues=(f"number of the {name}",))


def pointed_at(member: Record, table: str, slots: Mapping[str, Any]) -> Reads[list[Record]]:
    """The member's records that the words mean: by id where one is named, else by title, looking through all of them."""
    named = slots.get(table[:-1])
    listed = [record_id for record_id in member[table] if named in (None, record_id)]
    records = []
    for record_id in listed:
        records.append((yield get_record(table, record_id)))
    return [record for record in records if named or record["title"] == slots["title"]]


def search_rivals(member: Record, table: str, slots: Mapping[str, Any], found: Sequence[str]) -> Iterator[Rival]:
    """How the unseen records could be otherwise, given the ids that matched."""
    named = slots.get(table[:-1])
    listed = [record_id for record_id in member[table] if named in (None, record_id)]
    if len(found) <= 1:
        for record_id in listed:
            yield Rival(claim=f"{record_id} is of another title than thought, or in another state", refuters=(get_record(table, record_id),))
        return
    for some in combinations(found, len(found) - 1):
        yield Rival(claim="only one of them matches", refuters=tuple(get_record(table, record_id) for record_id in some))


def say(name: str, rng: Random, slots: Mapping[str, object] | None = None) -> str:
    """One sentence of the named templates in phrases.txt."""
    return spin(rng, rng.choice(PHRASES[name]), slots)
