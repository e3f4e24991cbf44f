"""Cancelling pending orders."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Book, Decline, account
from writ.domains.retail.orders import find_orders, mentions, subject, total_of
from writ.domains.retail.phrases import order_facts, order_phrase, order_script, reason_fact
from writ.domains.retail.policy import REASONS
from writ.domains.retail.templates import say, voiced
from writ.domains.retail.wishes.base import RetailKind, ask_facts, asking, permitted, said_of, told_money
from writ.domains.retail.wishes.references import names_of, near_orders, order_references
from writ.schema import Call, Distractor, Fact, Wish

CANCEL = "cancel_pending_order"


class CancelOrder(RetailKind):
    """Slots: order (an order reference), reason (in the user's words), ask (values the user wants to hear)."""

    name = "cancel_order"
    tools: ClassVar[tuple[str, ...]] = (CANCEL,)

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        _, orders = account(world, user_id)
        for ref, _ in order_references(orders, world, rng, status="pending", each=True):
            ask = ["refund"] if rng.random() < 0.25 else []
            yield Wish(kind=self.name, slots={"order": ref, "reason": rng.choice(REASONS)} | ({"ask": ask} if ask else {}))

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (*order_facts(wish.slots["order"]), *ask_facts(wish), reason_fact(wish.slots["reason"]))

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        reason = wish.slots["reason"]
        if reason not in REASONS:
            raise Decline("cancel_reason", subject(wish.slots["order"]), *mentions(wish.slots["order"]))
        found = yield from find_orders(wish.slots["order"], user_id, book)
        calls = []
        for order in found.orders:
            call = Call(name=CANCEL, arguments={"order_id": order["order_id"], "reason": reason})
            yield from permitted(call, f"order {order['order_id']}", names_of(order), said_of(wish, user_id), book)
            calls.append(call)
        refund = round(sum(total_of(order) for order in found.orders), 2)
        return Outcome(
            calls=tuple(calls), told=told_money(wish, refund=refund), criterion=found.criterion, candidates=found.candidates, margin=found.margin
        )

    def request(self, wish: Wish, rng: Random) -> str:
        return voiced(rng, "cancel", {"order": order_phrase(wish.slots["order"], rng)}) + asking(wish, rng)

    def story(self, wish: Wish) -> str:
        ask = "".join(f" Ask for {fact.text}." for fact in ask_facts(wish))
        return f"You want to cancel {order_script(wish.slots['order'])}. Your reason: {wish.slots['reason']}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        ids = [call.arguments["order_id"] for call in outcome.calls]
        return Wish(kind=self.name, slots={**wish.slots, "order": {"by": "ids", "ids": ids}}) if ids else None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        reason = next(other for other in REASONS if other != wish.slots["reason"])
        first, *rest = outcome.calls
        yield Distractor(
            mistake="another reason than the user's", calls=(Call(name=first.name, arguments={**first.arguments, "reason": reason}), *rest)
        )
        if rest:
            yield Distractor(mistake="one of the orders meant is left out", calls=tuple(rest))
        for order in near_orders(outcome, user_id, world, "pending"):
            extra = Call(name=first.name, arguments={**first.arguments, "order_id": order["order_id"]})
            yield Distractor(mistake=f"another pending order, {order['order_id']}", calls=(extra, *rest))

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return say(rng, "cancel_elsewhere", {"order": order_phrase(wish.slots["order"], rng)})
