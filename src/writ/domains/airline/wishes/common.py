"""What the airline's wish kinds share: facts about trips and payments, and the rivals that references and flight statuses have."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from random import Random
from typing import Any

from writ.domains.airline import queries
from writ.domains.airline.clock import TODAY
from writ.domains.airline.payments import payment_text
from writ.domains.airline.trips import first_day, fits, is_live, names, score, trip_text
from writ.domains.environment import Environment
from writ.schema import Call, Fact, Rival, Told

Record = dict[str, Any]
Ref = Mapping[str, Any]
Flight = tuple[str, str]

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count_text(number: int, noun: str) -> str:
    """`no checked bags`, `one checked bag`, `12 checked bags`."""
    word = NUMBERS[number] if number < len(NUMBERS) else str(number)
    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


# ------------------------------------------------------------------------------------------------------------------------------- the world


def user_of(world: Environment, user_id: str) -> Record:
    return world.state.get("users", user_id) or {}


def trips_of(world: Environment, user_id: str) -> list[Record]:
    """The user's reservations as they stand, in the profile's order."""
    ids = user_of(world, user_id).get("reservations", ())
    return [trip for trip in (world.state.get("reservations", reservation_id) for reservation_id in ids) if trip is not None]


def status_in(world: Environment, flight: Flight) -> str:
    record = world.state.get("flights", flight[0])
    return str(record["dates"][flight[1]]["status"]) if record and flight[1] in record["dates"] else ""


def flights_of(trip: Record) -> list[Flight]:
    return [(flight["flight_number"], flight["date"]) for flight in trip["flights"]]


# -------------------------------------------------------------------------------------------------------------------------------- references


def references(trip: Record, trips: Sequence[Record], rng: Random) -> Iterator[Record]:
    """Ways to point at this trip among the user's others that mean it alone, in random order; none by id."""
    content = {"to": trip["destination"], "from": trip["origin"], "date": first_day(trip), "cabin": trip["cabin"]}
    companion = next((name for name in names(trip)[1:]), None)
    shapes: list[Record] = [
        {"to": content["to"]},
        {"to": content["to"], "from": content["from"]},
        {"to": content["to"], "date": content["date"]},
        {"to": content["to"], "cabin": content["cabin"]},
        {"from": content["from"], "date": content["date"]},
        *([{"with": companion}, {"to": content["to"], "with": companion}] if companion else []),
        *({"pick": pick} for pick in ("next", "last", "newest", "dearest", "fullest")),
    ]
    rng.shuffle(shapes)
    yield from (shape for shape in shapes if _means(shape, trip, trips))


def _means(ref: Ref, trip: Record, trips: Sequence[Record]) -> bool:
    fitting = [other for other in trips if fits(ref, other)]
    if not fits(ref, trip):
        return False
    if "pick" not in ref:
        return len(fitting) == 1
    return len(fitting) > 1 and all(score(ref["pick"], other) < score(ref["pick"], trip) for other in fitting if other is not trip)


def by_id(trip: Record) -> Record:
    return {"id": trip["reservation_id"]}


def reference_rivals(ref: Ref, user_id: str, world: Environment) -> Iterator[Rival]:
    """What could be otherwise about the trip that a reference means."""
    if "id" in ref:
        yield Rival(claim=f"reservation {ref['id']} is somebody else's, or holds something else", refuters=(queries.reservation(ref["id"]),))
        return
    trips = trips_of(world, user_id)
    fitting = [trip["reservation_id"] for trip in trips if fits(ref, trip)]
    if len(fitting) > 1 and "pick" not in ref:
        for kept in fitting:
            others = [trip_id for trip_id in fitting if trip_id != kept]
            claim = f"of the reservations that fit the words, {kept} is the only one"
            yield Rival(claim=claim, refuters=tuple(queries.reservation(trip_id) for trip_id in others))
        return
    yield Rival(claim="the profile lists another reservation that fits the words", refuters=(queries.profile(user_id),))
    for trip in trips:
        trip_id = trip["reservation_id"]
        yield Rival(claim=f"reservation {trip_id} fits the words, or does not", refuters=(queries.reservation(trip_id),))


def profile_rival(user_id: str, claim: str) -> Rival:
    return Rival(claim=claim, refuters=(queries.profile(user_id),))


# ----------------------------------------------------------------------------------------------------------------------------------- statuses


def legal_statuses(date: str) -> tuple[str, ...]:
    """What may have become of a flight of that date: a future flight has not left, and a past one cannot be booked."""
    if date > TODAY:
        return ("available", "cancelled", "delayed")
    return ("landed", "cancelled", "delayed") if date < TODAY else ("landed", "cancelled", "delayed", "on time")


def status_rivals(flights: Iterable[Flight], world: Environment, decide: Callable[[Mapping[Flight, str]], Hashable], subject: str) -> Iterator[Rival]:
    """Each smallest set of flights whose statuses, legally otherwise, would change the decision; any status read of the set refutes it."""
    actual = {flight: status_in(world, flight) for flight in dict.fromkeys(flights)}
    decided = decide(actual)
    found: list[set[Flight]] = []
    for size in range(1, len(actual) + 1):
        for group in combinations(actual, size):
            if not any(known <= set(group) for known in found) and _can_flip(group, actual, decide, decided):
                found.append(set(group))
                claim = f"{' and '.join(number for number, _ in group)} of {subject} {'has' if size == 1 else 'have'} another status"
                yield Rival(claim=claim, refuters=tuple(queries.status(*flight) for flight in group))


def _can_flip(group: Sequence[Flight], actual: Mapping[Flight, str], decide: Callable[[Mapping[Flight, str]], Hashable], decided: Hashable) -> bool:
    choices = [[status for status in legal_statuses(date) if status != actual[number, date]] for number, date in group]
    return any(decide({**actual, **dict(zip(group, choice, strict=True))}) != decided for choice in product(*choices))


# -------------------------------------------------------------------------------------------------------------------------------------- facts


def trip_fact(ref: Ref, name: str = "trip") -> Fact:
    question = "Which reservation is this about?"
    return Fact(name=name, value=dict(ref), text=trip_text(ref), question=question, cues=("reservation", "which trip", "booking"))


def payment_fact(ref: Ref) -> Fact:
    text = payment_text(ref)
    wrong = f"{text[:-4]}{(int(text[-4:]) + 1357) % 10000:04d}" if text[-4:].isdigit() and "ending in" in text else ""
    question = "Which payment method would you like to use?"
    return Fact(
        name="payment", value=dict(ref), text=text, question=question, cues=("payment", "pay", "card", "refund method"), wrong=wrong, core=False
    )


REASONS: Mapping[str, tuple[str, ...]] = {
    "change_of_plan": (
        "my plans have changed",
        "a change of plans on my side",
        "the event I was going to has been moved, so it is a change of plans",
        "my plans changed and I no longer need to travel",
    ),
    "health": (
        "I have fallen ill and cannot travel, so it is for health reasons",
        "health reasons, my doctor told me not to fly",
        "I am sick and not able to fly",
        "health reasons, I was injured last week",
    ),
    "weather": (
        "the weather, a storm is forecast there",
        "bad weather at my destination",
        "the weather, there are flood warnings for the area",
    ),
    "airline_cancelled": (
        "the airline cancelled the flight",
        "I got word that the airline cancelled my flight",
    ),
    "other": (
        "other reasons, I found a cheaper way to get there",
        "other reasons, I simply would rather stay home",
        "other reasons that I would like to keep private",
    ),
}


def reason_fact(reason: str, text: str) -> Fact:
    question = "What is the reason for the cancellation?"
    return Fact(name="reason", value=reason, text=text, question=question, cues=("reason", "why"), core=False)


def yours(text: str) -> str:
    """The user's words as they are told to the user: `my Visa` becomes `your Visa`."""
    swaps = {"my": "your", "me": "yourself", "I": "you"}
    return re.sub(r"\b(my|me|I)\b", lambda match: swaps[match.group()], text)


def told_money(name: str, amount: float) -> Told:
    return Told(name=name, form="money", value=f"{abs(amount):.2f}")


def call(name: str, **arguments: Any) -> Call:
    return Call(name=name, arguments=arguments)


def live(trips: Iterable[Record]) -> list[Record]:
    return [trip for trip in trips if is_live(trip)]
