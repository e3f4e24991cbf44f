"""Other people on a trip: one replaced, or all of them as on another trip."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.airline import queries
from writ.domains.airline.trips import about_trip, find_trip, is_ahead, is_live, names, trip_text
from writ.domains.airline.wishes.book import person_of
from writ.domains.airline.wishes.booking_shapes import new_traveler
from writ.domains.airline.wishes.common import Record, by_id, call, profile_rival, reference_rivals, references, trip_fact, trips_of, user_of
from writ.domains.airline.wishes.trip_kind import TripKind, told
from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Distractor, Fact, Rival, Wish


class ChangePassengers(TripKind):
    """Slots: `trip` (reference), and one of

    - `out` and `in`: a traveler's name, and who takes the place (`{"saved": name}`, `{"self": true}` or a new person with name and dob);
    - `same_as`: a reference to the trip whose passengers fly here too;
    - `add` or `drop`: a new person, or a name; the policy is against both.
    """

    name = "change_passengers"
    tools: ClassVar[tuple[str, ...]] = ("update_reservation_passengers",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = trips_of(world, user_id), user_of(world, user_id)
        able = [trip for trip in trips if is_live(trip) and is_ahead(trip) and len(set(names(trip))) == len(names(trip))]
        for trip in rng.sample(able, len(able))[:2]:
            content = next(references(trip, trips, rng), None)
            for ref in (by_id(trip), content):
                change = _replacement(trip, user, rng) if ref else None
                if change is not None:
                    yield Wish(kind=self.name, slots={"trip": ref, **change})
            other = _alike(trip, trips, rng)
            if other is not None:
                for ref in (by_id(trip), content):
                    if ref:
                        yield Wish(kind=self.name, slots={"trip": ref, "same_as": other})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        slots = wish.slots
        which = trip_fact(slots["trip"])
        if "same_as" in slots:
            return (
                which,
                trip_fact(slots["same_as"], "same_as").model_copy(
                    update={"question": "Which passengers should it be?", "cues": ("which passengers", "who")}
                ),
            )
        listed = [which]
        if "out" in slots or "drop" in slots:
            name = slots.get("out") or slots["drop"]
            listed.append(Fact(name="out", value=name, text=name, question="Who should be replaced?", cues=("who", "which passenger")))
        person = slots.get("in") or slots.get("add")
        if person:
            listed.append(
                Fact(name="in", value=person, text=person_text(person), question="Who will travel instead?", cues=("who", "instead", "new"))
            )
            listed += [birth_fact(person)] if "dob" in person else []
        return tuple(listed)

    def request(self, wish: Wish, rng: Random) -> str:
        slots = wish.slots
        words = {fact.name: fact.text for fact in self.facts(wish)}
        template = SAME if "same_as" in slots else REPLACE if "in" in slots else ADD if "add" in slots else DROP
        return spin(rng, template, words)

    def script(self, wish: Wish) -> str:
        slots, trip = wish.slots, trip_text(wish.slots["trip"])
        if "same_as" in slots:
            return f"You want the passengers of your {trip} to be the same as on your {trip_text(slots['same_as'])}, in the same order."
        if "drop" in slots:
            return f"You want to take {slots['drop']} off your {trip}, so that one passenger less travels."
        person = slots.get("in") or slots["add"]
        who = "you yourself" if "self" in person else person_text(person)
        born = f" {person_text(person)} was born on {person['dob']}." if "dob" in person else ""
        saved = f" {person_text(person)} is a saved passenger in your profile." if "saved" in person else ""
        if "add" in slots:
            return f"You want to add {who} to your {trip} as one more passenger.{born}{saved}"
        return f"On your {trip}, you want {who} to travel in place of {slots['out']}; nobody else changes.{born}{saved}"

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        found = yield from find_trip(slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        if "add" in slots or "drop" in slots:
            return about_trip(Outcome(rule="passenger_count"), slots["trip"], found)
        people = yield from _new_people(slots, found.trip, user_id)
        if isinstance(people, Outcome):
            return people
        if len(people) != len(found.trip["passengers"]):
            return about_trip(Outcome(rule="passenger_count"), slots["trip"], found)
        write = call("update_reservation_passengers", reservation_id=found.trip["reservation_id"], passengers=people)
        return about_trip(Outcome((write,)), slots["trip"], found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        slots = wish.slots
        yield from reference_rivals(slots["trip"], user_id, world)
        if "add" in slots or "drop" in slots:
            return
        if "same_as" in slots:
            yield from reference_rivals(slots["same_as"], user_id, world)
        elif "dob" not in slots["in"]:
            yield profile_rival(user_id, "the new traveler was born on another day, or is not known")

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        yield from super().distractors(wish, user_id, world, outcome)
        people = outcome.calls[0].arguments["passengers"] if outcome.calls else []
        if len(people) > 1:
            write = outcome.calls[0]
            wrong = call(write.name, **{**write.arguments, "passengers": [*people[1:], people[0]]})
            yield Distractor(mistake="mixes up the order of the passengers", calls=(wrong,))

    def misheard(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[tuple[str, Wish]]:
        yield from super().misheard(wish, user_id, world, outcome)
        if "out" in wish.slots and not outcome.rule:
            trip = world.state.get("reservations", outcome.calls[0].arguments["reservation_id"]) or {"passengers": []}
            for name in names(trip):
                if name != wish.slots["out"]:
                    yield f"replaces {name}", told(wish, out=name)
                    return


def _replacement(trip: Record, user: Record, rng: Random) -> Record | None:
    """Someone of the trip, and someone who is not on it."""
    aboard = names(trip)
    own = f"{user['name']['first_name']} {user['name']['last_name']}"
    saved = [{"saved": f"{person['first_name']} {person['last_name']}"} for person in user["saved_passengers"]]
    options: list[Record] = [person for person in saved if person["saved"] not in aboard]
    options += [{"self": True}] if own not in aboard else []
    options += [new_traveler(rng)] if not options or rng.random() < 0.3 else []
    return {"out": rng.choice(aboard), "in": rng.choice(options)}


def _alike(trip: Record, trips: list[Record], rng: Random) -> Record | None:
    """A reference to another trip with as many passengers, but not the same."""
    others = [other for other in trips if is_live(other) and len(names(other)) == len(names(trip)) and other["passengers"] != trip["passengers"]]
    return next(references(rng.choice(others), trips, rng), None) if others else None


def _new_people(slots: Record, trip: Record, user_id: str) -> Reads[list[Record] | Outcome]:
    if "same_as" in slots:
        found = yield from find_trip(slots["same_as"], user_id)
        return [dict(person) for person in found.trip["passengers"]] if found.trip else found.failure or Outcome()
    person: Record | None = slots["in"]
    if "dob" not in slots["in"]:
        user = yield queries.profile(user_id)
        person = person_of(slots["in"], user)
    if person is None or names(trip).count(slots["out"]) != 1:
        missing = slots["out"] if person else person_text(slots["in"])
        return Outcome(rule="not_found", subject=missing, mentions=(missing,))
    place = names(trip).index(slots["out"])
    return [person_of(person, {}) if index == place else dict(other) for index, other in enumerate(trip["passengers"])]  # type: ignore[misc]


def person_text(person: Record) -> str:
    if "self" in person:
        return "me"
    return str(person.get("saved") or f"{person['first_name']} {person['last_name']}")


def birth_fact(person: Record) -> Fact:
    text = f"{person_text(person)} was born on {person['dob']}"
    return Fact(
        name="date_of_birth", value=person["dob"], text=text, question="What is the date of birth?", cues=("birth", "dob", "born"), core=False
    )


REPLACE = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping} to {change|replace|swap} a passenger on my [trip]{|, please}: "
    "[in] {instead of|in place of|rather than} [out]{| this time}."
    "|{Could you|Can you|Would you|Will you} {|please }{put|book|place} [in] on my [trip] {instead of|in place of} [out]{| for me}?"
    "|{On|For} my [trip], {please let|let|please have|it should be} [in] {travel|fly|go|take the seat} {instead of|in place of} [out]{|, please}.}"
)
SAME = (
    "{{I want|I need|I would like|I'd like|I am hoping} {the passengers of|the people on|the travelers on} my [trip] to be "
    "{the same as on|those of|exactly those of} my [same_as]{|, please}."
    "|{Could you|Can you|Would you|Will you} {|please }{change|update|set} the {passengers|travelers} {of|on} my [trip] to "
    "{the same ones as on|those of} my [same_as]{| for me}?"
    "|{On|For} my [trip], {please list|please put down|I'd like to have|I need} the same {passengers|people} as on my [same_as]{|, please}.}"
)
ADD = (
    "{{I want|I need|I would like|I'd like|I am hoping} to {add|bring|take} [in] {along on|to|on} my [trip]{|, please} "
    "as {one more|an additional|an extra} passenger."
    "|{Could you|Can you|Would you|Will you} {|please }add [in] to my [trip]{| for me| as one more passenger}?"
    "|{For|On} my [trip], {please add|I want to add|we need a seat for} [in]{|, please| as well}.}"
)
DROP = (
    "{{I want|I need|I would like|I'd like|I am hoping} to {take|remove|drop} [out] {off|from} my [trip]{|, please}."
    "|{Could you|Can you|Would you|Will you} {|please }{take|remove|drop} [out] {off|from} my [trip]{| for me}?"
    "|[out] {is not coming|cannot come|will not travel|won't be flying}{| with us| after all}, "
    "so please {remove|drop} that passenger from my [trip].}"
)
