"""Where things go: the address of a pending order, and the default address of the profile."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.arguments import find_address
from writ.domains.retail.evidence_book import Book, Json, account
from writ.domains.retail.orders import find_orders
from writ.domains.retail.payments import address_fields
from writ.domains.retail.phrases import address_facts, order_facts, order_phrase, order_script
from writ.domains.retail.places import new_address
from writ.domains.retail.templates import voiced
from writ.domains.retail.wishes.base import RetailKind, permitted, require_open, said_of
from writ.domains.retail.wishes.references import by_content, names_of, near_orders, order_references, references_to
from writ.domains.retail.words import address_words
from writ.schema import Call, Distractor, Fact, Wish

ADDRESS = "modify_pending_order_address"


def address_script(ref: Json) -> str:
    match ref["by"]:
        case "words":
            return f"the new address {address_words(ref['address'])}"
        case "edit":
            return f"the same address but with {ref['address2']} instead of the current suite"
        case "default":
            return "your default address (you do not spell it out)"
        case _:
            return f"the address of {order_script(ref['order'])} (you do not remember it in full)"


class ChangeAddress(RetailKind):
    """Slots: order (an order reference), address (an address reference)."""

    name = "change_address"
    tools: ClassVar[tuple[str, ...]] = (ADDRESS,)

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        for ref, _ in order_references(orders, world, rng, status="pending", each=True):
            for address in self._addresses(user, orders, rng):
                yield Wish(kind=self.name, slots={"order": ref, "address": address})

    def _addresses(self, user: Json, orders: list[Json], rng: Random) -> Iterator[Json]:
        """A new one in words, and at random the profile's or another order's, where that would change all pending orders."""
        pending = [address_fields(order["address"]) for order in orders if order["status"] == "pending"]
        yield {"by": "words", "address": new_address(rng)}
        if address_fields(user["address"]) not in pending:
            yield {"by": "default"}
        others = [order for order in orders if address_fields(order["address"]) not in pending]
        if others:
            ref = by_content(rng.choice(others), orders, rng)
            if ref:
                yield {"by": "order", "order": ref}

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (*order_facts(wish.slots["order"]), *address_facts(wish.slots["address"]))

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        found = yield from find_orders(wish.slots["order"], user_id, book)
        require_open(ADDRESS, ((order, None) for order in found.orders))
        address = yield from find_address(wish.slots["address"], user_id, book)
        calls: list[Call] = []
        for order in found.orders:
            call = Call(name=ADDRESS, arguments={"order_id": order["order_id"], **address})
            yield from permitted(call, f"order {order['order_id']}", names_of(order), said_of(wish, user_id), book)
            calls.append(call)
        return Outcome(calls=tuple(calls), criterion=found.criterion, candidates=found.candidates, margin=found.margin)

    def request(self, wish: Wish, rng: Random) -> str:
        ref = wish.slots["address"]
        slots = {"order": order_phrase(wish.slots["order"], rng)}
        if ref["by"] == "order":
            return voiced(rng, "ship_along", slots | {"other": order_phrase(ref["order"], rng)})
        return voiced(rng, "ship_home" if ref["by"] == "default" else "ship_anew", slots)

    def story(self, wish: Wish) -> str:
        return f"You want {order_script(wish.slots['order'])} to be sent to {address_script(wish.slots['address'])}."

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if not outcome.calls:
            return None
        address = address_fields(outcome.calls[0].arguments)
        ids = [call.arguments["order_id"] for call in outcome.calls]
        return Wish(kind=self.name, slots={"order": {"by": "ids", "ids": ids}, "address": {"by": "words", "address": address}})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        first, *rest = outcome.calls
        for near in _near_addresses(outcome, user_id, world):
            yield Distractor(mistake="another address of the account", calls=(Call(name=first.name, arguments={**first.arguments, **near}), *rest))
        if rest:
            yield Distractor(mistake="one of the orders meant is left out", calls=tuple(rest))
        for order in near_orders(outcome, user_id, world, "pending"):
            extra = Call(name=first.name, arguments={**first.arguments, "order_id": order["order_id"]})
            if address_fields(order["address"]) != address_fields(first.arguments):
                yield Distractor(mistake=f"another pending order, {order['order_id']}", calls=(extra, *rest))


def _near_addresses(outcome: Outcome, user_id: str, world: Environment) -> list[Json]:
    """Addresses of the account other than the right one, at most two."""
    user, orders = account(world, user_id)
    right = address_fields(outcome.calls[0].arguments)
    near: list[Json] = []
    for record in (user, *orders):
        address = address_fields(record["address"])
        if address != right and address not in near:
            near.append(address)
    return near[:2]


class ChangeHome(RetailKind):
    """Slots: address (an address reference: words, edit or order)."""

    name = "change_home"
    tools: ClassVar[tuple[str, ...]] = ("modify_user_address",)

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        home = address_fields(user["address"])
        yield self._wish({"by": "words", "address": new_address(rng)})
        yield self._wish({"by": "edit", "address2": f"Suite {rng.randint(100, 999)}"})
        away = [order for order in orders if address_fields(order["address"]) != home and "(" not in order["status"]]
        rng.shuffle(away)
        for order in away[:2]:
            yield self._wish({"by": "order", "order": {"by": "ids", "ids": [order["order_id"]]}})
            for ref in references_to(order, orders, world, rng, order["status"]):
                yield self._wish({"by": "order", "order": ref})

    def _wish(self, address: Json) -> Wish:
        return Wish(kind=self.name, slots={"address": address})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return address_facts(wish.slots["address"])

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        ref = wish.slots["address"]
        found = None
        if ref["by"] == "order":
            found = yield from find_orders(ref["order"], user_id, book)
        address = yield from find_address(ref, user_id, book)
        call = Call(name="modify_user_address", arguments={"user_id": user_id, **address})
        if found is None:
            return Outcome(calls=(call,))
        return Outcome(calls=(call,), criterion=found.criterion, candidates=found.candidates, margin=found.margin)

    def request(self, wish: Wish, rng: Random) -> str:
        ref = wish.slots["address"]
        other = order_phrase(ref["order"], rng) if ref["by"] == "order" else ""
        return voiced(rng, {"words": "moved", "edit": "suite"}.get(ref["by"], "home_like"), {"other": other})

    def story(self, wish: Wish) -> str:
        return f"You want your default address in your profile to become {address_script(wish.slots['address'])}."

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        return self._wish({"by": "words", "address": address_fields(outcome.calls[0].arguments)}) if outcome.calls else None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        call = outcome.calls[0]
        for near in _near_addresses(outcome, user_id, world):
            if near != address_fields(account(world, user_id)[0]["address"]):
                yield Distractor(mistake="the address of another order", calls=(Call(name=call.name, arguments={"user_id": user_id, **near}),))
        other = {**call.arguments, "address2": ""}
        if call.arguments["address2"]:
            yield Distractor(mistake="the suite is lost", calls=(Call(name=call.name, arguments=other),))
