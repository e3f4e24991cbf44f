"""Moving to cheaper versions by rule: the one item that saves most, or every item with a cheaper version. The deepest reading there is."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar, NamedTuple

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Book, Decline, Json, account, product_call, product_of
from writ.domains.retail.items import Choice
from writ.domains.retail.orders import find_orders
from writ.domains.retail.phrases import order_facts, order_phrase, order_script, payment_fact, payment_script
from writ.domains.retail.scope import ITEMS, Hit
from writ.domains.retail.templates import say, voiced
from writ.domains.retail.wishes.base import RetailKind, ask_facts, asking, require_open, told_money
from writ.domains.retail.wishes.inversion import narrowed_swaps, near_swaps
from writ.domains.retail.wishes.references import references_to
from writ.domains.retail.wishes.swaps import EXCHANGE, MODIFY, SWAP_KIND_OF, Swapped, swap_calls
from writ.domains.retail.words import money, product_words
from writ.schema import Candidate, Distractor, Fact, Wish


class Saving(NamedTuple):
    """An item, its cheapest available variant, and what the move saves in dollars."""

    hit: Hit
    variant: Json
    amount: float
    tied: bool
    """Two variants are the cheapest."""


def saving(hit: Hit, product: Json) -> Saving | None:
    """None where no available variant costs less than the item did."""
    variants = [v for v in product["variants"].values() if v["available"] and v["item_id"] != hit.item["item_id"]]
    lowest = min((v["price"] for v in variants), default=hit.item["price"])
    if lowest >= hit.item["price"]:
        return None
    cheapest = [v for v in variants if v["price"] == lowest]
    return Saving(hit, cheapest[0], round(hit.item["price"] - lowest, 2), len(cheapest) > 1)


class SaveKind(RetailKind):
    """Slots: order (a reference to one order or, by `each`, several), pick (`one` or `each`), payment (a reference), ask."""

    tool: ClassVar[str]
    status: ClassVar[str]

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        _, orders = account(world, user_id)
        due = [order for order in orders if order["status"] == self.status]
        rng.shuffle(due)
        for order in due[:2]:
            ids = {"by": "ids", "ids": [order["order_id"]]}
            for ref in (ids, *references_to(order, orders, world, rng, self.status)):
                yield from self._of(ref, [order], world, rng)
        scope = [order for order in orders if order["status"].startswith(self.status)]
        if len(scope) == len(due) > 1:
            yield from self._of({"by": "all", "status": self.status, "each": True}, due, world, rng)

    def _of(self, ref: Json, orders: list[Json], world: Environment, rng: Random) -> Iterator[Wish]:
        hits = [Hit(order, item) for order in orders for item in order["items"]]
        savings = [found for hit in hits if (found := saving(hit, product_of(world, hit.item["product_id"])))]
        ask = {"ask": ["difference"]} if rng.random() < 0.2 else {}
        slots = {"order": ref, "payment": {"by": "original"}}
        amounts = sorted((found.amount for found in savings), reverse=True)
        if len(amounts) > 1 and amounts[0] > amounts[1]:
            yield Wish(kind=self.name, slots={**slots, "pick": "one"} | ask)
        if savings and not any(found.tied for found in savings) and self._listable(savings):
            yield Wish(kind=self.name, slots={**slots, "pick": "each"})

    def _listable(self, savings: list[Saving]) -> bool:
        """Whether the end state does not depend on the order in which items are listed (see swaps.py), nor on equal ones."""
        items = [(found.hit.order["order_id"], found.hit.item["item_id"]) for found in savings]
        orders = [order_id for order_id, _ in items]
        return len(set(items)) == len(items) and (self.tool == EXCHANGE or len(set(orders)) == len(orders))

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        scope = {"one": "just one item", "each": "every item"}[wish.slots["pick"]]
        return (
            *order_facts(wish.slots["order"]),
            Fact(name="pick", value=wish.slots["pick"], text=scope),
            Fact(name="best", value="lowest", text="cheapest available version"),
            *ask_facts(wish),
            *payment_fact(wish.slots["payment"]),
        )

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        found = yield from find_orders(wish.slots["order"], user_id, book)
        hits = [Hit(order, item) for order in found.orders for item in order["items"]]
        require_open(self.tool, hits)
        savings: list[Saving] = []
        for hit in hits:
            possible = saving(hit, (yield from book.product(hit.item["product_id"])))
            if possible:
                savings.append(possible)
        ranked = sorted(savings, key=lambda found: found.amount, reverse=True)
        one = wish.slots["pick"] == "one"
        _note(hits, ranked, one, book)
        chosen = _chosen(ranked, one)
        calls = yield from swap_calls(self.tool, [Swapped(found.hit, Choice(found.variant)) for found in chosen], wish, user_id, book)
        return Outcome(
            calls=calls,
            told=told_money(wish, difference=round(sum(found.amount for found in chosen), 2)),
            criterion="largest saving" if one else "any saving",
            candidates=(*found.candidates, *_candidates(hits, ranked, chosen)),
            margin=round(ranked[0].amount - ranked[1].amount, 2) if one and len(ranked) > 1 else None,
        )

    def request(self, wish: Wish, rng: Random) -> str:
        place = say(rng, "place", {"order": order_phrase(wish.slots["order"], rng)})
        return voiced(rng, f"save_{wish.slots['pick']}", {"place": place}) + asking(wish, rng)

    def story(self, wish: Wish) -> str:
        where, ask = order_script(wish.slots["order"]), " Ask for the price difference." if wish.slots.get("ask") else ""
        which = {
            "one": "just one item: the one where moving to its cheapest available version saves you most compared with what you paid",
            "each": "every item that is available in a cheaper version, each to its cheapest available version",
        }[wish.slots["pick"]]
        return f"In {where}, you want to swap {which}. For the price difference: {payment_script(wish.slots['payment'])}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        slots = narrowed_swaps(outcome.calls, wish.slots["payment"], world)
        ask = {"ask": wish.slots["ask"]} if "ask" in wish.slots else {}
        return Wish(kind=SWAP_KIND_OF[self.tool], slots=slots | ask) if slots else None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        return near_swaps(outcome, user_id, world)


def _note(hits: list[Hit], ranked: list[Saving], one: bool, book: Book) -> None:
    """Catalogs that could change what is chosen. No version is cheaper than free, so an item of less value than the best saving cannot win."""
    best = ranked[0].amount if one and ranked else 0.0
    for hit in hits:
        if hit.item["price"] >= best:
            book.rival(f"a version of the {hit.item['name']} saves more or less", product_call(hit.item["product_id"]))


def _chosen(ranked: list[Saving], one: bool) -> list[Saving]:
    """Raises: Decline where nothing saves, or two save the same."""
    if not ranked:
        raise Decline("not_found", "a cheaper version", "cheaper")
    if (one and len(ranked) > 1 and ranked[0].amount == ranked[1].amount) or any(found.tied for found in ranked[: 1 if one else None]):
        raise Decline("ambiguous", "the cheapest version", "cheapest")
    return ranked[:1] if one else sorted(ranked, key=lambda found: (found.hit.order["order_id"], found.hit.item["item_id"]))


def _candidates(hits: list[Hit], ranked: list[Saving], chosen: list[Saving]) -> tuple[Candidate, ...]:
    saving_of = {(found.hit.order["order_id"], found.hit.item["item_id"]) for found in ranked}
    best_first = sorted(ranked, key=lambda found: (found not in chosen, -found.amount))
    out = [hit for hit in hits if (hit.order["order_id"], hit.item["item_id"]) not in saving_of]
    return (*(_candidate(found.hit, found, ranked, chosen) for found in best_first), *(_candidate(hit, None, ranked, chosen) for hit in out))


def _candidate(hit: Hit, found: Saving | None, ranked: list[Saving], chosen: list[Saving]) -> Candidate:
    label = f"{hit.order['order_id']}: {product_words(hit.item['name'])} {hit.item['item_id']}"
    if found is None:
        values = {"price": money(hit.item["price"])}
        return Candidate(label=label, values=values, status="excluded", why="no cheaper version is available", choice=ITEMS)
    values = {"saving": money(found.amount), "price": money(hit.item["price"]), "cheapest version": money(found.variant["price"])}
    if found in chosen:
        why = "has the largest saving" if len(chosen) == 1 else "can be had for less"
        return Candidate(label=label, values=values, status="winner", why=why, choice=ITEMS)
    return Candidate(label=label, values=values, status="runner_up" if ranked.index(found) == 1 else "eligible", choice=ITEMS)


class SaveOnDelivered(SaveKind):
    name = "exchange_for_less"
    tools: ClassVar[tuple[str, ...]] = (EXCHANGE,)
    tool = EXCHANGE
    status = "delivered"


class SaveOnPending(SaveKind):
    name = "change_for_less"
    tools: ClassVar[tuple[str, ...]] = (MODIFY,)
    tool = MODIFY
    status = "pending"
