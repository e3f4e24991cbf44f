"""Another cabin for a whole trip, on the same flights."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.airline import queries
from writ.domains.airline.clock import TODAY
from writ.domains.airline.policy import GONE
from writ.domains.airline.trips import CABINS, about_trip, find_trip, is_ahead, is_live, trip_text, turn
from writ.domains.airline.wishes import change_words
from writ.domains.airline.wishes.common import (
    Flight,
    Record,
    by_id,
    call,
    flights_of,
    payment_fact,
    profile_rival,
    reference_rivals,
    references,
    status_rivals,
    told_money,
    trip_fact,
    trips_of,
    user_of,
    yours,
)
from writ.domains.airline.wishes.trip_kind import TripKind, affordable, find_method, target, told
from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Call, Fact, Rival, Wish


class ChangeCabin(TripKind):
    """Slots: `trip` (reference), `cabin`, `payment` (reference), `ask` (perhaps `difference`).

    `only` (`the way there` or `the way back`): the user wants the cabin changed for that part alone, which the policy is against.
    """

    name = "change_cabin"
    tools: ClassVar[tuple[str, ...]] = ("update_reservation_flights",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = trips_of(world, user_id)
        able = [trip for trip in trips if is_live(trip) and is_ahead(trip)]
        for trip in rng.sample(able, len(able))[:3]:
            cabins = [cabin for cabin in CABINS if cabin != trip["cabin"] and has_seats(trip, cabin, world)]
            content = next(references(trip, trips, rng), None)
            for ref in (by_id(trip), content) if cabins else ():
                cabin = rng.choice(cabins)
                payment = affordable(trip, price_difference(trip, cabin, world), user_of(world, user_id), rng)
                if ref and payment:
                    slots = {"trip": ref, "cabin": cabin, "payment": payment, "ask": rng.choice(([], [], ["difference"]))}
                    yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        only = wish.slots.get("only", "")
        part = (Fact(name="only", value=only, text=only, question="Is this for the whole trip?", cues=("whole trip", "which part")),) if only else ()
        return (trip_fact(wish.slots["trip"]), *part, change_words.cabin_fact(wish.slots["cabin"]), payment_fact(wish.slots["payment"]))

    def request(self, wish: Wish, rng: Random) -> str:
        words = {"trip": trip_text(wish.slots["trip"]), "cabin": CABINS[wish.slots["cabin"]], "only": wish.slots.get("only", "")}
        text = spin(rng, CABIN_OF_ONE if "only" in wish.slots else CABIN, words)
        return f"{text} {spin(rng, change_words.ASK_DIFFERENCE)}" if "difference" in wish.slots["ask"] else text

    def script(self, wish: Wish) -> str:
        if "only" in wish.slots:
            return (
                f"You want {CABINS[wish.slots['cabin']]} for {wish.slots['only']} of your {trip_text(wish.slots['trip'])} only; the rest of it "
                f"should stay in its cabin. If asked, pay with {yours(payment_fact(wish.slots['payment']).text)}."
            )
        ask = " You want to know how large the price difference is." if "difference" in wish.slots["ask"] else ""
        return (
            f"You want to move your {trip_text(wish.slots['trip'])} to {CABINS[wish.slots['cabin']]}, all flights and all passengers; the flights "
            f"themselves stay. Use {yours(payment_fact(wish.slots['payment']).text)} to pay or refund the difference.{ask}"
        )

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return change_words.unavailable(trip_text(wish.slots["trip"]), rng)

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        found = yield from find_trip(slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        if "only" in slots:
            return about_trip(Outcome(rule="single_segment_cabin"), slots["trip"], found)
        statuses = set()
        for flight in flown_check(found.trip):
            statuses.add((yield queries.status(*flight)))
        if statuses.intersection(GONE):
            return about_trip(Outcome(rule="flown_cabin"), slots["trip"], found)
        method = yield from find_method(slots["payment"], found.trip)
        if isinstance(method, str):
            return about_trip(Outcome(rule=method), slots["trip"], found)
        rows = []
        for flight in found.trip["flights"]:
            rows += [row for row in (yield segment_search(flight)) if row["flight_number"] == flight["flight_number"]]
        return about_trip(_moved(slots, found.trip, method, rows), slots["trip"], found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield from reference_rivals(wish.slots["trip"], user_id, world)
        trip = target(wish.slots["trip"], user_id, world)
        if trip is None or "only" in wish.slots:
            return

        def flown(statuses: dict[Flight, str]) -> bool:
            return any(status in GONE for status in statuses.values())

        yield from status_rivals(flown_check(trip), world, flown, f"reservation {trip['reservation_id']}")  # type: ignore[arg-type]
        if outcome.rule != "flown_cabin":
            yield profile_rival(user_id, "the payment method is another, or none that may be used")
        if outcome.rule not in ("flown_cabin", "payment_not_in_profile", "certificate_for_change"):
            yield from seat_rivals(trip, wish.slots["cabin"], world, outcome)

    def misheard(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[tuple[str, Wish]]:
        yield from super().misheard(wish, user_id, world, outcome)
        for cabin in CABINS:
            if cabin != wish.slots["cabin"]:
                yield f"moves the trip to {CABINS[cabin]}", told(wish, cabin=cabin)


def flown_check(trip: Record) -> list[Flight]:
    return [flight for flight in flights_of(trip) if flight[1] <= TODAY]


def segment_search(flight: Record) -> Call:
    """The search that shows a flight's own seats and prices."""
    return queries.direct(flight["origin"], flight["destination"], flight["date"])


def has_seats(trip: Record, cabin: str, world: Environment) -> bool:
    return all(_seats(flight, cabin, world) >= len(trip["passengers"]) for flight in trip["flights"])


def price_difference(trip: Record, cabin: str, world: Environment) -> int:
    """Dollars that the move costs at today's prices; negative where it saves some."""
    days = [(world.state.get("flights", number) or {})["dates"][date] for number, date in flights_of(trip)]
    return int(sum(day["prices"][cabin] for day in days) - sum(flight["price"] for flight in trip["flights"])) * len(trip["passengers"])


def _seats(flight: Record, cabin: str, world: Environment) -> int:
    record = world.state.get("flights", flight["flight_number"])
    day = (record or {"dates": {}})["dates"].get(flight["date"], {})
    return int(day.get("available_seats", {}).get(cabin, 0))


def seat_rivals(trip: Record, cabin: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
    """For each flight, seats and prices could be other; its own search shows them, and so does a one-stop search that lists it."""
    short = [flight for flight in trip["flights"] if _seats(flight, cabin, world) < len(trip["passengers"])]
    if outcome.rule == "unavailable":
        yield Rival(claim="the flights have seats after all", refuters=tuple(refuter for flight in short for refuter in shows(flight, trip, world)))
        return
    for flight in trip["flights"]:
        claim = f"{flight['flight_number']} on {flight['date']} has no seats left in {CABINS[cabin]}, or another price"
        yield Rival(claim=claim, refuters=tuple(shows(flight, trip, world)))


def shows(flight: Record, trip: Record, world: Environment) -> Iterator[Call]:
    """Searches in scope that list a flight."""
    yield segment_search(flight)
    split = turn(trip)
    for leg in (trip["flights"][:split], trip["flights"][split:]):
        if len(leg) == 2 and flight in leg:
            search = queries.onestop(leg[0]["origin"], leg[1]["destination"], leg[0]["date"])
            pairs = world.read(search.name, search.arguments)
            if any(row["flight_number"] == flight["flight_number"] and row["date"] == flight["date"] for pair in pairs for row in pair):
                yield search


def _moved(slots: Record, trip: Record, method: Record, rows: list[Record]) -> Outcome:
    """The write, unless seats are short or the method cannot pay the difference."""
    cabin, people = slots["cabin"], len(trip["passengers"])
    if len(rows) < len(trip["flights"]) or any(row["available_seats"][cabin] < people for row in rows):
        return Outcome(rule="unavailable")
    difference = (sum(row["prices"][cabin] for row in rows) - sum(flight["price"] for flight in trip["flights"])) * people
    if method["source"] == "gift_card" and method["amount"] < difference:
        return Outcome(rule="payment_short")
    flights = [{"flight_number": number, "date": date} for number, date in flights_of(trip)]
    write = call("update_reservation_flights", reservation_id=trip["reservation_id"], cabin=cabin, flights=flights, payment_id=method["id"])
    return Outcome((write,), told=(told_money("difference", difference),) if "difference" in slots["ask"] else ())


CABIN = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping} to {change|switch|move} {|the cabin of }my [trip] "
    "to [cabin]{|, please| if possible| on the same flights}."
    "|{Could you|Can you|Would you|Will you} {|please }{change|switch|move} {|the cabin of }my [trip] to [cabin]{| for me| on the same flights}?"
    "|{For|On} my [trip], {I want|I would like|I'd like|I need|we want} {to fly in|to switch to|to be in|seats in} "
    "[cabin]{|, please| instead}{|, with the same flights}.}"
)
CABIN_OF_ONE = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping} to {change|switch|move} "
    "only [only] of my [trip] to [cabin]{|, please| if possible}."
    "|{Could you|Can you|Would you|Will you} {|please }{change|switch|move} just [only] of my [trip] to [cabin]{| for me| and nothing else}?"
    "|{For|On} [only] of my [trip] {alone|only}, {I want|I would like|I'd like|I need} {to fly in|to switch to|to be in|seats in} "
    "[cabin]{|, please}.}"
)
