"""Changing how a pending order is paid."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.arguments import find_payment
from writ.domains.retail.evidence_book import Book, Decline, Json, account
from writ.domains.retail.orders import find_orders, mentions, paid_with, subject, total_of
from writ.domains.retail.payments import payment_words, reference_to
from writ.domains.retail.phrases import order_facts, order_phrase, order_script, payment_fact, payment_script
from writ.domains.retail.templates import say, voiced
from writ.domains.retail.wishes.base import RetailKind, ask_facts, asking, permitted, require_open, said_of, told_money
from writ.domains.retail.wishes.references import by_content, names_of, near_orders, order_references
from writ.schema import Call, Distractor, Fact, Wish


class ChangePayment(RetailKind):
    """Slots: order (an order reference), payment (a payment reference), ask; second (a payment reference) where the payment is to be split."""

    name = "change_payment"
    tools: ClassVar[tuple[str, ...]] = ("modify_pending_order_payment",)

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        if len(user["payment_methods"]) < 2 or any(len(order["payment_history"]) != 1 for order in orders if order["status"] == "pending"):
            return
        for ref, meant in order_references(orders, world, rng, status="pending", each=True):
            for payment, method in self._payments(user, meant, orders, rng):
                if all(_possible(method, order, user) for order in meant):
                    ask = ["total"] if len(meant) == 1 and rng.random() < 0.2 else []
                    yield Wish(kind=self.name, slots={"order": ref, "payment": payment} | ({"ask": ask} if ask else {}))

    def _payments(self, user: Json, meant: Sequence[Json], orders: list[Json], rng: Random) -> Iterator[tuple[Json, str]]:
        """Every method by its name, what is left besides the first, and what another order was paid with; with the id that each means."""
        methods = user["payment_methods"]
        for method_id in rng.sample(list(methods), len(methods)):
            yield reference_to(methods[method_id]), method_id
        original = paid_with(meant[0])
        if len(methods) == 2 and len(meant) == 1:
            yield {"by": "other"}, next(method_id for method_id in methods if method_id != original)
        others = [order for order in orders if paid_with(order) != original]
        if others:
            other = rng.choice(others)
            ref = by_content(other, orders, rng)
            if ref:
                yield {"by": "order", "order": ref}, paid_with(other)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (*order_facts(wish.slots["order"]), *ask_facts(wish), *payment_fact(wish.slots["payment"]))

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        if "second" in wish.slots:
            order = wish.slots["order"]
            raise Decline("single_payment", f"splitting the payment of {subject(order)}", *mentions(order), "split", "single payment method")
        found = yield from find_orders(wish.slots["order"], user_id, book)
        require_open("modify_pending_order_payment", ((order, None) for order in found.orders))
        calls: list[Call] = []
        for order in found.orders:
            method = yield from find_payment(wish.slots["payment"], order, user_id, book)
            call = Call(name="modify_pending_order_payment", arguments={"order_id": order["order_id"], "payment_method_id": method})
            yield from permitted(call, f"order {order['order_id']}", names_of(order), said_of(wish, user_id), book)
            calls.append(call)
        yield from _all_covered(calls, found.orders, user_id, book)
        total = round(sum(total_of(order) for order in found.orders), 2)
        return Outcome(
            calls=tuple(calls), told=told_money(wish, total=total), criterion=found.criterion, candidates=found.candidates, margin=found.margin
        )

    def request(self, wish: Wish, rng: Random) -> str:
        return voiced(rng, "pay", {"order": order_phrase(wish.slots["order"], rng)}) + asking(wish, rng)

    def story(self, wish: Wish) -> str:
        ask = " Ask for the order total." if wish.slots.get("ask") else ""
        return f"You want to pay {order_script(wish.slots['order'])} with another payment method: {payment_script(wish.slots['payment'])}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if not outcome.calls:
            return None
        ids = [call.arguments["order_id"] for call in outcome.calls]
        method = account(world, user_id)[0]["payment_methods"][outcome.calls[0].arguments["payment_method_id"]]
        return Wish(kind=self.name, slots={**wish.slots, "order": {"by": "ids", "ids": ids}, "payment": reference_to(method)})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        first, *rest = outcome.calls
        if rest:
            yield Distractor(mistake="one of the orders meant is left out", calls=tuple(rest))
        user, _ = account(world, user_id)
        for order in near_orders(outcome, user_id, world, "pending"):
            if _possible(first.arguments["payment_method_id"], order, user):
                extra = Call(name=first.name, arguments={**first.arguments, "order_id": order["order_id"]})
                yield Distractor(mistake=f"another pending order, {order['order_id']}", calls=(extra, *rest))
        order = world.state.get("orders", first.arguments["order_id"]) or {}
        for method in user["payment_methods"]:
            if method != first.arguments["payment_method_id"] and _possible(method, order, user):
                yield Distractor(
                    mistake=f"another payment method, {method}",
                    calls=(Call(name=first.name, arguments={**first.arguments, "payment_method_id": method}), *rest),
                )

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        words = payment_words(wish.slots["payment"])
        return say(rng, "split", {"order": order_phrase(wish.slots["order"], rng), "m": words})


def _possible(method: str, order: Json, user: Json) -> bool:
    """Whether the tool would take it: another method, and a gift card that covers the total."""
    balance = user["payment_methods"][method].get("balance", float("inf"))
    history = order["payment_history"]
    return len(history) == 1 and paid_with(order) != method and bool(balance >= total_of(order))


def _all_covered(calls: list[Call], orders: tuple[Json, ...], user_id: str, book: Book) -> Reads[None]:
    """One gift card for several orders must cover all of them together. Raises: Decline."""
    method = calls[0].arguments["payment_method_id"]
    if len(calls) > 1 and method.startswith("gift_card"):
        user = yield from book.user(user_id)
        if user["payment_methods"][method]["balance"] < round(sum(total_of(order) for order in orders), 2):
            raise Decline("gift_card_balance", "the gift card", "gift card")
