"""Cancelling a trip, or every trip that the rules allow."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any, ClassVar

from writ.domains.airline import queries
from writ.domains.airline.places import place
from writ.domains.airline.policy import cancellable, flights_to_check, permits
from writ.domains.airline.trips import CABINS, TRIPS, Found, about_trip, find_trip, fits, misfit, own_trips, paid, trip_label, trip_text
from writ.domains.airline.wishes.common import (
    REASONS,
    Flight,
    Record,
    by_id,
    call,
    live,
    profile_rival,
    reason_fact,
    reference_rivals,
    references,
    status_in,
    status_rivals,
    told_money,
    trip_fact,
    trips_of,
)
from writ.domains.airline.wishes.trip_kind import TripKind, target
from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Candidate, Distractor, Fact, Rival, Standing, Wish


def reason_slots(reason: str, rng: Random) -> Record:
    return {"reason": reason, "because": rng.choice(REASONS[reason])}


def judged(trip: Record, reason: str, world: Environment) -> Any:
    """The policy's answer to a cancellation in this state of the world."""
    return cancellable(trip, {flight: status_in(world, flight) for flight in flights_to_check(trip, reason)}, reason)


def cancel_rivals(trip: Record, reason: str, world: Environment) -> Iterator[Rival]:
    def decide(statuses: Mapping[Flight, str]) -> str:
        return cancellable(trip, statuses, reason).rule

    yield from status_rivals(flights_to_check(trip, reason), world, decide, f"reservation {trip['reservation_id']}")


class CancelTrip(TripKind):
    """Slots: `trip` (reference), `reason` (category), `because` (the user's words for it), `ask` (perhaps `refund`)."""

    name = "cancel_trip"
    tools: ClassVar[tuple[str, ...]] = ("cancel_reservation",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = live(trips_of(world, user_id))
        for trip in rng.sample(trips, len(trips)):
            reasons = rng.sample(("change_of_plan", "health", "weather", "other", "airline_cancelled"), 5)
            reason = next((reason for reason in reasons if judged(trip, reason, world).allowed), None)
            if reason is None:
                continue
            refs = [by_id(trip), *islice(references(trip, trips, rng), 1)]
            for ref in refs:
                yield self.wish(ref, reason, rng, ask=rng.random() < 0.3)

    def wish(self, ref: Record, reason: str, rng: Random, *, ask: bool = False) -> Wish:
        return Wish(kind=self.name, slots={"trip": ref, **reason_slots(reason, rng), "ask": ["refund"] if ask else []})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (trip_fact(wish.slots["trip"]), reason_fact(wish.slots["reason"], wish.slots["because"]))

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        found = yield from find_trip(wish.slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        write = call("cancel_reservation", reservation_id=found.trip["reservation_id"])
        ruling = yield from permits(write, {**wish.slots, "user_id": user_id})
        told = (told_money("refund", paid(found.trip)),) if "refund" in wish.slots["ask"] else ()
        outcome = Outcome(calls=(write,), told=told) if ruling.allowed else Outcome(rule=ruling.rule, transfer=ruling.transfer)
        return about_trip(outcome, wish.slots["trip"], reasoned(found, ruling.why, granted=ruling.allowed))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield from reference_rivals(wish.slots["trip"], user_id, world)
        trip = target(wish.slots["trip"], user_id, world)
        if trip is not None:
            yield from cancel_rivals(trip, wish.slots["reason"], world)

    def request(self, wish: Wish, rng: Random) -> str:
        text = spin(rng, CANCEL, {"trip": trip_text(wish.slots["trip"])})
        return f"{text} {spin(rng, ASK_REFUND)}" if "refund" in wish.slots["ask"] else text

    def script(self, wish: Wish) -> str:
        ask = " You also want to know how much money you will get back in total." if "refund" in wish.slots["ask"] else ""
        return f'You want to cancel your {trip_text(wish.slots["trip"])}. Your reason, if asked: "{wish.slots["because"]}".{ask}'


def reasoned(found: Found, why: str, *, granted: bool) -> Found:
    """The same trip, whose candidate says what the policy's answer rests on."""
    if not found.candidates and found.trip:
        return replace(found, candidates=(_candidate(found.trip, "winner" if granted else "excluded", why),))
    return replace(found, candidates=tuple(_also(each, why) if each.status == "winner" else each for each in found.candidates))


def _also(candidate: Candidate, why: str) -> Candidate:
    return candidate.model_copy(update={"why": "; ".join(filter(None, (candidate.why, why)))})


def _candidate(trip: Record, status: Standing, why: str) -> Candidate:
    values = {"created_at": trip["created_at"], "cabin": trip["cabin"], "insurance": trip["insurance"]}
    return Candidate(label=trip_label(trip), values=values, status=status, why=why, choice=TRIPS)


class CancelEvery(CancelTrip):
    """Slots: `every` (content that a trip must have, perhaps none), `reason`, `because`, `ask`."""

    name = "cancel_every_trip"

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = live(trips_of(world, user_id))
        scopes: list[Record] = [{}]
        scopes += [{"cabin": cabin} for cabin in CABINS if any(trip["cabin"] == cabin for trip in trips)]
        scopes += [{key: rng.choice(trips)[field]} for key, field in (("from", "origin"), ("to", "destination")) if trips]
        seen: set[tuple[str, ...]] = set()
        for scope in scopes:
            for reason in rng.sample(("change_of_plan", "health", "weather", "other"), 2):
                due = tuple(t["reservation_id"] for t in trips if fits(scope, t) and judged(t, reason, world).allowed)
                if due and due not in seen and len(trips) > 1:
                    seen.add(due)
                    slots = {"every": scope, **reason_slots(reason, rng), "ask": ["refund"] if rng.random() < 0.3 else []}
                    yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        text = every_text(wish.slots["every"])
        which = Fact(name="every", value=wish.slots["every"], text=text, question="Which reservations is this about?", cues=("which", "reservation"))
        return (which, reason_fact(wish.slots["reason"], wish.slots["because"]))

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        trips = yield from own_trips(user_id)
        candidates, due = [], []
        for trip in trips:
            status: Standing
            status, why = "excluded", misfit(wish.slots["every"], trip)
            if not why:
                write = call("cancel_reservation", reservation_id=trip["reservation_id"])
                ruling = yield from permits(write, {**wish.slots, "user_id": user_id})
                status, why = "winner" if ruling.allowed else "excluded", ruling.why
                due += [(trip, write)] if ruling.allowed else []
            candidates.append(_candidate(trip, status, why))
        candidates.sort(key=lambda candidate: candidate.status == "excluded")
        places = tuple(dict.fromkeys(place(trip["destination"]) for trip, _ in due))
        ids = tuple(trip["reservation_id"] for trip, _ in due)
        subject = every_text(wish.slots["every"]).replace(" of mine", " of yours")
        if not due:
            return Outcome(rule="cancel_not_covered", subject=subject, mentions=("trip", "reservation"), candidates=tuple(candidates))
        told = (told_money("refund", sum(paid(trip) for trip, _ in due)),) if "refund" in wish.slots["ask"] else ()
        writes = tuple(write for _, write in due)
        return Outcome(calls=writes, subject=subject, mentions=(*ids, *places), told=told, candidates=tuple(candidates))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield profile_rival(user_id, "the profile lists another reservation that is to be cancelled")
        for trip in trips_of(world, user_id):
            trip_id = trip["reservation_id"]
            yield Rival(claim=f"reservation {trip_id} is to be cancelled, or is not", refuters=(queries.reservation(trip_id),))
            if fits(wish.slots["every"], trip):
                yield from self._status_rivals(trip, wish, world)

    def _status_rivals(self, trip: Record, wish: Wish, world: Environment) -> Iterator[Rival]:
        reason = wish.slots["reason"]

        def decide(statuses: Mapping[Flight, str]) -> bool:
            return cancellable(trip, statuses, reason).allowed

        yield from status_rivals(flights_to_check(trip, reason), world, decide, f"reservation {trip['reservation_id']}")

    def request(self, wish: Wish, rng: Random) -> str:
        text = spin(rng, CANCEL_EVERY, {"every": every_text(wish.slots["every"])})
        return f"{text} {spin(rng, ASK_REFUND)}" if "refund" in wish.slots["ask"] else text

    def script(self, wish: Wish) -> str:
        ask = " You also want to know how much money you will get back in total." if "refund" in wish.slots["ask"] else ""
        rest = "You do not remember which of them the rules allow; the agent should find out, and leave the others as they are."
        every = every_text(wish.slots["every"]).replace(" of mine", " of yours")
        return f'You want to cancel {every}. {rest} Your reason, if asked: "{wish.slots["because"]}".{ask}'

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if len(outcome.calls) != 1:
            return None
        slots = {key: value for key, value in wish.slots.items() if key != "every"}
        return Wish(kind=CancelTrip.name, slots={"trip": {"id": outcome.calls[0].arguments["reservation_id"]}, **slots})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        gold = {write.arguments["reservation_id"] for write in outcome.calls}
        for trip in live(trips_of(world, user_id)):
            if gold and trip["reservation_id"] not in gold:
                extra = call("cancel_reservation", reservation_id=trip["reservation_id"])
                yield Distractor(mistake=f"also cancels a trip that does not qualify: {trip_label(trip)}", calls=(*outcome.calls, extra))
                break
        if len(gold) > 1:
            yield Distractor(mistake="misses the last trip that qualifies", calls=outcome.calls[:-1])


def every_text(scope: Record) -> str:
    """`every trip of mine that can still be cancelled`, narrowed by content."""
    noun = f"{CABINS[scope['cabin']]} trip" if "cabin" in scope else "trip"
    where = "".join(f" {word} {place(scope[word])}" for word in ("from", "to") if word in scope)
    return f"every {noun} of mine{where} that can still be cancelled"


CANCEL = (
    "{{I want|I need|I would like|I'd like|I have|I'm calling} to {cancel|call off} my [trip]{|, please| if possible| today}."
    "|{Could you|Can you|Would you|Will you} {|please }{cancel|call off} my [trip]{| for me| today}?"
    "|My [trip] {needs to be|has to be|should be|must be} {cancelled|called off}{|, please}.}"
)
CANCEL_EVERY = (
    "{{I want|I need|I would like|I'd like|I'm calling} to {cancel|call off} [every]{|, please| if possible| today}."
    "|{Could you|Can you|Would you|Will you} {|please }{cancel|call off|find and cancel} [every]{| for me| today}?"
    "|{Please|Kindly} {go through my bookings|look through my account|check my reservations|go over my trips} and {cancel|call off} [every].}"
)
ASK_REFUND = (
    "{{Also, please|Please|And please|Then} {tell me|let me know|say} {how much|what amount} {|of money }I "
    "{will get back|get back|will have refunded}{| in total| altogether}."
    "|{What|How much} {will|would} {my refund be|I get back}{| in total| altogether}?}"
)
