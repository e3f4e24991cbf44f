"""Generated flights: a network over the airports that the tools list, schedules, and what has become of each flight on each day of May 2024."""

from collections import defaultdict
from random import Random
from typing import Any, NamedTuple

from writ.domains.airline.clock import minutes
from writ.domains.airline.tools import AIRPORTS

Record = dict[str, Any]

PRESENT_DAY, PRESENT_MINUTE, LAST_DAY = 15, 15 * 60, 30
PAIRS = 54
"""Pairs of airports that are linked, each both ways."""

FLIGHTS_PER_WAY = {1: 22, 2: 30, 3: 25, 4: 20, 5: 6, 6: 4, 9: 1}
DURATIONS = {60: 25, 90: 16, 120: 69, 150: 19, 180: 52, 210: 18, 240: 48, 270: 19, 300: 13, 330: 6, 360: 15}
PRICES = {"basic_economy": (50, 100), "economy": (100, 200), "business": (200, 500)}


class Hop(NamedTuple):
    """A flight on a day of May."""

    number: str
    origin: str
    destination: str
    day: int
    departs: int
    arrives: int
    """Minutes since the start of `day`."""


class Routes:
    """The flights, and ways through them."""

    def __init__(self, flights: dict[str, Record]) -> None:
        self.flights = flights
        self._from: defaultdict[str, list[Hop]] = defaultdict(list)
        for number, flight in flights.items():
            departs, arrives = _minute(flight["scheduled_departure_time_est"]), _minute(flight["scheduled_arrival_time_est"])
            self._from[flight["origin"]].append(Hop(number, flight["origin"], flight["destination"], 0, departs, arrives))
        self._origins = sorted(self._from)

    def hops(self, origin: str, destination: str | None, day: int, after: int = 0) -> list[Hop]:
        """Flights of a day that leave at or after a minute of it."""
        fitting = [hop for hop in self._from[origin] if destination in (None, hop.destination) and hop.departs >= after]
        return [hop._replace(day=day) for hop in fitting]

    def journey(self, rng: Random, origin: str | None, destination: str | None, day: int, *, direct: bool) -> tuple[str, list[Hop]]:
        """A way with no stop or one; empty where the network has none in May."""
        start = origin or rng.choice(self._origins)
        if day > LAST_DAY:
            return start, []
        first = self.hops(start, destination if direct else None, day)
        rng.shuffle(first)
        if direct:
            return start, first[:1]
        for hop in first:
            late = hop.arrives >= 1440
            onward = self.hops(hop.destination, destination, day + late, hop.arrives - 1440 * late)
            onward = [other for other in onward if other.destination != start]
            if onward and day + late <= LAST_DAY and hop.destination != destination:
                return start, [hop, rng.choice(onward)]
        return start, []

    def booked(self, rng: Random, hop: Hop, cabin: str) -> Record:
        """The hop as it stands in a reservation: mostly at a price of its own, booked on another day."""
        return {
            "origin": hop.origin,
            "destination": hop.destination,
            "flight_number": hop.number,
            "date": _date(hop.day),
            "price": rng.randint(*PRICES[cabin]),
        }


def _minute(time: str) -> int:
    """Minutes since the start of the day of departure."""
    return minutes("0001-01-01", time) - 1440


def _date(day: int) -> str:
    return f"2024-05-{day:02d}"


def new_routes(rng: Random) -> Routes:
    """About 300 flights over 54 pairs of airports that hang together."""
    made: dict[str, Record] = {}
    ways = _ways(rng)
    counts = {way: _drawn(rng, FLIGHTS_PER_WAY) for way in ways}
    spans = {frozenset(way): _drawn(rng, DURATIONS) for way in ways}
    numbers = iter(rng.sample(range(1000), 9 * len(ways)))
    for way in ways:
        for _ in range(counts[way]):
            number = f"WRF{next(numbers):03d}"
            made[number] = _flight(rng, number, way, spans[frozenset(way)])
    return Routes(made)


def _drawn(rng: Random, weights: dict[int, int]) -> int:
    return rng.choices(list(weights), list(weights.values()))[0]


def _ways(rng: Random) -> list[tuple[str, str]]:
    """A ring through all airports, so that every one is reached, and random links; each way is listed."""
    airports = rng.sample(sorted(AIRPORTS), len(AIRPORTS))
    links = {frozenset(pair): pair for pair in zip(airports, [*airports[1:], airports[0]], strict=True)}
    while len(links) < PAIRS:
        one, other = rng.sample(airports, 2)
        links.setdefault(frozenset((one, other)), (one, other))
    return [way for one, other in links.values() for way in ((one, other), (other, one))]


def _flight(rng: Random, number: str, way: tuple[str, str], span: int) -> Record:
    departs = rng.randrange(24) * 60
    return {
        "flight_number": number,
        "origin": way[0],
        "destination": way[1],
        "scheduled_departure_time_est": _clock(departs),
        "scheduled_arrival_time_est": _clock(departs + span),
        "dates": {_date(day): _day(rng, day, departs, departs + span) for day in range(1, LAST_DAY + 1)},
    }


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}:00{'+1' if minute >= 1440 else ''}"


def _moment(day: int, minute: int) -> str:
    day, minute = day + minute // 1440, minute % 1440
    return f"2024-05-{day:02d}T{minute // 60:02d}:{minute % 60:02d}:00"


def _day(rng: Random, day: int, departs: int, arrives: int) -> Record:
    """What became of a flight: past ones landed or were cancelled, later ones sell seats, and today depends on the hour."""
    left, landed = max(0, departs + rng.randrange(-30, 31)), max(1, arrives + rng.randrange(-30, 31))
    if day > PRESENT_DAY:
        return {
            "status": "available",
            "available_seats": {cabin: rng.randint(0, 20) for cabin in PRICES},
            "prices": {cabin: rng.randint(*prices) for cabin, prices in PRICES.items()},
        }
    if day < PRESENT_DAY and rng.random() < 0.09:
        return {"status": "cancelled"}
    if day < PRESENT_DAY or arrives < PRESENT_MINUTE:
        return {"status": "landed", "actual_departure_time_est": _moment(day, left), "actual_arrival_time_est": _moment(day, landed)}
    if departs < PRESENT_MINUTE:
        return {"status": "flying", "actual_departure_time_est": _moment(day, left), "estimated_arrival_time_est": _moment(day, landed)}
    late = 120 if rng.random() < 0.42 else 0
    status = "delayed" if late else "on time"
    times = {"estimated_departure_time_est": _moment(day, departs + late), "estimated_arrival_time_est": _moment(day, arrives + late)}
    return {"status": status, **times}
