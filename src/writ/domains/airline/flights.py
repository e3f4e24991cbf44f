"""What searches show, and which of it a user's words mean.

A *leg* is a slot of a wish:
- `from`, `to`: airport codes, any of which will do; `dates`: ISO dates, any of which will do;
- `stops`: `direct`, `onestop` or `any`;
- `by`: criteria in order, the later ones break ties of the earlier: `["fastest", "cheapest"]`; absent where a flight is named;
- `departs`: a scheduled time that names the (first) flight, or `numbers`: flight numbers in order;
- `after`, `before`, `arrive_by`: optional bounds on scheduled times of that day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from writ.domains.airline import queries
from writ.domains.airline.clock import clock_text, day_text, minutes
from writ.domains.airline.places import place
from writ.domains.base import Reads
from writ.schema import Call, Candidate

Record = dict[str, Any]
Leg = Mapping[str, Any]


class Segment(NamedTuple):
    number: str
    date: str
    price: int
    seats: int


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fly a leg, in one cabin. Times in minutes since the year 1, price in dollars per traveler."""

    segments: tuple[Segment, ...]
    origin: str
    destination: str
    departs: int
    arrives: int
    departure: str
    arrival: str
    fits: bool
    """The times and numbers that the words ask for."""

    @property
    def price(self) -> int:
        return sum(segment.price for segment in self.segments)

    @property
    def seats(self) -> int:
        return min(segment.seats for segment in self.segments)

    @property
    def flights(self) -> list[dict[str, str]]:
        """As a write's argument has them."""
        return [{"flight_number": segment.number, "date": segment.date} for segment in self.segments]

    @property
    def label(self) -> str:
        numbers = " + ".join(segment.number for segment in self.segments)
        return f"{numbers}, {self.origin} to {self.destination}, {day_text(self.segments[0].date)} {clock_text(self.departure)}"


@dataclass(frozen=True, slots=True)
class Criterion:
    words: str
    """How a user says it: `the [words] flight`."""
    name: str
    unit: str


CRITERIA: dict[str, Criterion] = {
    "cheapest": Criterion("cheapest", "lowest price", "dollars"),
    "fastest": Criterion("fastest", "shortest time from first departure to last arrival", "minutes"),
    "earliest_arrival": Criterion("earliest arriving", "earliest arrival", "minutes"),
    "latest_departure": Criterion("latest departing", "latest departure", "minutes"),
    "earliest_departure": Criterion("earliest departing", "earliest departure", "minutes"),
}


def measure(by: str, option: Option) -> int:
    """What a criterion compares; the lowest wins."""
    if by == "cheapest":
        return option.price
    if by == "fastest":
        return option.arrives - option.departs
    return {"earliest_arrival": option.arrives, "latest_departure": -option.departs}.get(by, option.departs)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a leg's words mean among its options: one of them, or the rule that stands against it."""

    option: Option | None
    rule: str = ""
    candidates: tuple[Candidate, ...] = ()
    criterion: str = ""
    margin: float | None = None


def searches(leg: Leg) -> Iterator[Call]:
    """Every search that the words of a leg put in scope."""
    for origin in leg["from"]:
        for destination in leg["to"]:
            for date in leg["dates"]:
                if leg["stops"] != "onestop":
                    yield queries.direct(origin, destination, date)
                if leg["stops"] != "direct":
                    yield queries.onestop(origin, destination, date)


def read_options(leg: Leg, cabin: str) -> Reads[list[Option]]:
    """Makes every search of the leg."""
    found: list[Option] = []
    for search in searches(leg):
        rows = yield search
        found += options_of(leg, search, rows, cabin)
    return found


def options_of(leg: Leg, search: Call, rows: Sequence[Any], cabin: str) -> list[Option]:
    """The options that one search shows; a direct flight's date is that of the search."""
    date = search.arguments["date"]
    return [_option(leg, row if isinstance(row, list) else [row], date, cabin) for row in rows]


def _option(leg: Leg, rows: Sequence[Record], date: str, cabin: str) -> Option:
    segments = tuple(Segment(row["flight_number"], padded(row["date"] or date), row["prices"][cabin], row["available_seats"][cabin]) for row in rows)
    departure, arrival = rows[0]["scheduled_departure_time_est"], rows[-1]["scheduled_arrival_time_est"]
    return Option(
        segments,
        rows[0]["origin"],
        rows[-1]["destination"],
        moment(segments[0].date, departure),
        moment(segments[-1].date, arrival),
        departure,
        arrival,
        _fits(leg, departure, arrival, [segment.number for segment in segments]),
    )


def padded(date: str) -> str:
    """The published next-day arithmetic writes `2024-05-9`; a write's date has two digits."""
    return date if len(date) == 10 else f"{date[:8]}{int(date[8:]):02d}"


@lru_cache(maxsize=65536)
def moment(date: str, time: str) -> int:
    return minutes(date, time)


def _fits(leg: Leg, departure: str, arrival: str, numbers: Sequence[str]) -> bool:
    if "numbers" in leg and list(numbers) != list(leg["numbers"]):
        return False
    if "departs" in leg and departure != leg["departs"]:
        return False
    if "arrive_by" in leg and ("+" in arrival or arrival > leg["arrive_by"]):
        return False
    return bool(leg.get("after", "") <= departure and departure <= leg.get("before", "99"))


def choose(leg: Leg, options: Sequence[Option], seats: int) -> Chosen:
    """The option that the words mean: the unique best, or the unique one named, among those with enough seats."""
    eligible = [option for option in options if option.fits and option.seats >= seats]
    if not eligible:
        return Chosen(None, "unavailable", tuple(_excluded(leg, option, seats) for option in options if option.fits))
    by: Sequence[str] = leg.get("by", ())
    ranked = sorted(eligible, key=lambda option: [measure(name, option) for name in by])
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    gaps = [(name, measure(name, second) - measure(name, best)) for name in by] if second else []
    decisive = next(((name, gap) for name, gap in gaps if gap), None)
    if second and decisive is None:
        return Chosen(None, "ambiguous", tuple(_candidate(leg, option, best, "eligible") for option in ranked), margin=0.0)
    name, gap = decisive or (by[0] if by else "", None)
    out = [_excluded(leg, option, seats) for option in options if not (option.fits and option.seats >= seats)]
    listed = [_candidate(leg, option, best, "winner" if i == 0 else "runner_up" if i == 1 else "eligible") for i, option in enumerate(ranked)]
    return Chosen(best, "", (*listed, *out), f"{CRITERIA[name].name}, in {CRITERIA[name].unit}" if name else "", None if gap is None else float(gap))


_COMPARED = {
    "cheapest": "price",
    "fastest": "minutes",
    "earliest_arrival": "arrival",
    "earliest_departure": "departure",
    "latest_departure": "departure",
}
"""What a criterion compares, by its name among an option's values."""


def _values(leg: Leg, option: Option) -> dict[str, Any]:
    """What the leg's words compare stands first."""
    values = {
        "price": option.price,
        "minutes": option.arrives - option.departs,
        "departure": option.departure,
        "arrival": option.arrival,
        "seats": option.seats,
    }
    return {name: values[name] for name in dict.fromkeys((*(_COMPARED[by] for by in leg.get("by", ())), *values))}


def _choice(leg: Leg) -> str:
    return f"flights from {' or '.join(map(place, leg['from']))} to {' or '.join(map(place, leg['to']))}"


def _candidate(leg: Leg, option: Option, best: Option, status: Any) -> Candidate:
    by: Sequence[str] = leg.get("by", ())
    if status == "winner":
        why = f"has the {' and then the '.join(CRITERIA[name].name for name in by)}" if by else _named(leg)
    else:
        why = next((_behind(name, gap) for name in by if (gap := measure(name, option) - measure(name, best))), "")
    return Candidate(label=option.label, values=_values(leg, option), status=status, why=why, choice=_choice(leg))


def _named(leg: Leg) -> str:
    """How words without a superlative tell the option from the others."""
    if "numbers" in leg:
        return f"is the one that was named, {' and '.join(leg['numbers'])}"
    return f"is the only one that leaves at {clock_text(leg['departs'])}" if "departs" in leg else ""


def _behind(by: str, gap: int) -> str:
    """How far an option is behind the best one, in words."""
    if by == "cheapest":
        return f"${gap} more"
    hours, rest = divmod(gap, 60)
    time = " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest))
    return time + {"fastest": " longer", "earliest_arrival": " later there", "latest_departure": " earlier away"}.get(by, " later away")


def _excluded(leg: Leg, option: Option, seats: int) -> Candidate:
    why = f"{option.seats} {'seat' if option.seats == 1 else 'seats'} left, {seats} needed" if option.fits else _misfit(leg, option)
    return Candidate(label=option.label, values=_values(leg, option), status="excluded", why=why, choice=_choice(leg))


def _misfit(leg: Leg, option: Option) -> str:
    if "numbers" in leg and [segment.number for segment in option.segments] != list(leg["numbers"]):
        return f"is not {' and '.join(leg['numbers'])}"
    if "arrive_by" in leg and ("+" in option.arrival or option.arrival > leg["arrive_by"]):
        return f"arrives after {clock_text(leg['arrive_by'])}"
    if option.departure < leg.get("after", ""):
        return f"leaves before {clock_text(leg['after'])}"
    return f"leaves after {clock_text(leg['before'])}" if "before" in leg else f"does not leave at {clock_text(leg['departs'])}"
