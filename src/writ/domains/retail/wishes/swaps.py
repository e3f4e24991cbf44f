"""Swapping items for other variants: exchanges of delivered items, and modifications of pending ones.

The published fault of `modify_pending_order_items` (every modified item gets the last one's price and options) makes the end state depend on the
order in which items are listed. So a pending order never has two different swaps in one wish.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import ClassVar, NamedTuple

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.arguments import find_payment
from writ.domains.retail.evidence_book import Book, Decline, Json
from writ.domains.retail.items import Choice, find_variant
from writ.domains.retail.phrases import item_fact, new_facts, new_phrase, order_facts, order_phrase, order_script, payment_fact, payment_script
from writ.domains.retail.scope import Hit, locate
from writ.domains.retail.templates import TEMPLATES, say, voiced
from writ.domains.retail.wishes.base import RetailKind, ask_facts, asking, permitted, require_open, said_of, told_money
from writ.domains.retail.wishes.inversion import narrowed_swaps, near_swaps, swap_wishes
from writ.domains.retail.words import item_phrase, item_words, product_words, with_article
from writ.domains.wording import spin
from writ.schema import Call, Candidate, Distractor, Fact, Wish

EXCHANGE = "exchange_delivered_order_items"
MODIFY = "modify_pending_order_items"


class Swapped(NamedTuple):
    """One item and what takes its place."""

    hit: Hit
    choice: Choice


class SwapKind(RetailKind):
    """Slots: order (an order reference or `whichever`), changes (each with `item` and `new`, see items.py), payment (a reference), ask."""

    tool: ClassVar[str]
    status: ClassVar[str]
    voice: ClassVar[str]
    """Name of its template; `<voice>_one` words a single swap."""

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for slots in swap_wishes(world, user_id, rng, status=self.status, single=self.tool == MODIFY):
            yield Wish(kind=self.name, slots=slots)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        slots = wish.slots
        order = order_facts(slots["order"]) if slots["order"]["by"] != "whichever" else ()
        items = [fact for change in slots["changes"] for fact in (item_fact(change["item"]), *new_facts(change["new"]))]
        return (*order, *items, *ask_facts(wish), *payment_fact(slots["payment"]))

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        changes = wish.slots["changes"]
        _require_same_product(changes)
        located = yield from locate(wish.slots["order"], [change["item"] for change in changes], user_id, book)
        require_open(self.tool, (hit for hits in located.hits for hit in hits))
        swaps: list[Swapped] = []
        for change, hits in zip(changes, located.hits, strict=True):
            for hit in hits:
                swaps.append(Swapped(hit, (yield from find_variant(change["new"], hit.item, book))))
        calls = yield from swap_calls(self.tool, swaps, wish, user_id, book)
        compared = [swap.choice for swap in swaps if swap.choice.criterion]
        margins = [choice.margin for choice in compared if choice.margin is not None]
        return Outcome(
            calls=calls,
            told=told_money(wish, difference=abs(_difference(swaps))),
            criterion=compared[0].criterion if compared else located.found.criterion,
            candidates=(*located.found.candidates, *_candidates(compared)),
            margin=min(margins) if margins else None if compared else located.found.margin,
        )

    def request(self, wish: Wish, rng: Random) -> str:
        order = wish.slots["order"]
        phrase = order_phrase(order, rng) if order["by"] != "whichever" else ""
        template = rng.choice(TEMPLATES[f"{self.voice}_one"])
        changes = "; ".join(spin(rng, template, _change_slots(change, rng)) for change in wish.slots["changes"])
        place = say(rng, "place", {"order": phrase}) if phrase else ""
        return voiced(rng, self.voice, {"changes": changes, "place": place}) + asking(wish, rng)

    def story(self, wish: Wish) -> str:
        rng = Random(0)
        order = wish.slots["order"]
        place = "from whichever order holds it" if order["by"] == "whichever" else f"in {order_script(order)}"
        changes = "; ".join(f"{item_phrase(change['item'])} for {new_phrase(change['new'], rng)}" for change in wish.slots["changes"])
        verb = "exchange" if self.tool == EXCHANGE else "change"
        ask = " Ask for the price difference." if wish.slots.get("ask") else ""
        return f"You want to {verb} {place}: {changes}. For the price difference: {payment_script(wish.slots['payment'])}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        slots = narrowed_swaps(outcome.calls, wish.slots["payment"], world)
        ask = {"ask": wish.slots["ask"]} if "ask" in wish.slots else {}
        return Wish(kind=self.name, slots=slots | ask) if slots else None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        return near_swaps(outcome, user_id, world)

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        changes = wish.slots.get("changes")
        if not changes or "product" not in changes[0]["item"]:
            return None
        other = rng.choice([name for name in sorted(_names(world)) if name != changes[0]["item"]["product"]])
        return say(rng, "other_product", {"item": item_phrase(changes[0]["item"]), "other": with_article(product_words(other))})


def _require_same_product(changes: Sequence[Json]) -> None:
    """Another product is refused by the words alone. Raises: Decline."""
    for change in changes:
        if "product" in change["new"]:
            old, new = item_words(change["item"]), product_words(change["new"]["product"])
            raise Decline("product_type", f"swapping the {old} for a {new}", product_words(change["item"]["product"]), new)


SWAP_KIND_OF: Mapping[str, str] = {EXCHANGE: "exchange_items", MODIFY: "change_items"}


def _names(world: Environment) -> frozenset[str]:
    return world.state.database.memo("product names", lambda tables: frozenset(product["name"] for product in tables["products"].values()))


def _change_slots(change: Json, rng: Random) -> Json:
    return {"item": item_phrase(change["item"]), "new": new_phrase(change["new"], rng)}


def _difference(swaps: list[Swapped]) -> float:
    return round(float(sum(swap.choice.variant["price"] - swap.hit.item["price"] for swap in swaps)), 2)


def _candidates(choices: list[Choice]) -> tuple[Candidate, ...]:
    return tuple(candidate for choice in choices for candidate in choice.candidates)


def swap_calls(tool: str, swaps: list[Swapped], wish: Wish, user_id: str, book: Book) -> Reads[tuple[Call, ...]]:
    """One call per order, in the order in which the words come to them. Raises: Decline."""
    by_order: dict[str, list[Swapped]] = {}
    for swap in swaps:
        by_order.setdefault(swap.hit.order["order_id"], []).append(swap)
    calls: list[Call] = []
    for order_id, group in by_order.items():
        method = yield from find_payment(wish.slots["payment"], group[0].hit.order, user_id, book)
        arguments = {
            "order_id": order_id,
            "item_ids": [swap.hit.item["item_id"] for swap in group],
            "new_item_ids": [swap.choice.variant["item_id"] for swap in group],
            "payment_method_id": method,
        }
        call = Call(name=tool, arguments=arguments)
        names = tuple(product_words(swap.hit.item["name"]) for swap in group)
        yield from permitted(call, f"order {order_id}", (order_id, *names), said_of(wish, user_id), book)
        calls.append(call)
    if tool == MODIFY:
        yield from _covered_together(calls, by_order, user_id, book)
    return tuple(calls)


def _covered_together(calls: list[Call], by_order: Mapping[str, list[Swapped]], user_id: str, book: Book) -> Reads[None]:
    """A gift card that pays for several orders must cover all of them. Raises: Decline."""
    due: dict[str, float] = {}
    for call in calls:
        method, amount = call.arguments["payment_method_id"], _difference(by_order[call.arguments["order_id"]])
        due[method] = due.get(method, 0.0) + max(amount, 0.0)
    for method, amount in due.items():
        if len(calls) > 1 and amount > 0 and method.startswith("gift_card"):
            user = yield from book.user(user_id)
            if user["payment_methods"][method]["balance"] < round(amount, 2):
                raise Decline("gift_card_balance", "the gift card", "gift card")


class ExchangeItems(SwapKind):
    name = "exchange_items"
    tools: ClassVar[tuple[str, ...]] = (EXCHANGE,)
    tool = EXCHANGE
    status = "delivered"
    voice = "exchange"


class ChangeItems(SwapKind):
    name = "change_items"
    tools: ClassVar[tuple[str, ...]] = (MODIFY,)
    tool = MODIFY
    status = "pending"
    voice = "modify"
