"""What this user could book: shapes of search spaces from narrow to wide, and travelers, payments, bags and insurance to go with them."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from writ.domains.airline.network import Network, network
from writ.domains.airline.payments import SOURCES, refs_of
from writ.domains.airline.places import NEARBY
from writ.domains.airline.trips import CABINS, Record
from writ.domains.airline.wishes.common import live, references, trips_of, user_of
from writ.domains.environment import Environment


class Shape(NamedTuple):
    """A search space: numbers of origins, destinations and dates, stops, and dates of the way back."""

    origins: int
    destinations: int
    dates: int
    stops: str
    back: int = 0


TIERS: tuple[tuple[Shape, ...], ...] = (
    (Shape(1, 1, 1, "direct"),),
    (Shape(1, 1, 1, "any"), Shape(1, 1, 2, "direct"), Shape(2, 1, 1, "direct"), Shape(1, 2, 1, "direct"), Shape(1, 1, 1, "direct", 1)),
    (
        Shape(1, 1, 2, "any"),
        Shape(2, 1, 1, "any"),
        Shape(1, 2, 1, "any"),
        Shape(2, 1, 2, "direct"),
        Shape(1, 1, 1, "any", 1),
        Shape(1, 1, 3, "direct"),
    ),
    (
        Shape(1, 1, 3, "any"),
        Shape(3, 1, 1, "any"),
        Shape(2, 1, 3, "direct"),
        Shape(1, 3, 1, "any"),
        Shape(1, 1, 2, "any", 1),
        Shape(1, 1, 1, "any", 2),
    ),
    (
        Shape(2, 1, 2, "any"),
        Shape(1, 2, 2, "any"),
        Shape(2, 2, 1, "any"),
        Shape(1, 1, 2, "any", 2),
        Shape(3, 1, 3, "direct"),
        Shape(3, 3, 1, "direct"),
    ),
    (Shape(2, 1, 3, "any"), Shape(3, 1, 2, "any"), Shape(1, 2, 3, "any"), Shape(2, 2, 2, "any"), Shape(1, 3, 2, "any"), Shape(1, 1, 3, "any", 3)),
)
"""One shape of each tier is tried: burdens 2, 3, 4-5, 6-8, 9-11, 12 and more."""

WIDE_BY: tuple[tuple[str, ...], ...] = (("cheapest",), ("cheapest", "fastest"), ("fastest", "cheapest"))
DAY_BY: tuple[tuple[str, ...], ...] = (
    *WIDE_BY,
    ("earliest_arrival", "cheapest"),
    ("latest_departure", "cheapest"),
    ("earliest_departure", "cheapest"),
)
"""Within one day, times can be compared as well."""

FIRST_NAMES = ("Jonas", "Wilma", "Teodor", "Greta", "Anselm", "Paloma", "Ruben", "Ottilie", "Casper", "Mirela", "Hugo", "Salome", "Edgar", "Fenna")
LAST_NAMES = ("Reed", "Castellan", "Nyberg", "Ashdown", "Verhoeven", "Quill", "Marlowe", "Tanaka", "Oyelaran", "Brandt", "Sokolov", "Ferreira")


def proposals(world: Environment, user_id: str, rng: Random) -> Iterator[Record]:
    """Slots of bookings, from narrow to wide."""
    user, net = user_of(world, user_id), network(world)
    if not user.get("payment_methods"):
        return
    for tier in TIERS:
        slots = proposal(world, user_id, net, rng.choice(tier), rng)
        if slots is not None:
            yield slots


def proposal(world: Environment, user_id: str, net: Network, shape: Shape, rng: Random) -> Record | None:
    """One booking of a shape; None where nothing of the user's could pay for it."""
    user = user_of(world, user_id)
    funds = payment_plans(user, rng)
    if funds is None:
        return None
    plan, budget = funds
    if budget is not None and shape.back:
        return None
    cabin = rng.choice(tuple(CABINS)) if budget is None else "basic_economy" if budget < 420 else rng.choice(("basic_economy", "economy"))
    legs = _legs(net, shape, rng)
    people = travelers(world, user_id, rng) if budget is None else {"passengers": [{"self": True}]}
    number = len(people.get("passengers", (1, 2)))
    return {
        "legs": legs,
        "cabin": cabin,
        **people,
        "payments": plan,
        "bags": rng.choice((0, 0, 1, 2, 3, number, 2 * number)) if budget is None else 0,
        "insurance": rng.choice(("yes", "no")) if budget is None else "no",
        "ask": rng.choice(([], [], [], ["total"], ["arrival"], ["total", "arrival"])) if not shape.back else rng.choice(([], ["total"])),
    }


# --------------------------------------------------------------------------------------------------------------------------------- flights


def _legs(net: Network, shape: Shape, rng: Random) -> list[Record]:
    origin, destination = _route(net, shape.stops, rng)
    start = rng.randrange(max(1, len(net.dates) - shape.dates - (shape.back + 2 if shape.back else 0)))
    dates = list(net.dates[start : start + shape.dates])
    one_day = shape.dates == 1 and not shape.back
    words = _named(net, origin, destination, rng) if shape == TIERS[0][0] else {"by": list(rng.choice(DAY_BY if one_day else WIDE_BY))}
    origins = [origin, *_near(origin, net.into.get(destination, ()), shape.origins - 1, rng, without=destination)]
    reached = [end for end in dict.fromkeys((*net.direct[origin], *net.onward[origin])) if end not in origins]
    destinations = [destination, *_near(destination, reached, shape.destinations - 1, rng, without=origin)]
    leg = {"from": origins, "to": destinations, "dates": dates, "stops": shape.stops, **words}
    if not shape.back:
        return [leg]
    begin = start + shape.dates + 1
    return [leg, {**leg, "from": destinations, "to": origins, "dates": list(net.dates[begin : begin + shape.back])}]


def _route(net: Network, stops: str, rng: Random) -> tuple[str, str]:
    origin = rng.choice(net.origins)
    ends = net.direct[origin] if stops == "direct" or rng.random() < 0.6 else net.onward[origin] or net.direct[origin]
    back = [end for end in ends if net.serves(end, origin, stops)]
    return origin, rng.choice(back or ends)


def _named(net: Network, origin: str, destination: str, rng: Random) -> Record:
    """A direct flight by its time of departure where that is its own, or by number."""
    numbers = net.flights[origin, destination]
    number = rng.choice(numbers)
    time = net.departures[number]
    alone = sum(net.departures[other] == time for other in numbers) == 1
    return {"departs": time} if alone and rng.random() < 0.6 else {"numbers": [number]}


def _near(airport: str, allowed: Sequence[str], number: int, rng: Random, without: str) -> list[str]:
    """Other airports that could stand in for one: nearby ones first."""
    if number <= 0:
        return []
    near = [other for group in NEARBY if airport in group for other in group]
    others = [other for other in dict.fromkeys(near) if other in allowed]
    rest = [other for other in allowed if other not in others]
    rng.shuffle(rest)
    return [other for other in (*others, *rest) if other not in (airport, without)][:number]


def named_legs(world: Environment, flights: Sequence[Mapping[str, str]], legs: Sequence[Record]) -> list[Record]:
    """The legs of a booking with each flight named by number: one search tells all of a leg."""
    named: list[Record] = []
    rest = list(flights)
    for leg in legs:
        mine: list[Mapping[str, str]] = []
        end = ""
        while rest and end not in leg["to"]:
            mine.append(rest.pop(0))
            end = _flight(world, mine[-1])["destination"]
        origin = _flight(world, mine[0])["origin"]
        stops = "direct" if len(mine) == 1 else "onestop"
        numbers = [flight["flight_number"] for flight in mine]
        named.append({"from": [origin], "to": [end], "dates": [mine[0]["date"]], "stops": stops, "numbers": numbers})
    return named


def _flight(world: Environment, flight: Mapping[str, str]) -> Record:
    return world.state.get("flights", flight["flight_number"]) or {}


# --------------------------------------------------------------------------------------------------------------------- travelers and money


def travelers(world: Environment, user_id: str, rng: Random) -> Record:
    """Who flies: alone, with saved travelers, with new ones, or the same people as on an earlier trip."""
    user = user_of(world, user_id)
    saved = [{"saved": f"{person['first_name']} {person['last_name']}"} for person in user["saved_passengers"]]
    kind = rng.random()
    if kind < 0.15:
        trips = live(trips_of(world, user_id))
        trip = rng.choice(trips) if len(trips) > 1 else None
        ref = next(references(trip, trips, rng), None) if trip else None
        if ref is not None:
            return {"same_as": ref}
    new = [new_traveler(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    groups: tuple[list[Record], ...] = ([], [], saved[:1], saved, new[:1], [*saved, *new])
    return {"passengers": _distinct([{"self": True}, *rng.choice(groups)])[:5]}


def _distinct(people: Sequence[Record]) -> list[Record]:
    return [person for index, person in enumerate(people) if person not in people[:index]]


def new_traveler(rng: Random) -> Record:
    dob = f"{rng.randrange(1950, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    return {"first_name": rng.choice(FIRST_NAMES), "last_name": rng.choice(LAST_NAMES), "dob": dob}


def payment_plans(user: Record, rng: Random) -> tuple[list[Record], int | None] | None:
    """Payment references in order, and what they can pay at most (None: anything). None where the user has too little."""
    refs = refs_of(user)
    cards = [ref for ref in refs if "card" in ref]
    gifts = [ref for ref in refs if "gift" in ref]
    certificates = [ref for ref in refs if "certificate" in ref]
    first: list[list[Any]] = [[], [], certificates, gifts, [*certificates[:1], *gifts[:1]]]
    if cards:
        lead = rng.choice(first)
        picked = [rng.choice(lead)] if lead in (certificates, gifts) and lead else list(lead)
        return [*picked, rng.choice(cards)], None
    plan = [*certificates[-1:], *gifts[:1]]
    budget = sum(_worth(ref, user) for ref in plan)
    return (plan, budget) if budget >= 110 else None


def _worth(ref: Mapping[str, Any], user: Record) -> int:
    kind, which = next(iter(ref.items()))
    amounts = [method["amount"] for method in user["payment_methods"].values() if method["source"] == SOURCES[kind]]
    return int(which if isinstance(which, int) else max(amounts))
