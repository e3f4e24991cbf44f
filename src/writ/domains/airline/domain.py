"""The airline: bookings, changes, cancellations and compensation."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Literal

from writ.domains.airline import grounding, policy
from writ.domains.airline.generator import generate
from writ.domains.airline.reachability import given_by
from writ.domains.airline.tools import AirlineTools
from writ.domains.airline.wishes import KINDS
from writ.domains.airline.wishes.refusals import CancelRefused
from writ.domains.base import Domain, Reads, Ruling, Said, Shown
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.errors import ToolRefused
from writ.schema import Call, Fact, Wish

FREE = frozenset({"calculate", "transfer_to_human_agents", "list_all_airports"})


class Airline(Domain):
    name = "airline"
    toolkit = AirlineTools
    kinds = KINDS
    rules = policy.RULES
    policy = policy.POLICY

    def generate(self, seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
        """`deep`: accounts hold five to thirteen trips, so that all cells fill."""
        return generate(seed, users, deep=deep)

    def persons(self, database: Database) -> Sequence[str]:
        return list(database.tables["users"])

    def owned(self, database: Database, user_id: str) -> frozenset[str]:
        user = database.tables["users"][user_id]
        return frozenset((*user["reservations"], *user["payment_methods"]))

    def identity(self, world: Environment, user_id: str, which: Literal["primary", "alternative"]) -> tuple[Fact, ...]:
        """The airline knows users by id alone; the alternative user begins with a name, and gives the id when asked."""
        cues = ("user id", "userid", "user-id", "customer id", "account id")
        known = Fact(name="user_id", value=user_id, text=user_id, question="May I have your user ID?", cues=cues, core=which == "primary")
        if which == "primary":
            return (known,)
        user = world.state.get("users", user_id) or {}
        name = f"{user['name']['first_name']} {user['name']['last_name']}"
        return (Fact(name="name", value=name, text=name, question="What is your name?", cues=("your name", "full name")), known)

    def sequels(self, wish: Wish, write: Call, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        """The reservation that the user has cancelled as their trip to somewhere, once more by its id."""
        if write.name == "cancel_reservation" and "id" not in wish.slots.get("trip", {}):
            yield CancelRefused().wish({"id": write.arguments["reservation_id"]}, rng.choice(("change_of_plan", "other")), rng)

    def identify(self, said: Said) -> Reads[str]:
        """No tool looks a user up: the id that the user gives is taken as it is, and refused by the first read where it is wrong."""
        if "user_id" not in said:
            raise ToolRefused("User not found")
        yield from ()
        return str(said["user_id"])

    def permits(self, write: Call, said: Said) -> Reads[Ruling]:
        return policy.permits(write, said)

    def needs(self, read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
        return given_by(read, wish, user_id, world)

    def stale(self, write: Call, read: Call) -> bool:
        """Bookings change the user, seats and nothing else; changes touch their reservation and the user's gift cards."""
        if read.name == "get_reservation_details":
            return bool(write.arguments.get("reservation_id") == read.arguments.get("reservation_id"))
        if read.name.startswith("search_"):
            return write.name == "book_reservation"
        return read.name == "get_user_details" and write.name not in ("cancel_reservation", "update_reservation_passengers")

    def free(self, read: Call) -> bool:
        return read.name in FREE

    def summarize(self, write: Call, shown: Shown, rng: Random) -> str:
        return grounding.summarize(write, shown, rng)

    def forms(self, write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
        return grounding.forms(write, shown)

    def fields(self, tool: str, argument: str) -> tuple[str, ...]:
        return grounding.fields(tool, argument)

    def formulas(self, write: Call, shown: Shown, said: Said) -> Mapping[str, tuple[str, Any]]:
        return grounding.formulas(write, shown, said)
