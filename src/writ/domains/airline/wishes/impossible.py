"""Wishes that no state of the database makes possible: insurance after booking, another destination or type of trip; and what is out of scope."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.airline.network import network
from writ.domains.airline.places import place
from writ.domains.airline.trips import about_trip, find_trip, is_ahead, trip_text
from writ.domains.airline.wishes.common import Record, live, reference_rivals, trip_fact, trips_of
from writ.domains.airline.wishes.refusals import told_ways
from writ.domains.airline.wishes.trip_kind import TripKind
from writ.domains.base import Outcome, Reads, WishKind
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Fact, Rival, Wish

RULES = {"insurance": "insurance_later", "destination": "route_change", "trip_type": "trip_type_change"}


class ImpossibleChange(TripKind):
    """Slots: `trip` (reference), `what` (`insurance`, `destination`, `trip_type`), and with a destination `to_airport`."""

    name = "change_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = live(trips_of(world, user_id))
        ahead = [trip for trip in trips if is_ahead(trip)]
        for what in rng.sample(list(RULES), 2):
            able = [trip for trip in ahead if _makes_sense(what, trip)]
            if able:
                trip = rng.choice(able)
                yield Wish(kind=self.name, slots={"trip": told_ways(trip, trips, rng)[0], "what": what, **_more(what, trip, world, rng)})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        text = change_text(wish.slots)
        return (
            trip_fact(wish.slots["trip"]),
            Fact(
                name="change", value=wish.slots["what"], text=text, question="What would you like to change?", cues=("what would you like", "change")
            ),
        )

    def request(self, wish: Wish, rng: Random) -> str:
        return spin(rng, CHANGE, {"trip": trip_text(wish.slots["trip"]), "change": change_text(wish.slots)})

    def script(self, wish: Wish) -> str:
        return f"About your {trip_text(wish.slots['trip'])}: you want to {change_text(wish.slots)}."

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        found = yield from find_trip(wish.slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        return about_trip(Outcome(rule=RULES[wish.slots["what"]]), wish.slots["trip"], found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield from reference_rivals(wish.slots["trip"], user_id, world)


def _makes_sense(what: str, trip: Record) -> bool:
    """Insurance where there is none, a way back where there is none, another destination where flights could be changed at all."""
    wanted = {"insurance": trip["insurance"] == "no", "trip_type": trip["flight_type"] == "one_way", "destination": trip["cabin"] != "basic_economy"}
    return bool(wanted[what])


def _more(what: str, trip: Record, world: Environment, rng: Random) -> Record:
    if what != "destination":
        return {}
    return {"to_airport": rng.choice([airport for airport in network(world).origins if airport not in (trip["origin"], trip["destination"])])}


def change_text(slots: Record) -> str:
    if slots["what"] == "insurance":
        return "add travel insurance to it"
    return f"fly to {place(slots['to_airport'])} instead" if slots["what"] == "destination" else "make it a round trip by adding a flight back"


MATTERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "luggage": ("my suitcase did not arrive", "a claim for a lost suitcase", ("suitcase", "luggage", "baggage")),
    "pet": ("my dog should travel in the cabin with me", "a place for a dog in the cabin", ("dog", "pet")),
    "email": ("the email address in my profile is out of date", "a new email address in the profile", ("email", "e-mail")),
    "merge": ("I have two accounts and want them merged", "the merging of two accounts", ("accounts", "merg")),
    "wheelchair": ("my mother needs a wheelchair at the gate", "a wheelchair at the gate", ("wheelchair",)),
    "invoice": ("my company needs an invoice with its tax number", "an invoice with a tax number", ("invoice",)),
    "car": ("I need a rental car at my destination", "a rental car at the destination", ("rental", "car")),
    "miles": ("my miles from a partner airline are missing", "missing miles from a partner airline", ("miles",)),
}
"""What users want beyond the tools and the policy: as a sentence, as a noun, and words that name it."""


class OutOfScope(WishKind):
    """Slots: `matter` (see MATTERS)."""

    name = "out_of_scope"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for matter in rng.sample(list(MATTERS), 1):
            yield Wish(kind=self.name, slots={"matter": matter})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        text = MATTERS[wish.slots["matter"]][0]
        return (Fact(name="matter", value=wish.slots["matter"], text=text, question="How can I help you?", cues=("how can i help", "what can i do")),)

    def request(self, wish: Wish, rng: Random) -> str:
        return spin(rng, MATTER, {"matter": MATTERS[wish.slots["matter"]][0]})

    def script(self, wish: Wish) -> str:
        sentence, noun, _ = MATTERS[wish.slots["matter"]]
        return f'You want help with something else: {noun}. In your words: "{sentence}". If you are transferred, that is fine with you.'

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        _, noun, words = MATTERS[wish.slots["matter"]]
        return Outcome(rule="out_of_scope", transfer=True, subject=noun, mentions=words)
        yield  # a resolver that needs no read is a generator all the same

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        return iter(())


CHANGE = (
    "{{It is about|I'm calling about|This is about|My question is about|I have a request about|I'd like to talk about} my [trip]: "
    "{I want to|I would like to|I'd like to|I need to|please help me|I am hoping to} [change]{|, please| if possible}."
    "|{Could I|Can I|May I|Am I able to|Is there a way to|Would it be possible to} [change]{|, please}{|, I mean|, that is}, {for|with|on} my [trip]?"
    "|{For|With|On} my [trip], {I want to|I would like to|I'd like to|I need to|we want to|we'd like to} [change]{|, please| if possible}.}"
)
MATTER = (
    "{{I need help|I have a problem|I'm calling about something|I have a question|There is one thing|I hope you can help|I need someone for this}"
    "{: |, namely: |, and it is this: |, in short: }[matter]{|, you see|, unfortunately}."
    "|{Could you|Can you|Would you|Will you} {|please }{help me with this|take care of something|sort something out|look after this}: [matter]?"
    "|{What can you do|What can be done|What happens} {about this|in this case|in such a case}: [matter]?}"
)
