"""Booking a trip: which flights, for whom, paid with what."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, ClassVar

from writ.domains.airline import queries
from writ.domains.airline.flights import Chosen, Option, choose, read_options, searches
from writ.domains.airline.payments import BAG_DOLLARS, INSURANCE_DOLLARS, Share, free_bags, method_of, split, too_many
from writ.domains.airline.places import place
from writ.domains.airline.trips import Record, find_trip
from writ.domains.airline.wishes import booking_shapes, booking_words
from writ.domains.airline.wishes.common import call, profile_rival, reference_rivals, told_money
from writ.domains.base import Outcome, Reads, WishKind, run
from writ.domains.environment import Environment
from writ.schema import Call, Distractor, Fact, Rival, Told, Wish


class BookFlight(WishKind):
    """Slots:

    - `legs`: one leg, or two for a round trip (see flights.py); a round trip's first leg has one origin and one destination;
    - `cabin`;
    - `passengers`: `{"self": true}`, `{"saved": "Ann Lee"}` (a traveler of the profile), `{"first_name", "last_name", "dob"}`, in order; or
      `same_as`: a trip reference whose passengers fly again;
    - `payments`: payment references in the order in which they are used up;
    - `bags` (checked, in total), `insurance` (yes or no);
    - `cabins`: a cabin for each way, which the policy is against;
    - `ask`: any of `total`, `arrival`.
    """

    name = "book_flight"
    tools: ClassVar[tuple[str, ...]] = ("book_reservation",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for slots in booking_shapes.proposals(world, user_id, rng):
            yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return booking_words.facts(wish.slots)

    def request(self, wish: Wish, rng: Random) -> str:
        return booking_words.request(wish.slots, rng)

    def script(self, wish: Wish) -> str:
        return booking_words.script(wish.slots)

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        against = _against_words(slots)
        if against:
            return _declined(against, slots)
        user = yield queries.profile(user_id)
        if any(method_of(ref, user) is None for ref in slots["payments"]):
            return _declined("payment_not_in_profile", slots)
        people = yield from _people(slots, user, user_id)
        if isinstance(people, Outcome):
            return people
        chosen = []
        for leg in slots["legs"]:
            options = yield from read_options(leg, slots["cabin"])
            chosen.append(choose(leg, options, len(people)))
        return _decided(slots, user, people, chosen)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        slots = wish.slots
        if _against_words(slots):
            return
        if outcome.rule not in ("payment_not_in_profile", "not_found", "ambiguous"):
            yield from search_rivals(slots["legs"])
        yield profile_rival(user_id, "a payment method, traveler or membership level is another")
        if "same_as" in slots and outcome.rule != "payment_not_in_profile":
            yield from reference_rivals(slots["same_as"], user_id, world)

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        """The same flights, each named by number."""
        if not outcome.calls or "same_as" in wish.slots or all("numbers" in leg for leg in wish.slots["legs"]):
            return None
        flights = outcome.calls[0].arguments["flights"]
        legs = booking_shapes.named_legs(world, flights, wish.slots["legs"])
        return wish.model_copy(update={"slots": {**wish.slots, "legs": legs}})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        for mistake, slots in misheard(wish.slots):
            wrong, _ = run(self.resolve(wish.model_copy(update={"slots": slots}), user_id), world.read)
            if outcome.calls and wrong.calls and wrong.calls != outcome.calls:
                yield Distractor(mistake=mistake, calls=wrong.calls)

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return booking_words.unavailable(wish.slots, rng)


def misheard(slots: Record) -> Iterator[tuple[str, Record]]:
    """Slots of an agent that looks too little, or compares the wrong thing."""
    legs = slots["legs"]
    for key, mistake in (
        ("dates", "looks at the first date only"),
        ("from", "looks at the first origin only"),
        ("to", "looks at the first destination only"),
    ):
        if len(legs) == 1 and len(legs[0][key]) > 1:
            yield mistake, {**slots, "legs": [{**legs[0], key: legs[0][key][:1]}]}
    if legs[0]["stops"] == "any":
        yield "overlooks one-stop flights", {**slots, "legs": [{**leg, "stops": "direct"} for leg in legs]}
    if "by" in legs[0]:
        other = ["fastest", "cheapest"] if legs[0]["by"][0] != "fastest" else ["cheapest", "fastest"]
        yield f"takes the {other[0]} flight", {**slots, "legs": [{**leg, "by": other} for leg in legs]}
    if len(slots["payments"]) > 1:
        yield "pays with the last method alone", {**slots, "payments": slots["payments"][-1:]}
    yield "adds a bag that nobody asked for", {**slots, "bags": slots["bags"] + 1}


def search_rivals(legs: Sequence[Record]) -> Iterator[Rival]:
    for leg in legs:
        for search in searches(leg):
            a = search.arguments
            how = "direct" if search.name == "search_direct_flight" else "one-stop"
            claim = f"there is one more {how} flight from {place(a['origin'])} to {place(a['destination'])} on {a['date']} that fits or wins"
            yield Rival(claim=claim, refuters=(search,))


def _against_words(slots: Record) -> str:
    """The rule that the words alone break, before any look-up."""
    if len(slots.get("passengers", ())) > 5:
        return "too_many_passengers"
    if "cabins" in slots:
        return "mixed_cabin"
    return "payment_limits" if too_many(slots["payments"]) else ""


def _declined(rule: str, slots: Record, chosen: Sequence[Chosen] = ()) -> Outcome:
    first, last = slots["legs"][0], slots["legs"][-1]
    named = tuple(place(code) for code in dict.fromkeys((*first["to"], *first["from"])))
    against = next((leg for leg in chosen if leg.rule == rule), None)
    numbers = tuple(number for leg in (first, last) for number in leg.get("numbers", ()))
    return Outcome(
        rule=rule,
        subject=f"the flight to {place(first['to'][0])}",
        mentions=tuple(dict.fromkeys((*named, *first["to"], *numbers))),
        candidates=against.candidates if against else (),
        margin=against.margin if against else None,
    )


def _people(slots: Record, user: Record, user_id: str) -> Reads[list[Record] | Outcome]:
    """The passengers in order, with their dates of birth."""
    if "same_as" in slots:
        found = yield from find_trip(slots["same_as"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        return [dict(person) for person in found.trip["passengers"]]
    people = [person_of(ref, user) for ref in slots["passengers"]]
    known = [person for person in people if person is not None]
    return known if len(known) == len(people) else Outcome(rule="not_found", subject="the saved traveler", mentions=("traveler", "passenger"))


def person_of(ref: Record, user: Record) -> Record | None:
    """A passenger as a write needs them; None where the profile knows no such traveler."""
    if "self" in ref:
        return {"first_name": user["name"]["first_name"], "last_name": user["name"]["last_name"], "dob": user["dob"]}
    if "saved" not in ref:
        return {key: ref[key] for key in ("first_name", "last_name", "dob")}
    saved = [person for person in user["saved_passengers"] if f"{person['first_name']} {person['last_name']}" == ref["saved"]]
    return dict(saved[0]) if len(saved) == 1 else None


def _decided(slots: Record, user: Record, people: Sequence[Record], legs: Sequence[Chosen]) -> Outcome:
    failed = next((leg.rule for leg in legs if leg.option is None), "")
    if failed:
        return _declined(failed, slots, legs)
    options = [leg.option for leg in legs if leg.option is not None]
    methods = [method for method in (method_of(ref, user) for ref in slots["payments"]) if method]
    bags = _bags(slots, user, len(people))
    total = trip_price(options, len(people), bags[1], slots["insurance"])
    shares = split(total, methods)
    if shares is None:
        return _declined("payment_short", slots)
    write = booking(slots, user, options, people, bags, shares)
    hardest = min((leg for leg in legs if leg.margin is not None), key=lambda leg: leg.margin or 0, default=legs[0])
    return Outcome(
        calls=(write,),
        subject=f"the trip to {place(options[0].destination)}",
        mentions=(place(options[0].destination), options[0].destination),
        told=_told(slots, total, options[0]),
        criterion=hardest.criterion,
        candidates=tuple(candidate for leg in legs for candidate in leg.candidates),
        margin=hardest.margin,
    )


def _bags(slots: Record, user: Record, people: int) -> tuple[int, int]:
    """Checked bags in total, and those beyond the allowance."""
    return slots["bags"], max(0, slots["bags"] - free_bags(user["membership"], slots["cabin"], people))


def trip_price(options: Sequence[Option], people: int, paid_bags: int, insurance: str) -> int:
    fares = sum(option.price for option in options) * people
    return fares + BAG_DOLLARS * paid_bags + (INSURANCE_DOLLARS * people if insurance == "yes" else 0)


def booking(slots: Record, user: Record, options: Sequence[Option], people: Sequence[Record], bags: tuple[int, int], shares: Sequence[Share]) -> Call:
    return call(
        "book_reservation",
        user_id=user["user_id"],
        origin=options[0].origin,
        destination=options[0].destination,
        flight_type="round_trip" if len(options) == 2 else "one_way",
        cabin=slots["cabin"],
        flights=[flight for option in options for flight in option.flights],
        passengers=[dict(person) for person in people],
        payment_methods=[{"payment_id": share.method["id"], "amount": share.amount} for share in shares],
        total_baggages=bags[0],
        nonfree_baggages=bags[1],
        insurance=slots["insurance"],
    )


def _told(slots: Record, total: int, option: Option) -> tuple[Told, ...]:
    told: list[Any] = []
    if "total" in slots["ask"]:
        told.append(told_money("total", total))
    if "arrival" in slots["ask"]:
        told.append(Told(name="arrival", form="time", value=option.arrival[:5]))
    return tuple(told)
