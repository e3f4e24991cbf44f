"""A seeded airline database of any size: flights, then users, then their trips. Its statistics follow the published one's, its ids are its own.

Flight numbers begin with `WRF`, reservation ids with `A` and end with `4` (no published one does both), payment ids have eight digits (published:
seven), and people's last names are not among the published ones, so no id is in both.
"""

from random import Random
from typing import Any, NamedTuple

from writ.domains.airline.generated_people import new_user, other_passenger
from writ.domains.airline.generated_routes import Routes, new_routes
from writ.domains.airline.payments import INSURANCE_DOLLARS, free_bags

Record = dict[str, Any]

TRIPS_PER_USER = {0: 12, 1: 26, 2: 77, 3: 70, 4: 82, 5: 66, 6: 50, 7: 35, 8: 22, 9: 13, 10: 9, 11: 1, 13: 1}
"""Weights, measured over users who hold a card or gift card; the others have no trips."""

DEEP_TRIPS_PER_USER = {5: 10, 6: 15, 7: 20, 8: 20, 9: 15, 10: 10, 11: 5, 13: 5}
PASSENGERS = {1: 920, 2: 662, 3: 323, 4: 95}
BAGS = {0: 1075, 1: 433, 2: 277, 3: 99, 4: 71, 5: 19, 6: 19, 7: 2, 8: 5}
STAY_DAYS = {1: 152, 2: 154, 3: 133, 4: 109, 5: 98, 6: 62, 7: 56, 8: 53, 9: 38, 10: 41, 11: 20, 12: 24, 13: 10, 14: 4}
CABINS = ("basic_economy", "economy", "business")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LAST_FIRST_DAY = 29
"""The last day of May on which a trip begins."""


class Itinerary(NamedTuple):
    flights: list[Record]
    flight_type: str
    origin: str
    destination: str
    booked: int
    """Day of May on which it was booked."""


def generate(seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
    """The tables. `deep`: accounts hold five to thirteen trips, so that a lot has to be read. Same arguments, same bytes."""
    rng = Random(f"airline:{seed}")
    routes = new_routes(rng)
    tables: dict[str, dict[str, Any]] = {"flights": routes.flights, "users": {}, "reservations": {}}
    for _ in range(users):
        user = new_user(rng, tables["users"])
        tables["users"][user["user_id"]] = user
        for _ in range(_trips(rng, user, deep)):
            trip = _trip(rng, user, routes, tables["reservations"])
            tables["reservations"][trip["reservation_id"]] = trip
            user["reservations"].append(trip["reservation_id"])
    return tables


def drawn(rng: Random, weights: dict[int, int]) -> int:
    return rng.choices(list(weights), list(weights.values()))[0]


def _trips(rng: Random, user: Record, deep: bool) -> int:
    return drawn(rng, DEEP_TRIPS_PER_USER if deep else TRIPS_PER_USER) if _funds(user) else 0


def _funds(user: Record) -> list[str]:
    """Ids of the methods that can have paid for a trip: cards and gift cards."""
    return [method["id"] for method in user["payment_methods"].values() if method["source"] != "certificate"]


def _trip(rng: Random, user: Record, routes: Routes, taken: dict[str, Any]) -> Record:
    cabin = rng.choice(CABINS)
    way = _itinerary(rng, routes, cabin)
    people = _people(rng, user)
    insured = rng.random() < 0.5
    price = sum(flight["price"] for flight in way.flights) * len(people) + (INSURANCE_DOLLARS * len(people) if insured else 0)
    return {
        "reservation_id": _new_id(rng, taken),
        "user_id": user["user_id"],
        "origin": way.origin,
        "destination": way.destination,
        "flight_type": way.flight_type,
        "cabin": cabin,
        "flights": way.flights,
        "passengers": people,
        "payment_history": [{"payment_id": rng.choice(_funds(user)), "amount": price}],
        "created_at": _created(rng, way.booked),
        "total_baggages": min(drawn(rng, BAGS), free_bags(user["membership"], cabin, len(people))),
        "nonfree_baggages": 0,
        "insurance": "yes" if insured else "no",
        "status": None,
    }


def _new_id(rng: Random, taken: dict[str, Any]) -> str:
    while True:
        new = f"A{''.join(rng.choice(LETTERS) for _ in range(4))}4"
        if new not in taken:
            return new


def _people(rng: Random, user: Record) -> list[Record]:
    """The user first, four times in five; then saved travelers and others."""
    number = drawn(rng, PASSENGERS)
    own = {"first_name": user["name"]["first_name"], "last_name": user["name"]["last_name"], "dob": user["dob"]}
    people = [own] if rng.random() < 0.8 else []
    people += [dict(person) for person in user["saved_passengers"] if rng.random() < 0.35]
    while len(people) < number:
        people.append(other_passenger(rng))
    return people[:number]


def _itinerary(rng: Random, routes: Routes, cabin: str) -> Itinerary:
    """The way there and, for about half of all trips, back."""
    while True:
        booked, first = _moments(rng)
        origin, there = routes.journey(rng, None, None, first, direct=rng.random() < 0.32)
        if not there:
            continue
        destination = there[-1].destination
        if rng.random() < 0.52:
            return Itinerary([routes.booked(rng, leg, cabin) for leg in there], "one_way", origin, destination, booked)
        start = there[-1].day + drawn(rng, STAY_DAYS)
        _, back = routes.journey(rng, destination, origin, start, direct=len(there) == 1 or rng.random() < 0.1)
        if back and back[-1].day <= 30:
            return Itinerary([routes.booked(rng, leg, cabin) for leg in (*there, *back)], "round_trip", origin, destination, booked)


def _moments(rng: Random) -> tuple[int, int]:
    """Days of May of the booking and of the first flight: one day ahead in a seventh of cases, up to four weeks else."""
    while True:
        booked, lead = rng.randrange(1, 15), 1 if rng.random() < 0.15 else rng.randrange(2, 24)
        if booked + lead <= LAST_FIRST_DAY:
            return booked, booked + lead


def _created(rng: Random, day: int) -> str:
    return f"2024-05-{day:02d}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
