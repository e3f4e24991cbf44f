"""Wishes that a clause of the policy refuses. They never end in a write; the user accepts that in the end.

What the words alone forbid (a reason, another product, two payment methods) needs no reading; all else is told from orders, profile or catalog.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Json, account, product_of
from writ.domains.retail.orders import paid_with, total_of
from writ.domains.retail.payments import reference_to
from writ.domains.retail.phrases import order_phrase, payment_fact, reason_fact
from writ.domains.retail.places import new_address
from writ.domains.retail.policy import REASONS, status_rule
from writ.domains.retail.templates import say, voiced
from writ.domains.retail.wishes.base import RetailKind
from writ.domains.retail.wishes.beyond import BeyondScope, UndoCancellation
from writ.domains.retail.wishes.cancel import CANCEL, CancelOrder
from writ.domains.retail.wishes.inversion import exact, new_item
from writ.domains.retail.wishes.paying import ChangePayment
from writ.domains.retail.wishes.references import item_reference, references_to
from writ.domains.retail.wishes.returns import RETURN, ReturnItems
from writ.domains.retail.wishes.shipping import ChangeAddress
from writ.domains.retail.wishes.swaps import EXCHANGE, MODIFY, ChangeItems, ExchangeItems, SwapKind
from writ.schema import Call, Distractor, Fact, Wish

ACCEPTS = " If this turns out to be impossible, you accept it and do not ask for anything else instead."

BAD_REASONS = (
    "I found it cheaper in another store",
    "the delivery takes too long for me",
    "I want to order it again with a discount code",
    "a friend told me that the brand is bad",
    "I'd rather buy it in person",
)


class Refused(RetailKind):
    """A kind that never ends in a write."""

    tools: ClassVar[tuple[str, ...]] = ()

    ending = ACCEPTS

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        return None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        return iter(())

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return None


def closed_orders(tool: str, world: Environment, user_id: str, rng: Random) -> Iterator[tuple[Json, Json]]:
    """References to orders whose status closes them to the tool, two per clause, narrow ones first; with the order that each means."""
    _, orders = account(world, user_id)
    by_rule: dict[str, list[Json]] = {}
    for order in rng.sample(orders, len(orders)):
        rule = status_rule(tool, order["status"])
        if rule:
            by_rule.setdefault(rule, []).append(order)
    for closed in by_rule.values():
        order = closed[0]
        yield {"by": "ids", "ids": [order["order_id"]]}, order
        for ref in islice(references_to(closed[-1], orders, world, rng, ""), 2):
            yield ref, closed[-1]


def someone_elses(world: Environment, user_id: str, rng: Random, status: str) -> Json | None:
    """A reference to another user's order of that status; None where ten draws meet none."""
    ids = world.state.database.memo("order ids", lambda tables: tuple(tables["orders"]))
    for _ in range(10):
        order = world.state.get("orders", rng.choice(ids))
        if order and order["user_id"] != user_id and order["status"] == status:
            return {"by": "ids", "ids": [order["order_id"]]}
    return None


class RefusedCancel(Refused, CancelOrder):
    name = "refused_cancel"

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for ref, _ in closed_orders(CANCEL, world, user_id, rng):
            yield Wish(kind=self.name, slots={"order": ref, "reason": rng.choice(REASONS)})
        foreign = someone_elses(world, user_id, rng, "pending")
        if foreign:
            yield Wish(kind=self.name, slots={"order": foreign, "reason": rng.choice(REASONS)})
        _, orders = account(world, user_id)
        for order in [order for order in orders if order["status"] == "pending"][:1]:
            yield Wish(kind=self.name, slots={"order": {"by": "ids", "ids": [order["order_id"]]}, "reason": rng.choice(BAD_REASONS)})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        facts = super().facts(wish)
        return facts if wish.slots["reason"] in REASONS else (*facts[:-1], reason_fact(wish.slots["reason"]).model_copy(update={"core": True}))

    def request(self, wish: Wish, rng: Random) -> str:
        text = super().request(wish, rng)
        return text if wish.slots["reason"] in REASONS else f"{text} {say(rng, 'bad_reason', {'reason': wish.slots['reason']})}"


class RefusedAddress(Refused, ChangeAddress):
    name = "refused_address"

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for ref, _ in closed_orders("modify_pending_order_address", world, user_id, rng):
            yield Wish(kind=self.name, slots={"order": ref, "address": {"by": "words", "address": new_address(rng)}})
        foreign = someone_elses(world, user_id, rng, "pending")
        if foreign:
            yield Wish(kind=self.name, slots={"order": foreign, "address": {"by": "words", "address": new_address(rng)}})


class RefusedPayment(Refused, ChangePayment):
    name = "refused_payment"

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        methods = user["payment_methods"]
        for ref, order in closed_orders("modify_pending_order_payment", world, user_id, rng):
            others = [method for method_id, method in methods.items() if method_id != paid_with(order)]
            if others:
                yield self._wish(ref, reference_to(rng.choice(others)))
        for order in rng.sample(orders, len(orders)):
            if order["status"] == "pending":
                yield from self._on_pending(order, orders, methods, world, rng)

    def _on_pending(self, order: Json, orders: list[Json], methods: Json, world: Environment, rng: Random) -> Iterator[Wish]:
        """The method that it has already, a gift card that does not cover it, and two methods at once."""
        refs = [{"by": "ids", "ids": [order["order_id"]]}, *islice(references_to(order, orders, world, rng, "pending"), 2)]
        for method_id, method in methods.items():
            short = method.get("balance", total_of(order)) < total_of(order)
            if method_id == paid_with(order) or short:
                for ref in refs:
                    yield self._wish(ref, reference_to(method))
        if len(methods) > 1:
            first, second = rng.sample([reference_to(method) for method in methods.values()], 2)
            yield Wish(kind=self.name, slots={"order": refs[-1], "payment": first, "second": second})

    def _wish(self, order: Json, payment: Json) -> Wish:
        return Wish(kind=self.name, slots={"order": order, "payment": payment})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        if "second" not in wish.slots:
            return super().facts(wish)
        both = [payment_fact(wish.slots[slot])[0].model_copy(update={"core": True}) for slot in ("payment", "second")]
        return (*super().facts(wish)[:-1], *both)

    def request(self, wish: Wish, rng: Random) -> str:
        if "second" not in wish.slots:
            return super().request(wish, rng)
        first, second = (payment_fact(wish.slots[slot])[0].text for slot in ("payment", "second"))
        return voiced(rng, "pay_both", {"order": order_phrase(wish.slots["order"], rng), "first": first, "second": second})

    def story(self, wish: Wish) -> str:
        extra = f" Half of it should be charged to your {payment_fact(wish.slots['second'])[0].text}." if "second" in wish.slots else ""
        return super().story(wish) + extra


class RefusedSwap(Refused, SwapKind):
    """Exchanges and modifications that are refused."""

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        for ref, order in closed_orders(self.tool, world, user_id, rng):
            item = rng.choice(order["items"])
            yield from self._wish(ref, item, order, new_item(item, world, rng), rng)
        due = [order for order in orders if order["status"] == self.status]
        for order in rng.sample(due, min(len(due), 2)):
            yield from self._on_open(order, orders, user, world, rng)

    def _on_open(self, order: Json, orders: list[Json], user: Json, world: Environment, rng: Random) -> Iterator[Wish]:
        refs = [{"by": "ids", "ids": [order["order_id"]]}, *references_to(order, orders, world, rng, self.status)]
        for item in rng.sample(order["items"], min(len(order["items"]), 2)):
            variants = product_of(world, item["product_id"])["variants"].values()
            gone = [variant for variant in variants if not variant["available"] and variant["options"] != item["options"]]
            if gone:
                yield from self._wish(rng.choice(refs), item, order, _all_options(rng.choice(gone)), rng)
            yield from self._wish(rng.choice(refs), item, order, _all_options(item), rng)
            yield from self._wish(rng.choice(refs), item, order, {"product": _another(item, world, rng)}, rng)
            yield from self._short(refs, item, order, user, world, rng)

    def _short(self, refs: list[Json], item: Json, order: Json, user: Json, world: Environment, rng: Random) -> Iterator[Wish]:
        """A dearer variant that the gift card does not cover."""
        balances = [method["balance"] for method in user["payment_methods"].values() if method["source"] == "gift_card"]
        variants = product_of(world, item["product_id"])["variants"].values()
        eligible = [variant for variant in variants if variant["available"] and variant["item_id"] != item["item_id"]]
        dear = [variant for variant in eligible if balances and variant["price"] - item["price"] > balances[0] + 0.01]
        if dear and len(balances) == 1:
            yield from self._wish(rng.choice(refs), item, order, exact(rng.choice(dear), item, eligible, rng), rng, {"by": "gift_card"})

    def _wish(self, ref: Json, item: Json, order: Json, new: Json | None, rng: Random, payment: Json | None = None) -> Iterator[Wish]:
        words = item_reference(item, order, rng)
        if words and new:
            yield Wish(kind=self.name, slots={"order": ref, "changes": [{"item": words, "new": new}], "payment": payment or {"by": "original"}})


def _all_options(variant: Json) -> Json:
    return {"options": dict(variant["options"]), "rest": "any", "best": ""}


def _another(item: Json, world: Environment, rng: Random) -> str:
    names = world.state.database.memo("names", lambda tables: sorted({product["name"] for product in tables["products"].values()}))
    other: str = rng.choice([name for name in names if name != item["name"]])
    return other


class RefusedExchange(RefusedSwap):
    name = "refused_exchange"
    tool = EXCHANGE
    status = "delivered"
    voice = ExchangeItems.voice


class RefusedChange(RefusedSwap):
    name = "refused_change"
    tool = MODIFY
    status = "pending"
    voice = ChangeItems.voice


class RefusedReturn(Refused, ReturnItems):
    name = "refused_return"

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        for ref, order in closed_orders(RETURN, world, user_id, rng):
            words = item_reference(rng.choice(order["items"]), order, rng)
            yield self._plain(ref, {"by": "named", "items": [words]} if words else {"by": "all"}, {"by": "original"})
        for order in [order for order in orders if order["status"] == "delivered"][:2]:
            refs = [{"by": "ids", "ids": [order["order_id"]]}, *references_to(order, orders, world, rng, "delivered")]
            for method_id, method in user["payment_methods"].items():
                if method["source"] != "gift_card" and method_id != paid_with(order):
                    yield self._plain(rng.choice(refs), {"by": "all"}, reference_to(method))
        foreign = someone_elses(world, user_id, rng, "delivered")
        if foreign:
            yield self._plain(foreign, {"by": "all"}, {"by": "original"})
        if orders and rng.random() < 0.3:
            bought = {item["name"] for order in orders for item in order["items"]}
            absent = {"product": _another(orders[0]["items"][0], world, rng)}
            if absent["product"] not in bought:
                yield self._plain({"by": "whichever", "status": "delivered"}, {"by": "named", "items": [absent]}, {"by": "original"})

    def _plain(self, order: Json, items: Json, payment: Json) -> Wish:
        return Wish(kind=self.name, slots={"order": order, "items": items, "payment": payment})


def sequels(write: Call, world: Environment, rng: Random) -> Iterator[Wish]:
    """A second wish about an order, named by its id, that a write has just closed: to cancel, to send elsewhere, or to return all of it."""
    order = world.state.get("orders", write.arguments.get("order_id"))
    if order is None:
        return
    named: Json = {"by": "ids", "ids": [order["order_id"]]}
    if status_rule(CANCEL, order["status"]) == "already_modified":
        yield Wish(kind=RefusedCancel.name, slots={"order": named, "reason": rng.choice(REASONS)})
        yield Wish(kind=RefusedAddress.name, slots={"order": named, "address": {"by": "words", "address": new_address(rng)}})
    elif status_rule(CANCEL, order["status"]) == "already_cancelled":
        yield Wish(kind=RefusedAddress.name, slots={"order": named, "address": {"by": "words", "address": new_address(rng)}})
    elif status_rule(RETURN, order["status"]) == "already_requested":
        yield Wish(kind=RefusedReturn.name, slots={"order": named, "items": {"by": "all"}, "payment": {"by": "original"}})


REFUSALS: tuple[RetailKind, ...] = (
    RefusedCancel(),
    RefusedAddress(),
    RefusedPayment(),
    RefusedChange(),
    RefusedExchange(),
    RefusedReturn(),
    UndoCancellation(),
    BeyondScope(),
)
