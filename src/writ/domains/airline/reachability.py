"""Where the arguments of a read come from: the user's words, the profile, or a reservation."""

from collections.abc import Sequence
from typing import Any

from writ.domains.airline import queries
from writ.domains.environment import Environment
from writ.schema import Call, Wish

Record = dict[str, Any]
Clauses = Sequence[Sequence[Call]]


def given_by(read: Call, wish: Wish, user_id: str, world: Environment) -> Clauses:
    """For each argument that the words do not give, the reads whose output gives it."""
    if read.name == "get_reservation_details":
        return () if read.arguments["reservation_id"] in _ids_said(wish) else ((queries.profile(user_id),),)
    if read.name == "get_flight_status":
        flight = (read.arguments["flight_number"], read.arguments["date"])
        return (_shown_by([trip for trip in _trips(wish, user_id, world) if flight in _flights(trip)]),)
    if read.name.startswith("search_") and "legs" not in wish.slots:
        return _search_needs(read, wish, user_id, world)
    return ()


def _search_needs(read: Call, wish: Wish, user_id: str, world: Environment) -> Clauses:
    """A search for an existing trip: its airports and, where the user names no dates, its dates stand in the reservation."""
    ends, date = (read.arguments["origin"], read.arguments["destination"]), read.arguments["date"]
    clauses: list[Sequence[Call]] = []
    trips = _trips(wish, user_id, world)
    if not {"from", "to"} <= wish.slots.get("trip", {}).keys() or "leg" not in wish.slots:
        clauses.append(_shown_by([trip for trip in trips if ends in _ways(trip)]))
    if "leg" not in wish.slots:
        clauses.append(_shown_by([trip for trip in trips if any(flight["date"] == date for flight in trip["flights"])]))
    return clauses


def _shown_by(trips: Sequence[Record]) -> Sequence[Call]:
    return tuple(queries.reservation(trip["reservation_id"]) for trip in trips)


def _ways(trip: Record) -> set[tuple[str, str]]:
    ends = {(trip["origin"], trip["destination"]), (trip["destination"], trip["origin"])}
    return ends | {(flight["origin"], flight["destination"]) for flight in trip["flights"]}


def _flights(trip: Record) -> list[tuple[str, str]]:
    return [(flight["flight_number"], flight["date"]) for flight in trip["flights"]]


def _ids_said(wish: Wish) -> list[str]:
    """Reservation ids in the user's words."""
    refs = (wish.slots.get(name) for name in ("trip", "same_as"))
    return [ref["id"] for ref in refs if ref and "id" in ref]


def _trips(wish: Wish, user_id: str, world: Environment) -> list[Record]:
    """The user's reservations, and any that the wish names by id."""
    user = world.state.get("users", user_id) or {"reservations": ()}
    ids = dict.fromkeys((*user["reservations"], *_ids_said(wish)))
    return [trip for trip in (world.state.get("reservations", trip_id) for trip_id in ids) if trip is not None]
