"""A library desk: a whole domain in a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from writ.domains.base import Domain, Reads, Rule, Ruling, Said, Shown, WishKind
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.toolkit import Toolkit
from writ.schema import Call, Fact, Wish

from .cancel_holds import CancelHolds
from .change_pickup import ChangePickup
from .generator import generated
from .place_hold import PlaceHold, catalog_search
from .renew_loan import RenewLoan
from .rules import RULES, permits
from .tools import DeskTools
from .words import FIELDS, forms, summary

FREE = frozenset({"find_member", "transfer_to_human_agents"})
OWNERS = {"get_loan": "loans", "get_hold": "holds"}


class Library(Domain):
    name: ClassVar[str] = "library"
    toolkit: ClassVar[type[Toolkit]] = DeskTools
    kinds: ClassVar[Mapping[str, WishKind]] = {kind.name: kind for kind in (RenewLoan(), PlaceHold(), CancelHolds(), ChangePickup())}
    rules: ClassVar[Mapping[str, Rule]] = RULES
    policy: ClassVar[str] = (Path(__file__).parent / "policy.md").read_text()

    def generate(self, seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
        return generated(seed, users)

    def persons(self, database: Database) -> Sequence[str]:
        return sorted(database.tables["members"])

    def owned(self, database: Database, user_id: str) -> frozenset[str]:
        member = database.tables["members"][user_id]
        return frozenset((*member["loans"], *member["holds"], member["card"]))

    def identity(self, world: Environment, user_id: str, which: Literal["primary", "alternative"]) -> tuple[Fact, ...]:
        member = world.read("get_member", {"member_id": user_id})
        if which == "primary":
            card = member["card"]
            return (Fact(name="card", value=card, text=card, question="What is the number on your library card?", cues=("card",)),)
        email = member["email"]
        return (Fact(name="email", value=email, text=email, question="What is the email address of your account?", cues=("email", "e-mail")),)

    def identify(self, said: Said) -> Reads[str]:
        key = said["card"] if "card" in said else said["email"]
        return str((yield Call(name="find_member", arguments={"card_or_email": key})))

    def permits(self, write: Call, said: Said) -> Reads[Ruling]:
        return (yield from permits(write))

    def needs(self, read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
        if read.name in OWNERS:
            return [[Call(name="get_member", arguments={"member_id": user_id})]]
        if read.name == "get_edition":
            return _sources(read, wish, user_id, world)
        return []

    def stale(self, write: Call, read: Call) -> bool:
        if write.name == "renew_loan":
            return read.key == Call(name="get_loan", arguments=write.arguments).key
        if write.name == "change_pickup":
            return read.name == "get_hold" and read.arguments["hold_id"] == write.arguments["hold_id"]
        return read.name in ("get_member", "get_edition", "get_hold")

    def free(self, read: Call) -> bool:
        return read.name in FREE

    def summarize(self, write: Call, shown: Shown, rng: Random) -> str:
        return summary(write, shown, rng)

    def forms(self, write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
        return forms(write, shown)

    def fields(self, tool: str, argument: str) -> tuple[str, ...]:
        return FIELDS.get((tool, argument), ())

    def formulas(self, write: Call, shown: Shown, said: Said) -> Mapping[str, tuple[str, Any]]:
        return {}


def _sources(edition: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
    """Where the id of an edition comes from: the catalog, or one of the loans; nowhere where the user names it."""
    if "edition" in wish.slots:
        return []
    if wish.kind == PlaceHold.name:
        return [[catalog_search(wish)]]
    loans = [Call(name="get_loan", arguments={"loan_id": loan}) for loan in world.read("get_member", {"member_id": user_id})["loans"]]
    return [[loan for loan in loans if world.read("get_loan", loan.arguments)["edition_id"] == edition.arguments["edition_id"]]]
