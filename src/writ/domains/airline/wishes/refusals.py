"""Wishes that the policy is against: the same kinds with the same resolvers, proposed so that one rule decides against each."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.airline.clock import TODAY
from writ.domains.airline.network import network
from writ.domains.airline.payments import free_bags, kind_of, refs_of
from writ.domains.airline.policy import GONE, is_eligible
from writ.domains.airline.trips import CABINS, fits, is_ahead, is_live, names, turn
from writ.domains.airline.wishes.bags import AddBags
from writ.domains.airline.wishes.book import BookFlight
from writ.domains.airline.wishes.booking_shapes import TIERS, new_traveler, proposal
from writ.domains.airline.wishes.cancel import CancelTrip, judged
from writ.domains.airline.wishes.change_cabin import ChangeCabin, has_seats
from writ.domains.airline.wishes.change_flights import ChangeFlights, free_dates
from writ.domains.airline.wishes.common import Record, by_id, flights_of, live, references, status_in, trips_of, user_of
from writ.domains.airline.wishes.compensation import COMPLAINTS, Compensation
from writ.domains.airline.wishes.passengers import ChangePassengers
from writ.domains.environment import Environment
from writ.domains.wording import spin
from writ.schema import Fact, Wish

FREE = "free of charge"
FOR_NOTHING = (
    "{{All of them|These bags|They} {must|should|have to} be [free]{|, of course| for me}."
    "|{I expect|I want|We expect} {them|these bags|all of them} [free]{|, nothing less|, or not at all}."
    "|{It|This} {must|has to|should} be [free], {or I do not want it|otherwise leave it|or forget it}.}"
)
NO_LESS = (
    "{{I want|I expect|I think I deserve|I am asking for} a {certificate|voucher} {of|over|worth} [amount], {nothing less|not a cent less}."
    "|{It|The certificate|What you send me} {must|has to|should} be [amount]{| at least|, and not less}."
    "|{Anything below|Less than} [amount] {will not do|is not acceptable|is no use to me}.}"
)
"""What is added to a wish for bags, and to a complaint, by those who want more than the rules give."""


def told_ways(trip: Record, trips: list[Record], rng: Random) -> list[Record]:
    """References to a trip: by id or by content, either first."""
    content = next(references(trip, trips, rng), None)
    return rng.sample([by_id(trip), *([content] if content else [])], 1 + bool(content))


def some(trips: list[Record], rng: Random) -> Record | None:
    return rng.choice(trips) if trips else None


def unknown_card(user: Record, rng: Random) -> Record:
    """A card that the profile does not hold."""
    known = {ref["card"] for ref in refs_of(user) if "card" in ref}
    brand = rng.choice(("visa", "mastercard"))
    return next({"card": card} for card in (f"{brand} {rng.randrange(10_000):04d}" for _ in range(99)) if card not in known)


class BookRefused(BookFlight):
    """Bookings with too many passengers or methods, with two cabins, paid from outside the profile or with too little, or without seats."""

    name = "book_flight_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user = user_of(world, user_id)
        makers = (self._too_many, self._limits, self._unknown, self._short, self._two_cabins, self._no_seats)
        for maker in rng.sample(makers, 3):
            slots = proposal(world, user_id, network(world), rng.choice(rng.choice(TIERS[1:5])), rng)
            changed = maker({**slots, "ask": []}, user, world, rng) if slots else None
            if changed is not None:
                yield Wish(kind=self.name, slots=changed)

    def _too_many(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record:
        people = [{"self": True}, *(new_traveler(rng) for _ in range(rng.choice((5, 5, 6))))]
        return {**{key: value for key, value in slots.items() if key != "same_as"}, "passengers": people}

    def _limits(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record | None:
        """Two certificates, or two cards."""
        refs = refs_of(user)
        for kind in ("certificate", "card"):
            several = [ref for ref in refs if kind_of(ref) == kind]
            if len(several) > 1:
                return {**slots, "payments": several[:2]}
        return None

    def _unknown(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record:
        return {**slots, "payments": [unknown_card(user, rng)]}

    def _short(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record | None:
        """One small gift card for one way in business class, with nothing else that would cost more than it holds by itself."""
        small = [ref for ref in refs_of(user) if isinstance(ref.get("gift"), int) and 10 <= ref["gift"] < 200]
        plain = {**slots, "legs": slots["legs"][:1], "cabin": "business", "bags": 0, "insurance": "no"}
        return {**plain, "payments": [rng.choice(small)]} if small else None

    def _two_cabins(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record | None:
        return {**slots, "cabins": rng.sample(tuple(CABINS), 2)} if len(slots["legs"]) == 2 else None

    def _no_seats(self, slots: Record, user: Record, world: Environment, rng: Random) -> Record | None:
        """A named direct flight whose seats in the cabin do not suffice for five."""
        people = [{"self": True}, *(new_traveler(rng) for _ in range(4))]
        net = network(world)
        for _ in range(12):
            pair, numbers = rng.choice(list(net.flights.items()))
            number, date, cabin = rng.choice(numbers), rng.choice(net.dates), rng.choice(tuple(CABINS))
            day = (world.state.get("flights", number) or {})["dates"][date]
            if day["available_seats"][cabin] < len(people):
                leg = {"from": [pair[0]], "to": [pair[1]], "dates": [date], "stops": "direct", "numbers": [number]}
                kept = {key: value for key, value in slots.items() if key not in ("same_as", "cabins")}
                return {**kept, "legs": [leg], "cabin": cabin, "passengers": people}
        return None


class CancelRefused(CancelTrip):
    """Trips that are not covered, that have been flown, that are somebody else's, or that cannot be told from others."""

    name = "cancel_trip_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = live(trips_of(world, user_id))
        for rule in ("cancel_not_covered", "flown"):
            for trip, reason in self._against(rule, trips, world, rng)[:1]:
                yield from (self.wish(ref, reason, rng) for ref in told_ways(trip, trips, rng)[:1])
        other = some(_others(world, user_id, rng), rng)
        if other is not None and rng.random() < 0.2:
            yield self.wish(by_id(other), "change_of_plan", rng)
        if trips and rng.random() < 0.25:
            yield from (self.wish(ref, "change_of_plan", rng) for ref in _unclear(trips, world, rng))

    def _against(self, rule: str, trips: list[Record], world: Environment, rng: Random) -> list[tuple[Record, str]]:
        """Trips and reasons that the rule decides against."""
        found = []
        for trip in rng.sample(trips, len(trips)):
            reason = rng.choice(("change_of_plan", "other", "health", "weather", "airline_cancelled"))
            if judged(trip, reason, world).rule == rule:
                found.append((trip, reason))
        return found


def _others(world: Environment, user_id: str, rng: Random) -> list[Record]:
    """A few trips of other users."""
    ids = world.state.database.memo("airline_reservation_ids", lambda tables: list(tables["reservations"]))
    picked = (world.state.get("reservations", rng.choice(ids)) for _ in range(3))
    return [trip for trip in picked if trip and trip["user_id"] != user_id]


def _unclear(trips: list[Record], world: Environment, rng: Random) -> Iterator[Record]:
    """A destination that fits two trips, and one that fits none."""
    twice = [trip for trip in trips if sum(fits({"to": trip["destination"]}, other) for other in trips) > 1]
    if twice:
        yield {"to": rng.choice(twice)["destination"]}
    nowhere = [airport for airport in network(world).origins if not any(fits({"to": airport}, trip) for trip in trips)]
    yield {"to": rng.choice(nowhere)}


class ChangeFlightsRefused(ChangeFlights):
    """Basic economy trips, certificates and unknown cards as payment, and dates without a flight that fits."""

    name = "change_flights_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = trips_of(world, user_id), user_of(world, user_id)
        ahead = [trip for trip in live(trips) if is_ahead(trip)]
        basic = some([trip for trip in ahead if trip["cabin"] == "basic_economy"], rng)
        other = some([trip for trip in ahead if trip["cabin"] != "basic_economy"], rng)
        certificates = [ref for ref in refs_of(user) if "certificate" in ref]
        payments = (({"original": True}, basic), (rng.choice(certificates) if certificates else None, other), (unknown_card(user, rng), other))
        for payment, trip in payments:
            slots = self._new_dates(trip, world, rng) if trip and payment else None
            if trip and slots:
                yield from (
                    Wish(kind=self.name, slots={"trip": ref, **slots, "payment": payment, "ask": []}) for ref in told_ways(trip, trips, rng)[:1]
                )

    def _new_dates(self, trip: Record, world: Environment, rng: Random) -> Record | None:
        part = "whole" if trip["flight_type"] == "one_way" else rng.choice(("outbound", "return"))
        dates = free_dates(trip, part, network(world).dates, rng.choice((1, 2)), rng)
        return {"part": part, "leg": {"dates": dates, "stops": "any", "by": ["cheapest", "fastest"]}, "cabin": ""} if dates else None


class ChangeCabinRefused(ChangeCabin):
    """Trips that have been flown in part, a cabin for one way alone, full cabins, certificates."""

    name = "change_cabin_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = live(trips_of(world, user_id)), user_of(world, user_id)
        ahead = [trip for trip in trips if is_ahead(trip)]
        flown = [trip for trip in trips if any(date <= TODAY and status_in(world, (number, date)) in GONE for number, date in flights_of(trip))]
        both = [trip for trip in ahead if turn(trip) < len(trip["flights"])]
        full = [trip for trip in ahead if not has_seats(trip, _other_cabin(trip), world)]
        pays: list[Record] = [{"original": True}]
        certificates = [ref for ref in refs_of(user) if "certificate" in ref]
        cases: list[tuple[Record | None, Record, Record]] = [
            (some(flown, rng), pays[0], {}),
            (some(both, rng), pays[0], {"only": rng.choice(("the way there", "the way back"))}),
            (some(full, rng), pays[0], {}),
            *((some(ahead, rng), certificate, {}) for certificate in certificates[:1]),
        ]
        for trip, payment, more in rng.sample(cases, min(3, len(cases))):
            if trip is not None:
                ref = told_ways(trip, trips, rng)[0]
                yield Wish(kind=self.name, slots={"trip": ref, "cabin": _other_cabin(trip), "payment": payment, "ask": [], **more})


def _other_cabin(trip: Record) -> str:
    return {"basic_economy": "economy", "economy": "business", "business": "economy"}[trip["cabin"]]


class BagsRefused(AddBags):
    """Fewer bags than now, paid with a certificate, or for nothing beyond the free allowance."""

    name = "add_bags_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = live(trips_of(world, user_id)), user_of(world, user_id)
        laden = some([trip for trip in trips if trip["total_baggages"] > 0 and is_ahead(trip)], rng)
        if laden is not None:
            fewer = {"total": rng.randrange(laden["total_baggages"])}
            for ref in told_ways(laden, trips, rng)[:1]:
                yield Wish(kind=self.name, slots={"trip": ref, **fewer, "payment": {"original": True}, "ask": []})
        certificates = [ref for ref in refs_of(user) if "certificate" in ref]
        trip = some([trip for trip in trips if is_ahead(trip)], rng)
        if trip is not None and certificates:
            ref = told_ways(trip, trips, rng)[0]
            yield Wish(kind=self.name, slots={"trip": ref, "add": rng.choice((1, 2, 3)), "payment": rng.choice(certificates), "ask": []})
        yield from self._for_nothing([trip for trip in trips if is_ahead(trip)], trips, user, rng)

    def _for_nothing(self, ahead: list[Record], trips: list[Record], user: Record, rng: Random) -> Iterator[Wish]:
        for trip in rng.sample(ahead, min(1, len(ahead))):
            free = free_bags(user["membership"], trip["cabin"], len(trip["passengers"]))
            add = max(1, free - trip["total_baggages"] + rng.choice((1, 2)))
            if trip["total_baggages"] + add - free > trip["nonfree_baggages"]:
                slots = {"trip": told_ways(trip, trips, rng)[0], "add": add, "payment": {"original": True}, "ask": [], "free": True}
                yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        facts = super().facts(wish)
        return (*facts, Fact(name="free", value=True, text=FREE)) if wish.slots.get("free") else facts

    def request(self, wish: Wish, rng: Random) -> str:
        text = super().request(wish, rng)
        return f"{text} {spin(rng, FOR_NOTHING, {'free': FREE})}" if wish.slots.get("free") else text

    def script(self, wish: Wish) -> str:
        if not wish.slots.get("free"):
            return super().script(wish)
        return f"{super().script(wish)} You insist that all of these bags come {FREE}; if that cannot be, you want none of them."


class PassengersRefused(ChangePassengers):
    """One passenger more or less, or the passengers of a trip with another number of them."""

    name = "change_passengers_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips = live(trips_of(world, user_id))
        ahead = [trip for trip in trips if is_ahead(trip)]
        for trip in rng.sample(ahead, min(2, len(ahead))):
            changes: list[Record] = [{"add": new_traveler(rng)}]
            changes += [{"drop": rng.choice(names(trip))}] if len(trip["passengers"]) > 1 else []
            other = some([other for other in trips if is_live(other) and len(names(other)) != len(names(trip))], rng)
            same_as = next(references(other, trips, rng), None) if other else None
            changes += [{"same_as": same_as}] if same_as else []
            yield Wish(kind=self.name, slots={"trip": told_ways(trip, trips, rng)[0], **rng.choice(changes)})


class CompensationRefused(Compensation):
    """No membership, insurance or business class; no such mishap; a delay without a change; another complaint."""

    name = "compensation_refused"
    tools: ClassVar[tuple[str, ...]] = ()

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        trips, user = live(trips_of(world, user_id)), user_of(world, user_id)
        for trip in rng.sample(trips, min(2, len(trips))):
            ref = told_ways(trip, trips, rng)[0]
            yield Wish(kind=self.name, slots={"trip": ref, "complaint": self._complaint(trip, user, world, rng), "then": ""})
        hit = [trip for trip in trips if is_eligible(user, trip) and "cancelled" in {status_in(world, flight) for flight in flights_of(trip)}]
        for trip in hit[:1]:
            amount = 100 * len(trip["passengers"]) + rng.choice((100, 150, 200))
            slots = {"trip": told_ways(trip, trips, rng)[0], "complaint": "cancelled", "then": "", "amount": amount}
            yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        facts, amount = super().facts(wish), wish.slots.get("amount")
        return (*facts, Fact(name="amount", value=amount, text=f"{amount} dollars")) if amount else facts

    def request(self, wish: Wish, rng: Random) -> str:
        text, amount = super().request(wish, rng), wish.slots.get("amount")
        return f"{text} {spin(rng, NO_LESS, {'amount': f'{amount} dollars'})}" if amount else text

    def script(self, wish: Wish) -> str:
        text, amount = super().script(wish), wish.slots.get("amount")
        return f"{text} You want a certificate of {amount} dollars, and you do not take a smaller one." if amount else text

    def _complaint(self, trip: Record, user: Record, world: Environment, rng: Random) -> str:
        """One that the policy does not pay for, the delay of a trip that stays as it is first of all."""
        statuses = {status_in(world, flight) for flight in flights_of(trip)}
        if "delayed" in statuses and is_eligible(user, trip):
            return "delayed"
        options = [complaint for complaint in COMPLAINTS if complaint not in ("cancelled", "delayed")][:2]
        options += ["cancelled"] if "cancelled" not in statuses or not is_eligible(user, trip) else []
        return rng.choice(options)
