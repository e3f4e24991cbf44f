"""A certificate for a cancelled or delayed flight, once the facts are confirmed."""

from collections.abc import Hashable, Iterator, Mapping
from random import Random
from typing import ClassVar

from writ.domains.airline import queries
from writ.domains.airline.clock import TODAY, day_text
from writ.domains.airline.policy import cancellable, due, flights_to_check, is_eligible
from writ.domains.airline.trips import TRIPS, about_trip, find_trip, own_trips, trip_label, trip_mentions, trip_text
from writ.domains.airline.wishes.cancel import judged, reason_slots, reasoned
from writ.domains.airline.wishes.common import (
    Flight,
    Record,
    by_id,
    call,
    flights_of,
    live,
    profile_rival,
    reason_fact,
    reference_rivals,
    references,
    status_in,
    status_rivals,
    trip_fact,
    trips_of,
    user_of,
)
from writ.domains.airline.wishes.trip_kind import TripKind, target, told
from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Candidate, Distractor, Fact, Rival, Wish

COMPLAINTS = {
    "cancelled": "one of its flights was cancelled by the airline",
    "delayed": "its flight today is delayed",
    "meal": "the meal on board was inedible",
    "seat": "my seat was broken",
    "crew": "the crew was unfriendly",
    "wifi": "the wifi on board did not work",
}
"""What users complain of; the policy pays for the first two only."""


class Compensation(TripKind):
    """Slots: `trip` (reference), `complaint` (see COMPLAINTS), `then` (`cancel`, or empty), and with it `reason` and `because`;
    `amount` (dollars) where the user takes nothing else."""

    name = "compensation"
    tools: ClassVar[tuple[str, ...]] = ("send_certificate", "cancel_reservation")

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = trips_of(world, user_id), user_of(world, user_id)
        for trip in live(trips):
            content = next(references(trip, trips, rng), None)
            for slots in _complaints(trip, user, world, rng):
                for ref in (by_id(trip), content):
                    if ref:
                        yield Wish(kind=self.name, slots={"trip": ref, **slots})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        slots = wish.slots
        return (trip_fact(slots["trip"]), *complaint_facts(slots))

    def request(self, wish: Wish, rng: Random) -> str:
        slots = wish.slots
        words = {"trip": trip_text(slots["trip"]), "complaint": COMPLAINTS[slots["complaint"]]}
        return spin(rng, CANCEL_AND_CLAIM if slots["then"] else CLAIM, words)

    def script(self, wish: Wish) -> str:
        slots = wish.slots
        then = f' Before that, you want this trip cancelled. Your reason, if asked: "{slots["because"]}".' if slots["then"] else ""
        keep = "" if slots["then"] else " You do not want to cancel or change the trip."
        text = f"You complain about your {trip_text(slots['trip'])}: {COMPLAINTS[slots['complaint']]}. You ask for compensation.{then}{keep}"
        return text.replace("my seat", "your seat")

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        found = yield from find_trip(slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        if slots["complaint"] not in ("cancelled", "delayed"):
            return about_trip(Outcome(rule="compensation_reason"), slots["trip"], found)
        user = yield queries.profile(user_id)
        if not is_eligible(user, found.trip):
            return about_trip(Outcome(rule="compensation_ineligible"), slots["trip"], found)
        statuses: dict[Flight, str] = {}
        for flight in flights_of(found.trip):
            statuses[flight] = yield queries.status(*flight)
        outcome = _settled(slots, found.trip, statuses)
        return about_trip(outcome, slots["trip"], reasoned(found, _grounds(found.trip, user, statuses), granted=True) if outcome.calls else found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        slots = wish.slots
        yield from reference_rivals(slots["trip"], user_id, world)
        trip = target(slots["trip"], user_id, world)
        if trip is None or outcome.rule == "compensation_reason":
            return
        if trip["insurance"] == "no" and trip["cabin"] != "business":
            yield profile_rival(user_id, "the membership is another")
        if outcome.rule != "compensation_ineligible":

            def decide(statuses: Mapping[Flight, str]) -> Hashable:
                return _settled(slots, trip, statuses).identity

            yield from status_rivals(flights_of(trip), world, decide, f"reservation {trip['reservation_id']}")

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        trip = target(wish.slots["trip"], user_id, world)
        return told(wish, trip=by_id(trip)) if trip and "id" not in wish.slots["trip"] and outcome.calls else None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        yield from wrong_amounts(outcome)


def _complaints(trip: Record, user: Record, world: Environment, rng: Random) -> Iterator[Record]:
    """Complaints about this trip that the policy pays for."""
    statuses = {status_in(world, flight) for flight in flights_of(trip)}
    if not is_eligible(user, trip):
        return
    if "cancelled" in statuses:
        yield {"complaint": "cancelled", "then": ""}
    if "delayed" in statuses:
        reasons = rng.sample(("change_of_plan", "health", "weather", "other"), 4)
        reason = next((reason for reason in reasons if judged(trip, reason, world).allowed), None)
        if reason:
            yield {"complaint": "delayed", "then": "cancel", **reason_slots(reason, rng)}


def complaint_facts(slots: Record) -> tuple[Fact, ...]:
    text = COMPLAINTS[slots["complaint"]]
    complaint = Fact(name="complaint", value=slots["complaint"], text=text, question="What went wrong?", cues=("what happened", "went wrong"))
    return (complaint, reason_fact(slots["reason"], slots["because"])) if slots["then"] else (complaint,)


def _settled(slots: Record, trip: Record, statuses: Mapping[Flight, str]) -> Outcome:
    """The certificate, and the cancellation before it where one is wanted."""
    amount = due(trip, set(statuses.values()), changed=bool(slots["then"]), complaint=slots["complaint"])
    if isinstance(amount, str):
        return Outcome(rule=amount)
    if slots.get("amount", amount) != amount:
        return Outcome(rule="compensation_amount")
    certificate = call("send_certificate", user_id=trip["user_id"], amount=amount)
    if not slots["then"]:
        return Outcome((certificate,))
    checked = {flight: statuses[flight] for flight in flights_to_check(trip, slots["reason"])}
    ruling = cancellable(trip, checked, slots["reason"])
    if not ruling.allowed:
        return Outcome(rule=ruling.rule, transfer=ruling.transfer)
    return Outcome((call("cancel_reservation", reservation_id=trip["reservation_id"]), certificate))


def wrong_amounts(outcome: Outcome) -> Iterator[Distractor]:
    """Paid for a single passenger, or at the rate of the other complaint."""
    if not outcome.calls:
        return
    *before, certificate = outcome.calls
    amount = certificate.arguments["amount"]
    for wrong, mistake in (
        (amount // 2 if not before else amount * 2, "takes the rate of the other kind of mishap"),
        (100, "pays for one passenger only"),
    ):
        if wrong != amount:
            arguments = {**certificate.arguments, "amount": wrong}
            yield Distractor(mistake=mistake, calls=(*before, call("send_certificate", **arguments)))


class CompensationSomewhere(Compensation):
    """Slots: `complaint` (always `cancelled`), `then` (empty). The user does not know which trip it was; flights up to today are in question."""

    name = "compensation_for_some_trip"
    tools: ClassVar[tuple[str, ...]] = ("send_certificate",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        hit = [trip for trip in trips_of(world, user_id) if "cancelled" in {status_in(world, flight) for flight in past_flights(trip)}]
        if len(hit) == 1 and is_eligible(user_of(world, user_id), hit[0]):
            yield Wish(kind=self.name, slots={"complaint": "cancelled", "then": ""})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        text = "one of my flights this month was cancelled by the airline"
        return (Fact(name="complaint", value="cancelled", text=text, question="What went wrong?", cues=("what happened", "went wrong")),)

    def request(self, wish: Wish, rng: Random) -> str:
        return spin(rng, CLAIM_SOMEWHERE, {"complaint": self.facts(wish)[0].text})

    def script(self, wish: Wish) -> str:
        return (
            "You complain that one of your flights this month was cancelled by the airline. You do not remember which reservation it was; it "
            "was a flight up to today, and the agent should look it up. You ask for compensation. You do not want to cancel or change anything."
        )

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        trips = yield from own_trips(user_id)
        user = yield queries.profile(user_id)
        statuses: dict[Flight, str] = {}
        for trip in trips:
            for flight in past_flights(trip):
                statuses[flight] = yield queries.status(*flight)
        return _found_somewhere(user, trips, statuses)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        trips = trips_of(world, user_id)
        yield profile_rival(user_id, "the profile lists another reservation with a cancelled flight, or another membership")
        for trip in trips:
            trip_id = trip["reservation_id"]
            yield Rival(claim=f"reservation {trip_id} had a cancelled flight, or none", refuters=(queries.reservation(trip_id),))
        flights = [flight for trip in trips for flight in past_flights(trip)]
        hit = [trip for trip in trips if "cancelled" in {status_in(world, flight) for flight in past_flights(trip)}]
        yield from single_flips(flights, hit, world)

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        trip = next((trip for trip in trips_of(world, user_id) if trip["reservation_id"] in outcome.mentions), None)
        return Wish(kind=Compensation.name, slots={"trip": by_id(trip), "complaint": "cancelled", "then": ""}) if trip and outcome.calls else None


def past_flights(trip: Record) -> list[Flight]:
    return [flight for flight in flights_of(trip) if flight[1] <= TODAY]


def single_flips(flights: list[Flight], hit: list[Record], world: Environment) -> Iterator[Rival]:
    """Any other trip's flight could be cancelled too; and the trip's own cancelled flights could all have flown."""
    own = {flight for trip in hit for flight in past_flights(trip)}
    for number, date in dict.fromkeys(flight for flight in flights if flight not in own):
        yield Rival(claim=f"{number} on {day_text(date)} was cancelled too", refuters=(queries.status(number, date),))
    cancelled = [flight for flight in dict.fromkeys(flights) if flight in own and status_in(world, flight) == "cancelled"]
    if cancelled:
        yield Rival(claim="none of the trip's flights was cancelled", refuters=tuple(queries.status(*flight) for flight in cancelled))


def _found_somewhere(user: Record, trips: list[Record], statuses: Mapping[Flight, str]) -> Outcome:
    """The certificate for the one trip that had a cancelled flight."""
    hit = [trip for trip in trips if "cancelled" in {statuses[flight] for flight in past_flights(trip)}]
    subject = "the cancelled flight"
    if len(hit) != 1:
        return Outcome(rule="ambiguous" if hit else "not_found", subject=subject, mentions=("flight", "cancel"))
    if not is_eligible(user, hit[0]):
        return Outcome(rule="compensation_ineligible", subject=subject, mentions=trip_mentions({}, hit[0]))
    candidates = tuple(
        Candidate(
            label=trip_label(trip),
            values={"flights up to today": len(past_flights(trip))},
            status="winner" if trip is hit[0] else "excluded",
            why=_grounds(trip, user, statuses) if trip is hit[0] else "no flight of it was cancelled",
            choice=TRIPS,
        )
        for trip in sorted(trips, key=lambda trip: trip is not hit[0])
    )
    certificate = call("send_certificate", user_id=user["user_id"], amount=100 * len(hit[0]["passengers"]))
    return Outcome((certificate,), subject=subject, mentions=trip_mentions({}, hit[0]), candidates=candidates)


def _grounds(trip: Record, user: Record, statuses: Mapping[Flight, str]) -> str:
    """What the compensation rests on, and what its amount counts."""
    flights, people = flights_of(trip), len(trip["passengers"])
    went_wrong = [
        f"{number} on {day_text(date)} was {status}"
        for number, date in flights
        if (status := statuses.get((number, date), "")) in ("cancelled", "delayed")
    ]
    entitled = "business class" if trip["cabin"] == "business" else "insured" if trip["insurance"] == "yes" else f"{user['membership']} member"
    return f"its flight {' and '.join(went_wrong)}; {entitled}; {people} {'traveler' if people == 1 else 'travelers'}"


CLAIM = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping} to {complain about|report a problem with|talk about} "
    "my [trip]: [complaint]. "
    "{I want|I expect|I would like|I'd like|I am asking for|I think I deserve} "
    "{compensation|some compensation|to be compensated}{| for that| for this}."
    "|{About|Concerning|It is about} my [trip]: [complaint]{|, and I am not happy about it|, which was a real nuisance}. "
    "{Can I get|Could I have|What about|May I ask for} {compensation|some compensation|a compensation}{| for that| for this}?"
    "|{Could you|Can you|Would you} compensate me for {what happened with|the trouble with|the problem with} my [trip]: [complaint]?}"
)
CANCEL_AND_CLAIM = (
    "{{I'm unhappy about|I'm calling about|It is about|This concerns} my [trip]: [complaint]. "
    "{Please|I want you to|I'd like you to|I need you to} cancel the {whole trip|trip|entire trip}{|, please}, and {then |}"
    "{I want|I expect|I would like|I'd like} {compensation|some compensation|to be compensated}{| for that| for this}."
    "|{Could you|Can you|Would you|Will you} {|please }cancel my [trip] and compensate me, {because|since|as} [complaint]?}"
)
CLAIM_SOMEWHERE = (
    "{{There was trouble with a booking of mine|I travelled with you, or tried to|Something went wrong on a trip of mine|"
    "I have a complaint}: [complaint]. "
    "{Which {trip|reservation|booking} it was, I cannot say|I cannot tell you the reservation|I have lost the details of that booking}"
    "{|, you will have to look|, so please check my account|, but it is in my account}. "
    "{I'd like|I want|I expect|I would like|I am asking for} {compensation|some compensation|to be compensated}{| for that| for this}."
    "|{I want|I need|I would like|I'd like|I'm calling|I am hoping} to {complain|report a problem|talk about something}: [complaint]. "
    "{I don't remember|I can't recall|I no longer know|I am not sure} which {trip|reservation|booking} it was{|, so please look it up}. "
    "{I want|I expect|I would like|I'd like|I am asking for} {compensation|some compensation|to be compensated}{| for that| for this}."
    "|{Could you|Can you|Would you} {check|find out|look up} which one it was, {because|since|as} [complaint]? "
    "{I'd like|I want|I expect|I would like} {compensation|some compensation|to be compensated}{| for that| for this}.}"
)
