"""Where the arguments of a read come from: the user's words, the profile, or a reservation."""

from collections.abc import Iterator, Sequence
from typing import Any

from writ.domains.airline import queries
from writ.domains.environment import Environment
from writ.schema import Call, Wish

Record = dict[str, Any]


def given_by(read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
    """For each argument that the words do not give, the reads whose output gives it."""
    if read.name == "get_reservation_details":
        return () if read.arguments["reservation_id"] in words_of(wish) else ((queries.profile(user_id),),)
    if read.name == "get_flight_status":
        flight = (read.arguments["flight_number"], read.arguments["date"])
        return _unless_said(flight, wish, [trip for trip in _trips(wish, user_id, world) if flight in _flights(trip)])
    if read.name.startswith("search_"):
        return _search_needs(read, wish, user_id, world)
    return ()


def _search_needs(read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
    origin, destination, date = (read.arguments[name] for name in ("origin", "destination", "date"))
    trips = _trips(wish, user_id, world)
    ends = [trip for trip in trips if (origin, destination) in _ways(trip)]
    dates = [trip for trip in trips if any(flight["date"] == date for flight in trip["flights"])]
    return (*_unless_said((origin, destination), wish, ends), *_unless_said((date,), wish, dates))


def _unless_said(values: Sequence[str], wish: Wish, trips: Sequence[Record]) -> Sequence[Sequence[Call]]:
    if words_of(wish).issuperset(values):
        return ()
    return (tuple(queries.reservation(trip["reservation_id"]) for trip in trips),)


def _ways(trip: Record) -> set[tuple[str, str]]:
    ends = {(trip["origin"], trip["destination"]), (trip["destination"], trip["origin"])}
    return ends | {(flight["origin"], flight["destination"]) for flight in trip["flights"]}


def _flights(trip: Record) -> list[tuple[str, str]]:
    return [(flight["flight_number"], flight["date"]) for flight in trip["flights"]]


def _trips(wish: Wish, user_id: str, world: Environment) -> list[Record]:
    """The user's reservations, and any that the wish names by id."""
    user = world.state.get("users", user_id) or {"reservations": ()}
    ids = dict.fromkeys((*user["reservations"], *sorted(words_of(wish))))
    return [trip for trip in (world.state.get("reservations", trip_id) for trip_id in ids) if trip is not None]


def words_of(wish: Wish) -> frozenset[str]:
    """Every text value in a wish's slots."""
    return frozenset(_texts(wish.slots))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
