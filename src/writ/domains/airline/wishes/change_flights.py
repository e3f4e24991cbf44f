"""Other flights for a trip, or for one way of it."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import ClassVar

from writ.domains.airline.clock import TODAY, shifted
from writ.domains.airline.flights import Option, choose, read_options
from writ.domains.airline.network import network
from writ.domains.airline.trips import CABINS, Found, about_trip, find_trip, is_ahead, is_live, trip_text, turn
from writ.domains.airline.wishes import change_words
from writ.domains.airline.wishes.book import search_rivals
from writ.domains.airline.wishes.booking_shapes import DAY_BY, WIDE_BY, named_legs
from writ.domains.airline.wishes.common import Record, by_id, call, profile_rival, reference_rivals, references, told_money, trips_of, user_of
from writ.domains.airline.wishes.trip_kind import TripKind, affordable, find_method, target, told
from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.schema import Distractor, Fact, Rival, Wish

SPANS: tuple[tuple[int, str], ...] = ((1, "direct"), (1, "any"), (2, "direct"), (2, "any"), (3, "any"), (4, "any"), (5, "any"))
"""Numbers of dates and stops of the new flights, from narrow to wide."""


class ChangeFlights(TripKind):
    """Slots:

    - `trip`: reference;
    - `part`: `whole` (a one-way trip), `outbound` or `return` (of a round trip; the other way keeps its flights and prices);
    - `leg`: dates, stops and choice of the new flights (see flights.py), without `from` and `to`, which the trip gives;
    - `cabin`: the new cabin, or empty where it stays (only with `whole`);
    - `payment`: payment reference; `ask`: perhaps `difference`.
    """

    name = "change_flights"
    tools: ClassVar[tuple[str, ...]] = ("update_reservation_flights",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = trips_of(world, user_id)
        able = [trip for trip in trips if is_live(trip) and is_ahead(trip) and trip["cabin"] != "basic_economy"]
        user = user_of(world, user_id)
        for trip in rng.sample(able, len(able))[:2]:
            content = next(references(trip, trips, rng), None)
            for ref in (by_id(trip), content):
                for slots in self._spans(trip, world, rng) if ref else ():
                    dearest = {"": 100, "basic_economy": 0, "economy": 200, "business": 800}[slots["cabin"]] * len(trip["passengers"])
                    payment = affordable(trip, dearest, user, rng)
                    if payment is None:
                        continue
                    yield Wish(kind=self.name, slots={"trip": ref, **slots, "payment": payment, "ask": rng.choice(([], [], ["difference"]))})

    def _spans(self, trip: Record, world: Environment, rng: Random) -> Iterator[Record]:
        """Two spans of dates, a narrow and a wide one, that leave the way that stays alone."""
        part = "whole" if trip["flight_type"] == "one_way" else rng.choice(("outbound", "return"))
        ends = (trip["destination"], trip["origin"]) if part == "return" else (trip["origin"], trip["destination"])
        for number, stops in (rng.choice(SPANS[:3]), rng.choice(SPANS[3:])):
            dates = free_dates(trip, part, network(world).dates, number, rng)
            if dates and network(world).serves(*ends, stops):
                by = list(rng.choice(DAY_BY if len(dates) == 1 else WIDE_BY))
                cabin = rng.choice(["", "", "", *(cabin for cabin in CABINS if cabin != trip["cabin"])]) if part == "whole" else ""
                yield {"part": part, "leg": {"dates": dates, "stops": stops, "by": by}, "cabin": cabin}

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return change_words.facts(wish.slots)

    def request(self, wish: Wish, rng: Random) -> str:
        return change_words.request(wish.slots, rng)

    def script(self, wish: Wish) -> str:
        return change_words.script(wish.slots)

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return change_words.unavailable(trip_text(wish.slots["trip"]), rng)

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        found = yield from find_trip(slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        if found.trip["cabin"] == "basic_economy":
            return about_trip(Outcome(rule="basic_economy"), slots["trip"], found)
        if (slots["part"] == "whole") != (found.trip["flight_type"] == "one_way"):  # a write before it has made another trip the one that is meant
            return about_trip(Outcome(rule="trip_type_change"), slots["trip"], found)
        method = yield from find_method(slots["payment"], found.trip)
        if isinstance(method, str):
            return about_trip(Outcome(rule=method), slots["trip"], found)
        cabin, leg = slots["cabin"] or found.trip["cabin"], full_leg(slots, found.trip)
        options = yield from read_options(leg, cabin)
        choice = choose(leg, options, len(found.trip["passengers"]))
        if choice.option is None:
            failed = Outcome(rule=choice.rule, candidates=choice.candidates, margin=choice.margin)
            return about_trip(failed, slots["trip"], found)
        won = Outcome(criterion=choice.criterion, candidates=choice.candidates, margin=choice.margin)
        return about_trip(_changed(won, slots, found, choice.option, method), slots["trip"], found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield from reference_rivals(wish.slots["trip"], user_id, world)
        trip = target(wish.slots["trip"], user_id, world)
        if trip is None or outcome.rule == "basic_economy":
            return
        yield profile_rival(user_id, "the payment method is another, or none that may be used")
        if outcome.rule not in ("payment_not_in_profile", "certificate_for_change"):
            yield from search_rivals([full_leg(wish.slots, trip)])

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        """By reservation id and flight numbers."""
        trip = target(wish.slots["trip"], user_id, world)
        if trip is None or not outcome.calls or ("id" in wish.slots["trip"] and "numbers" in wish.slots["leg"]):
            return None
        leg = full_leg(wish.slots, trip)
        flights = outcome.calls[0].arguments["flights"]
        kept = len(kept_flights(trip, wish.slots["part"]))
        new = flights[kept:] if wish.slots["part"] == "return" else flights[: len(flights) - kept]
        named = named_legs(world, new, [leg])[0]
        return told(wish, trip=by_id(trip), leg={key: named[key] for key in ("dates", "stops", "numbers")})

    def misheard(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[tuple[str, Wish]]:
        leg = wish.slots["leg"]
        if len(leg["dates"]) > 1:
            yield "looks at the first date only", told(wish, leg={**leg, "dates": leg["dates"][:1]})
        if leg["stops"] == "any":
            yield "overlooks one-stop flights", told(wish, leg={**leg, "stops": "direct"})
        if "by" in leg:
            other = ["fastest", "cheapest"] if leg["by"][0] != "fastest" else ["cheapest", "fastest"]
            yield f"takes the {other[0]} flight", told(wish, leg={**leg, "by": other})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        yield from super().distractors(wish, user_id, world, outcome)
        trip = target(wish.slots["trip"], user_id, world)
        if outcome.calls and trip is not None and wish.slots["part"] != "whole":
            write = outcome.calls[0]
            kept = len(kept_flights(trip, wish.slots["part"]))
            new = write.arguments["flights"][kept:] if wish.slots["part"] == "return" else write.arguments["flights"][:-kept]
            yield Distractor(mistake="leaves out the flights that stay", calls=(call(write.name, **{**write.arguments, "flights": new}),))


def free_dates(trip: Record, part: str, dates: Sequence[str], number: int, rng: Random) -> list[str]:
    """So many consecutive dates, none of them a flight's own, that do not run into the way that stays; empty where there are none."""
    flights, split = trip["flights"], turn(trip)
    low, high = shifted(TODAY, 1), "9"
    if part == "outbound":
        high = shifted(flights[split]["date"], -2)
    elif part == "return":
        low = shifted(flights[split - 1]["date"], 2)
    own = {flight["date"] for flight in (flights[:split] if part != "return" else flights[split:])}
    spans = [dates[index : index + number] for index in range(len(dates) - number + 1)]
    fitting = [span for span in spans if span[0] >= low and span[-1] <= high and own.isdisjoint((*span, shifted(span[-1], 1)))]
    return list(rng.choice(fitting)) if fitting else []


def full_leg(slots: Record, trip: Record) -> Record:
    """The leg with the trip's airports."""
    ends = (trip["destination"], trip["origin"]) if slots["part"] == "return" else (trip["origin"], trip["destination"])
    return {**slots["leg"], "from": [ends[0]], "to": [ends[1]]}


def kept_flights(trip: Record, part: str) -> list[Record]:
    """Flights of the way that stays."""
    split = turn(trip)
    kept: list[Record] = {"whole": [], "outbound": trip["flights"][split:], "return": trip["flights"][:split]}[part]
    return kept


def _changed(outcome: Outcome, slots: Record, found: Found, option: Option, method: Record) -> Outcome:
    """The write with every flight of the trip, unless the method cannot pay the difference."""
    trip = found.trip or {}
    kept = kept_flights(trip, slots["part"])
    stay = [{"flight_number": flight["flight_number"], "date": flight["date"]} for flight in kept]
    flights = [*stay, *option.flights] if slots["part"] == "return" else [*option.flights, *stay]
    old = sum(flight["price"] for flight in trip["flights"])
    difference = (option.price + sum(flight["price"] for flight in kept) - old) * len(trip["passengers"])
    if method["source"] == "gift_card" and method["amount"] < difference:
        return Outcome(rule="payment_short")
    write = call(
        "update_reservation_flights",
        reservation_id=trip["reservation_id"],
        cabin=slots["cabin"] or trip["cabin"],
        flights=flights,
        payment_id=method["id"],
    )
    told_values = (told_money("difference", difference),) if "difference" in slots["ask"] else ()
    return Outcome((write,), told=told_values, criterion=outcome.criterion, candidates=outcome.candidates, margin=outcome.margin)
