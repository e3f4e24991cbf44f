"""A user's reservations, and the ways in which a user points at one.

A *trip reference* is a slot of a wish, in one of three forms:
- `{"id": "ABC123"}`: by reservation id;
- `{"to": "DEN", "from": "BOS", "date": "2024-05-20", "cabin": "business", "with": "Raj Smith"}`: by content, every given part must hold (`date` is
  the day of the first flight, `with` a traveller);
- `{"pick": "next"}`, perhaps with content: the one that stands out among those that fit (see PICKS).
Cancelled reservations fit no reference but their id. No match, or two, is a decision of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from writ.domains.airline import queries
from writ.domains.airline.clock import TODAY, day_text, minutes
from writ.domains.airline.places import place
from writ.domains.base import Outcome, Reads
from writ.errors import ToolRefused
from writ.schema import Candidate, Standing

Record = dict[str, Any]
Ref = Mapping[str, Any]

CABINS = {"basic_economy": "basic economy", "economy": "economy", "business": "business class"}

PICKS = {
    "next": ("next trip", "earliest departure from tomorrow on", "days"),
    "last": ("last trip on the calendar", "latest departure", "days"),
    "newest": ("most recently booked trip", "latest booking time", "minutes"),
    "dearest": ("most expensive trip", "highest amount paid", "dollars"),
    "fullest": ("trip with the most travelers", "most travelers", "travelers"),
}
"""Superlatives over a user's trips: words, criterion, unit of the margin."""

_COMPARED = {"next": "date", "last": "date", "newest": "created_at", "dearest": "paid", "fullest": "passengers"}
"""What a superlative compares, as the record calls it."""


TRIPS = "reservations of the customer"
"""What is chosen among where a trip is meant."""


@dataclass(frozen=True, slots=True)
class Found:
    """A reference resolved: the trip, or the decision that it leads to instead."""

    trip: Record | None
    failure: Outcome | None = None
    candidates: tuple[Candidate, ...] = ()
    criterion: str = ""
    margin: float | None = None


def is_live(trip: Record) -> bool:
    """Not cancelled by its owner."""
    return trip.get("status") != "cancelled"


def paid(trip: Record) -> int:
    """Dollars that the trip has cost so far, changes included."""
    return sum(payment["amount"] for payment in trip["payment_history"])


def first_day(trip: Record) -> str:
    """Date of the first flight."""
    return str(trip["flights"][0]["date"])


def is_ahead(trip: Record) -> bool:
    """Every flight leaves tomorrow or later: nothing can have been flown."""
    return all(flight["date"] > TODAY for flight in trip["flights"])


def names(trip: Record) -> list[str]:
    return [f"{person['first_name']} {person['last_name']}" for person in trip["passengers"]]


def turn(trip: Record) -> int:
    """Index of the first flight of the way back; the number of flights where there is none."""
    flights: Sequence[Record] = trip["flights"]
    if trip["flight_type"] == "one_way":
        return len(flights)
    there = next((index for index, flight in enumerate(flights) if flight["destination"] == trip["destination"]), len(flights) - 1)
    return there + 1


def score(pick: str, trip: Record) -> float:
    """What a superlative compares; the highest wins."""
    if pick == "next":
        return float(-minutes(first_day(trip), "00:00:00") / 1440)
    if pick == "last":
        return float(minutes(first_day(trip), "00:00:00") / 1440)
    if pick == "newest":
        return float(minutes(trip["created_at"][:10], trip["created_at"][11:]) + int(trip["created_at"][17:19]) / 60)
    return float(paid(trip) if pick == "dearest" else len(trip["passengers"]))


def fits(ref: Ref, trip: Record) -> bool:
    """Whether the content that a reference names is this trip's."""
    return next(_misfits(ref, trip), None) is None


def misfit(ref: Ref, trip: Record) -> str:
    """What of the reference is not so of this trip, in words; empty where it fits."""
    return "; ".join(_misfits(ref, trip))


def _misfits(ref: Ref, trip: Record) -> Iterator[str]:
    if not is_live(trip):
        yield "cancelled already"
        return
    if ref.get("pick") == "next" and first_day(trip) <= TODAY:
        yield f"left on {day_text(first_day(trip))}"
    if ref.get("from", trip["origin"]) != trip["origin"]:
        yield f"starts in {place(trip['origin'])}, not {place(ref['from'])}"
    if ref.get("to", trip["destination"]) != trip["destination"]:
        yield f"goes to {place(trip['destination'])}, not {place(ref['to'])}"
    if ref.get("date", first_day(trip)) != first_day(trip):
        yield f"leaves on {day_text(first_day(trip))}, not {day_text(ref['date'])}"
    if ref.get("cabin", trip["cabin"]) != trip["cabin"]:
        yield f"is {CABINS[trip['cabin']]}, not {CABINS[ref['cabin']]}"
    if "with" in ref and ref["with"] not in names(trip):
        yield f"{ref['with']} does not travel"


def trip_text(ref: Ref) -> str:
    """A reference in words, without `my`: `trip from Boston to Denver on May 20`."""
    if "id" in ref:
        return f"reservation {ref['id']}"
    words = [PICKS[ref["pick"]][0] if "pick" in ref else "trip"]
    if "cabin" in ref:
        words.insert(0, CABINS[ref["cabin"]])
    words += [f"from {place(ref['from'])}"] if "from" in ref else []
    words += [f"to {place(ref['to'])}"] if "to" in ref else []
    words += [f"on {day_text(ref['date'])}"] if "date" in ref else []
    words += [f"with {ref['with']}"] if "with" in ref else []
    return " ".join(words)


def trip_label(trip: Record) -> str:
    """A trip as a reader of a certificate sees it."""
    route = f"{place(trip['origin'])} to {place(trip['destination'])}"
    return f"{trip['reservation_id']}: {route}, {day_text(first_day(trip))}, {CABINS[trip['cabin']]}"


def trip_mentions(ref: Ref, trip: Record | None) -> tuple[str, ...]:
    """Texts any one of which names the trip."""
    if trip is None:
        parts = [ref.get("id"), place(ref["to"]) if "to" in ref else None, place(ref["from"]) if "from" in ref else None]
        return tuple(part for part in (*parts, ref.get("with")) if part) or (trip_text(ref),)
    return (str(trip["reservation_id"]), place(trip["destination"]), str(trip["destination"]))


def find_trip(ref: Ref, user_id: str) -> Reads[Found]:
    """The trip that a reference means: by id alone, or after a look at each of the user's reservations."""
    if "id" in ref:
        return (yield from _by_id(ref, user_id))
    trips = yield from own_trips(user_id)
    return chosen(ref, trips)


def own_trips(user_id: str) -> Reads[list[Record]]:
    """All reservations of the user's profile, in its order."""
    user = yield queries.profile(user_id)
    trips = []
    for reservation_id in user["reservations"]:
        trips.append((yield queries.reservation(reservation_id)))
    return trips


def _by_id(ref: Ref, user_id: str) -> Reads[Found]:
    try:
        trip = yield queries.reservation(ref["id"])
    except ToolRefused:
        return _failed("not_found", ref)
    if trip["user_id"] != user_id:
        return _failed("not_owner", ref)
    return Found(trip)


def _failed(rule: str, ref: Ref) -> Found:
    return Found(None, Outcome(rule=rule, subject=trip_text(ref), mentions=trip_mentions(ref, None)))


def chosen(ref: Ref, trips: Sequence[Record]) -> Found:
    """The trip that a reference by content or superlative means among these."""
    fitting = [trip for trip in trips if fits(ref, trip)]
    if "pick" not in ref:
        if len(fitting) != 1:
            return _failed("ambiguous" if fitting else "not_found", ref)
        return Found(fitting[0], candidates=tuple(_candidate(ref, trip) for trip in sorted(trips, key=lambda trip: trip not in fitting)))
    ranked = sorted(fitting, key=lambda trip: -score(ref["pick"], trip))
    if not ranked:
        return _failed("not_found", ref)
    margin = score(ref["pick"], ranked[0]) - score(ref["pick"], ranked[1]) if len(ranked) > 1 else None
    if margin == 0:
        return _failed("ambiguous", ref)
    _, criterion, unit = PICKS[ref["pick"]]
    return Found(ranked[0], None, tuple(_ranked(ref, ranked, trips)), f"{criterion}, in {unit}", margin)


def _candidate(ref: Ref, trip: Record) -> Candidate:
    why = misfit(ref, trip)
    values = {"origin": trip["origin"], "destination": trip["destination"], "date": first_day(trip), "cabin": trip["cabin"]}
    status: Standing = "excluded" if why else "winner"
    return Candidate(label=trip_label(trip), values=values, status=status, why=why or f"the only {trip_text(ref)}", choice=TRIPS)


def _ranked(ref: Ref, ranked: Sequence[Record], trips: Sequence[Record]) -> list[Candidate]:
    statuses: tuple[Standing, ...] = ("winner", "runner_up")
    pick = ref["pick"]
    compared, why = _COMPARED[pick], f"has the {PICKS[pick][1]}"
    listed = [
        Candidate(
            label=trip_label(trip),
            values={compared: _shown(pick, trip)},
            status=statuses[rank] if rank < 2 else "eligible",
            why="" if rank else why,
            choice=TRIPS,
        )
        for rank, trip in enumerate(ranked)
    ]
    out = [trip for trip in trips if trip not in ranked]
    return listed + [
        Candidate(label=trip_label(trip), values={compared: _shown(pick, trip)}, status="excluded", why=misfit(ref, trip), choice=TRIPS)
        for trip in out
    ]


def _shown(pick: str, trip: Record) -> Any:
    """What a superlative compares, as a reader knows it."""
    if pick in ("next", "last"):
        return first_day(trip)
    return trip["created_at"] if pick == "newest" else int(score(pick, trip))


def about_trip(outcome: Outcome, ref: Ref, found: Found) -> Outcome:
    """The outcome with its subject, and with the comparison that led to the trip before any of its own."""
    outcome = replace(outcome, subject=trip_text(ref), mentions=trip_mentions(ref, found.trip), candidates=(*found.candidates, *outcome.candidates))
    compared = outcome.criterion or outcome.margin is not None
    return outcome if compared else replace(outcome, criterion=found.criterion, margin=found.margin)
