"""More checked bags for a trip."""

from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

from writ.domains.airline import queries
from writ.domains.airline.payments import BAG_DOLLARS, free_bags
from writ.domains.airline.policy import permits
from writ.domains.airline.trips import about_trip, find_trip, is_ahead, is_live, trip_text
from writ.domains.airline.wishes.common import (
    NUMBERS,
    Record,
    by_id,
    call,
    count_text,
    payment_fact,
    profile_rival,
    reference_rivals,
    references,
    told_money,
    trip_fact,
    trips_of,
    user_of,
    yours,
)
from writ.domains.airline.wishes.trip_kind import TripKind, affordable, find_method, told
from writ.domains.base import Outcome, Reads, run
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Distractor, Fact, Rival, Wish


class AddBags(TripKind):
    """Slots: `trip` (reference), `add` (bags more than now) or `total` (bags from now on), `payment` (reference), `ask` (perhaps `fee`),
    `free` (true where they must cost nothing)."""

    name = "add_bags"
    tools: ClassVar[tuple[str, ...]] = ("update_reservation_baggages",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = trips_of(world, user_id), user_of(world, user_id)
        able = [trip for trip in trips if is_live(trip) and is_ahead(trip)]
        for trip in rng.sample(able, len(able))[:3]:
            content = next(references(trip, trips, rng), None)
            for ref in (by_id(trip), content):
                add = rng.choice((1, 1, 2, 2, 3, 4, 5))
                payment = affordable(trip, BAG_DOLLARS * add, user, rng)
                if ref and payment:
                    number = {"total": trip["total_baggages"] + add} if rng.random() < 0.3 else {"add": add}
                    yield Wish(kind=self.name, slots={"trip": ref, **number, "payment": payment, "ask": rng.choice(([], [], ["fee"]))})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        slots = wish.slots
        name = "add" if "add" in slots else "total"
        question = "How many checked bags would you like?"
        bags = Fact(name=name, value=slots[name], text=bags_text(slots), question=question, cues=("how many", "bag"), wrong=_wrong(slots))
        return (trip_fact(slots["trip"]), bags, payment_fact(slots["payment"]))

    def request(self, wish: Wish, rng: Random) -> str:
        words = {"trip": trip_text(wish.slots["trip"]), "bags": bags_text(wish.slots)}
        text = spin(rng, ADD if "add" in wish.slots else TOTAL, words)
        return f"{text} {spin(rng, ASK_FEE)}" if "fee" in wish.slots["ask"] else text

    def script(self, wish: Wish) -> str:
        slots = wish.slots
        what = f"add {bags_text(slots)} to your" if "add" in slots else f"have {bags_text(slots)} on your"
        ask = " You want to know what the bags cost you." if "fee" in slots["ask"] else ""
        return f"You want to {what} {trip_text(slots['trip'])}. Should anything be due, use {yours(payment_fact(slots['payment']).text)}.{ask}"

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        slots = wish.slots
        found = yield from find_trip(slots["trip"], user_id)
        if found.trip is None:
            return found.failure or Outcome()
        total = slots["total"] if "total" in slots else found.trip["total_baggages"] + slots["add"]
        if total < found.trip["total_baggages"]:
            return about_trip(Outcome(rule="bags_removed"), slots["trip"], found)
        user = yield queries.profile(user_id)
        nonfree = max(0, total - free_bags(user["membership"], found.trip["cabin"], len(found.trip["passengers"])))
        if slots.get("free") and nonfree > found.trip["nonfree_baggages"]:
            return about_trip(Outcome(rule="bag_count"), slots["trip"], found)
        method = yield from find_method(slots["payment"], found.trip)
        if isinstance(method, str):
            return about_trip(Outcome(rule=method), slots["trip"], found)
        fee = BAG_DOLLARS * max(0, nonfree - found.trip["nonfree_baggages"])
        if method["source"] == "gift_card" and method["amount"] < fee:
            return about_trip(Outcome(rule="payment_short"), slots["trip"], found)
        bags = {"total_baggages": total, "nonfree_baggages": nonfree}
        write = call("update_reservation_baggages", reservation_id=found.trip["reservation_id"], **bags, payment_id=method["id"])
        ruling = yield from permits(write, slots)
        if not ruling.allowed:
            return about_trip(Outcome(rule=ruling.rule), slots["trip"], found)
        told_values = (told_money("fee", fee),) if "fee" in slots["ask"] else ()
        return about_trip(Outcome((write,), told=told_values), slots["trip"], found)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield from reference_rivals(wish.slots["trip"], user_id, world)
        if outcome.rule == "bag_count" and self._best_case(wish, user_id, world) == "bag_count":
            return  # no membership makes so many bags free
        if outcome.rule not in ("not_found", "ambiguous", "not_owner", "bags_removed"):
            yield profile_rival(user_id, "membership or payment method is another")

    def _best_case(self, wish: Wish, user_id: str, world: Environment) -> str:
        """The rule that would speak against the wish were the customer a gold member."""

        def read(name: str, arguments: dict[str, Any]) -> Any:
            shown = world.read(name, arguments)
            return {**shown, "membership": "gold"} if name == "get_user_details" else shown

        return run(self.resolve(wish, user_id), read)[0].rule

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        yield from super().distractors(wish, user_id, world, outcome)
        if outcome.calls:
            write = outcome.calls[0]
            paid = 0 if write.arguments["nonfree_baggages"] else write.arguments["total_baggages"]
            mistake = "takes paid bags for free ones" if paid == 0 else "charges for free bags"
            yield Distractor(mistake=mistake, calls=(call(write.name, **{**write.arguments, "nonfree_baggages": paid}),))

    def misheard(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[tuple[str, Wish]]:
        yield from super().misheard(wish, user_id, world, outcome)
        if "add" in wish.slots:
            slots = {key: value for key, value in wish.slots.items() if key != "add"}
            yield "takes the bags to add for all bags", Wish(kind=self.name, slots={**slots, "total": wish.slots["add"]})
            yield "adds one bag too many", told(wish, add=wish.slots["add"] + 1)


def bags_text(slots: Record) -> str:
    if "add" in slots:
        return count_text(slots["add"], "more checked bag")
    return f"{count_text(slots['total'], 'checked bag')} in total"


def _wrong(slots: Record) -> str:
    text, number = bags_text(slots), int(slots["add"] if "add" in slots else slots["total"])
    if not 1 < number < len(NUMBERS) - 1:
        return ""
    return text.replace(NUMBERS[number], NUMBERS[number + 1], 1)


ADD = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping|We need|We want} to {add|bring|check in|take|book} [bags] {to|on|for} my [trip]"
    "{|, please| if possible}."
    "|{Could you|Can you|Would you|Will you} {|please }{add|put|book} [bags] {to|onto|on|for} my [trip]{| for me}?"
    "|{For|On} my [trip], {I need|I want|I would like|we need|please add|I'd like to have} [bags]{|, please}.}"
)
TOTAL = (
    "{{I want|I need|I would like|I'd like|I'm calling|I am hoping|We need|We want} to {have|take|check in} [bags] {on|for|with} my [trip]"
    "{|, please| if possible}."
    "|{Could you|Can you|Would you|Will you} {|please }{make that|change it to|set it to|note} [bags] {on|for} my [trip]{| for me}?"
    "|{For|On} my [trip], {I need|I want|I would like|we need|please note|it should be} [bags]{|, please}.}"
)
ASK_FEE = (
    "{{What|How much} will {that|it|this} cost{| me| in total}?"
    "|{Please tell|Also tell|Tell} me {what I owe for it|the fee|what it costs}{|, please| in total}."
    "|I {also |}{want|need|would like} to know {what it will cost|the fee|how much I pay}{| in total| for it}.}"
)
