"""What wishes about one existing trip have in common: its lower telling, and the mistakes they invite."""

from collections.abc import Iterator
from random import Random
from typing import Any

from writ.domains.airline import queries
from writ.domains.airline.payments import method_of, refs_of
from writ.domains.airline.policy import pays_changes
from writ.domains.airline.trips import chosen, trip_label
from writ.domains.airline.wishes.common import Record, live, trips_of
from writ.domains.base import Outcome, Reads, WishKind, run
from writ.domains.environment import Environment
from writ.schema import Distractor, Wish


class TripKind(WishKind):
    """A wish with a slot `trip`."""

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if "id" in wish.slots["trip"] or not outcome.calls:
            return None
        return told(wish, trip={"id": outcome.calls[0].arguments["reservation_id"]})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        if not outcome.calls:
            return
        for mistake, wrong in self.misheard(wish, user_id, world, outcome):
            found, _ = run(self.resolve(wrong, user_id), world.read)
            if found.calls and found.calls != outcome.calls:
                yield Distractor(mistake=mistake, calls=found.calls)

    def misheard(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[tuple[str, Wish]]:
        """The wish as a careless agent takes it: about another trip of the user's, to begin with."""
        gold = outcome.calls[0].arguments.get("reservation_id")
        for trip in live(trips_of(world, user_id))[:4]:
            if trip["reservation_id"] != gold:
                yield f"takes another trip: {trip_label(trip)}", told(wish, trip={"id": trip["reservation_id"]})


def told(wish: Wish, **slots: Any) -> Wish:
    """The wish with other slots."""
    return wish.model_copy(update={"slots": {**wish.slots, **slots}})


def target(ref: Record, user_id: str, world: Environment) -> Record | None:
    """The trip that a reference means in this state of the world."""
    if "id" in ref:
        trip = world.state.get("reservations", ref["id"])
        return trip if trip is not None and trip["user_id"] == user_id else None
    return chosen(ref, trips_of(world, user_id)).trip


def find_method(ref: Record, trip: Record) -> Reads[Record | str]:
    """The method that pays for a change, or the rule against it."""
    user = yield queries.profile(trip["user_id"])
    method = method_of(ref, user, trip)
    if method is None:
        return "payment_not_in_profile"
    ruling = pays_changes(user, method["id"])
    return method if ruling.allowed else ruling.rule


def affordable(trip: Record, price: int, user: Record, rng: Random) -> Record | None:
    """A reference to a method that can pay for a change, or take the money back; None where the user has none."""
    refs = [*refs_of(user, certificates=False), *({"original": True} for _ in range(2))]
    methods = [(ref, method_of(ref, user, trip)) for ref in refs]
    able = [ref for ref, method in methods if method and pays_changes(user, method["id"]).allowed and _pays(method, price)]
    return rng.choice(able) if able else None


def _pays(method: Record, price: int) -> bool:
    return bool(method["source"] == "credit_card" or method["amount"] >= price)
