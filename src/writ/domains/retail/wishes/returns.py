"""Returning delivered items."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.arguments import find_payment
from writ.domains.retail.evidence_book import Book, Decline, Json, account, item_call, product_call
from writ.domains.retail.orders import find_orders
from writ.domains.retail.payments import reference_to
from writ.domains.retail.phrases import item_fact, order_facts, order_phrase, order_script, payment_fact, payment_script
from writ.domains.retail.scope import ITEMS, Hit, locate
from writ.domains.retail.templates import say, voiced
from writ.domains.retail.wishes.base import RetailKind, ask_facts, asking, permitted, require_open, said_of, told_money
from writ.domains.retail.wishes.inversion import named
from writ.domains.retail.wishes.references import count_of, in_stock, item_reference, references_to
from writ.domains.retail.words import item_words, money, plain_money, product_words
from writ.domains.wording import listed
from writ.schema import Call, Candidate, Distractor, Fact, Wish

RETURN = "return_delivered_order_items"


class ReturnItems(RetailKind):
    """Slots: order (an order reference or `whichever`), items, payment (a reference), ask.

    `items` is `by`: `named` (items: references), `all`, `above` or `below` (amount in dollars, of the item's price), or `stock` (out of stock now).
    """

    name = "return_items"
    tools: ClassVar[tuple[str, ...]] = (RETURN,)

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        user, orders = account(world, user_id)
        due = [order for order in orders if order["status"] == "delivered"]
        rng.shuffle(due)
        for order in due[:2]:
            refs: list[Json] = [{"by": "ids", "ids": [order["order_id"]]}, *references_to(order, orders, world, rng, "delivered")]
            for ref in refs:
                yield self._wish(ref, _items_in(order, world, rng), user, rng)
        if not due:
            return
        scope = [order for order in orders if order["status"].startswith("delivered")]
        told = [item_reference(rng.choice(order["items"]), order, rng) for order in due]
        anywhere = [words for words in told if words and count_of(words, scope) == 1]
        if anywhere:
            yield self._wish({"by": "whichever", "status": "delivered"}, {"by": "named", "items": anywhere}, user, rng)
        everything: Json = {"by": "all", "status": "delivered", "each": True}
        prices = sorted(item["price"] for order in due for item in order["items"])
        for price in {prices[-1], prices[len(prices) // 2]}:
            yield self._wish(everything, {"by": "above", "amount": float(price // 10 * 10)}, user, rng)
        yield self._wish(everything, {"by": "below", "amount": float(prices[0] // 10 * 10 + 10)}, user, rng)
        if any(not in_stock(item, world) for order in due for item in order["items"]):
            yield self._wish(everything, {"by": "stock"}, user, rng)

    def _wish(self, order: Json, items: Json, user: Json, rng: Random) -> Wish:
        methods = list(user["payment_methods"].values())
        cards = [method for method in methods if method["source"] == "gift_card"]
        payment: Json = reference_to(cards[0]) if cards and rng.random() < 0.4 else {"by": "original"}
        ask = {"ask": ["refund"]} if rng.random() < 0.3 else {}
        return Wish(kind=self.name, slots={"order": order, "items": items, "payment": payment} | ask)

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        order, items = wish.slots["order"], wish.slots["items"]
        facts = order_facts(order) if order["by"] != "whichever" else ()
        return (*facts, *_item_facts(items), *ask_facts(wish), *payment_fact(wish.slots["payment"]))

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        order_ref, items = wish.slots["order"], wish.slots["items"]
        if items["by"] == "named":
            located = yield from locate(order_ref, items["items"], user_id, book)
            hits = [hit for group in located.hits for hit in group]
            require_open(RETURN, hits)
            found = located.found
        else:
            found = yield from find_orders(order_ref, user_id, book)
            everything = [Hit(order, item) for order in found.orders for item in order["items"]]
            require_open(RETURN, everything)
            hits = yield from _meant(items, everything, book)
        calls = yield from self._calls(wish, hits, user_id, book)
        refund = round(sum(hit.item["price"] for hit in hits), 2)
        return Outcome(
            calls=calls,
            told=told_money(wish, refund=refund),
            criterion=found.criterion,
            candidates=(*found.candidates, *_candidates(items, hits, found.orders)),
            margin=found.margin,
        )

    def _calls(self, wish: Wish, hits: list[Hit], user_id: str, book: Book) -> Reads[tuple[Call, ...]]:
        by_order: dict[str, list[Hit]] = {}
        for hit in hits:
            by_order.setdefault(hit.order["order_id"], []).append(hit)
        calls: list[Call] = []
        for order_id, group in by_order.items():
            method = yield from find_payment(wish.slots["payment"], group[0].order, user_id, book)
            arguments = {"order_id": order_id, "item_ids": [hit.item["item_id"] for hit in group], "payment_method_id": method}
            call = Call(name=RETURN, arguments=arguments)
            names = tuple(product_words(hit.item["name"]) for hit in group)
            yield from permitted(call, f"order {order_id}", (order_id, *names), said_of(wish, user_id), book)
            calls.append(call)
        return tuple(calls)

    def request(self, wish: Wish, rng: Random) -> str:
        order, items = wish.slots["order"], wish.slots["items"]
        slots: Json = {"items": "", "place": "", "side": "", "amount": ""}
        if order["by"] != "whichever":
            slots["place"] = say(rng, "place", {"order": order_phrase(order, rng)})
        if items["by"] == "named":
            slots["items"] = listed(item_words(ref) for ref in items["items"])
        if items["by"] in ("above", "below"):
            slots |= {"side": "more than" if items["by"] == "above" else "less than", "amount": plain_money(items["amount"])}
        named = "return_items" if slots["place"] else "return_anywhere"
        template = {"named": named, "all": "return_all", "stock": "return_stock"}.get(items["by"], "return_priced")
        return voiced(rng, template, slots) + asking(wish, rng)

    def story(self, wish: Wish) -> str:
        order, items = wish.slots["order"], wish.slots["items"]
        place = "(you received it, and do not say in which order)" if order["by"] == "whichever" else f"from {order_script(order)}"
        what = {
            "all": "everything",
            "stock": "every item that is out of stock in the store now",
            "named": f"the {listed(item_words(ref) for ref in items.get('items', ()))}",
        }.get(items["by"]) or f"each item that cost {'more' if items['by'] == 'above' else 'less'} than {plain_money(items['amount'])}"
        ask = " Ask for the total refund." if wish.slots.get("ask") else ""
        return f"You want to return {what} {place}. The refund should go to {payment_script(wish.slots['payment'])}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        words = named(outcome.calls, world) if outcome.calls else None
        if words is None:
            return None
        payment = {"by": "original"} if words.original else wish.slots["payment"]
        return Wish(kind=self.name, slots={**wish.slots, "order": words.order, "items": {"by": "named", "items": words.items}, "payment": payment})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        first, *rest = outcome.calls
        item_ids = first.arguments["item_ids"]
        order = world.state.get("orders", first.arguments["order_id"]) or {}
        extra = next((item["item_id"] for item in order["items"] if item["item_id"] not in item_ids), None)
        if extra:
            more = {**first.arguments, "item_ids": [*item_ids, extra]}
            yield Distractor(mistake="an item too many", calls=(Call(name=RETURN, arguments=more), *rest))
            other = {**first.arguments, "item_ids": [*item_ids[1:], extra]}
            yield Distractor(mistake="another item of the order", calls=(Call(name=RETURN, arguments=other), *rest))
        if len(item_ids) > 1:
            fewer = {**first.arguments, "item_ids": item_ids[1:]}
            yield Distractor(mistake="one of the items meant is left out", calls=(Call(name=RETURN, arguments=fewer), *rest))
        if rest:
            yield Distractor(mistake="one of the orders meant is left out", calls=tuple(rest))
        for method in _refundable(order, account(world, user_id)[0]):
            if method != first.arguments["payment_method_id"]:
                yield Distractor(
                    mistake=f"a refund to {method}", calls=(Call(name=RETURN, arguments={**first.arguments, "payment_method_id": method}), *rest)
                )

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return say(rng, "refund_elsewhere")


def _items_in(order: Json, world: Environment, rng: Random) -> Json:
    """All items, one or some named ones, those above a price, or those out of stock."""
    refs = [ref for item in order["items"] if (ref := item_reference(item, order, rng))]
    prices = sorted(item["price"] for item in order["items"])
    chance = rng.random()
    if chance < 0.5 and refs:
        return {"by": "named", "items": rng.sample(refs, rng.randint(1, len(refs)))}
    if chance < 0.7 and len(prices) > 1:
        return {"by": "above", "amount": float(prices[len(prices) // 2] // 10 * 10)}
    if chance < 0.85 and any(not in_stock(item, world) for item in order["items"]):
        return {"by": "stock"}
    if len(order["items"]) > 1 and chance < 0.93:
        return {"by": "named", "items": [{"which": rng.choice(("highest", "lowest"))}]}
    return {"by": "all"}


def _item_facts(items: Json) -> tuple[Fact, ...]:
    match items["by"]:
        case "named":
            return tuple(item_fact(ref) for ref in items["items"])
        case "above" | "below":
            words = plain_money(items["amount"])
            return (Fact(name="price", value=items["amount"], text=words, wrong=plain_money(items["amount"] + 25)),)
        case "stock":
            return (Fact(name="stock", value=True, text="out of stock"),)
        case _:
            return ()


def _meant(items: Json, hits: list[Hit], book: Book) -> Reads[list[Hit]]:
    """Items of the orders in scope that the rule means. Raises: Decline where nothing is meant."""
    meant: list[Hit] = []
    for hit in hits:
        if items["by"] == "stock":
            product = yield from book.product(hit.item["product_id"])
            book.rival(f"the {hit.item['name']}'s stock is otherwise", product_call(hit.item["product_id"]), item_call(hit.item["item_id"]))
            variant = product["variants"].get(hit.item["item_id"])
            if variant is None or not variant["available"]:
                meant.append(hit)
        elif items["by"] == "all" or (hit.item["price"] > items["amount"]) == (items["by"] == "above"):
            meant.append(hit)
    if not meant:
        raise Decline("not_found", "an item like that", "item")
    return meant


def _candidates(items: Json, hits: list[Hit], orders: tuple[Json, ...]) -> tuple[Candidate, ...]:
    """Per item whether a rule means it; empty where items are named."""
    if items["by"] in ("named", "all"):
        return ()
    meant = {(hit.order["order_id"], hit.item["item_id"]) for hit in hits}
    candidates = [
        Candidate(
            label=f"{order['order_id']}: {item['name']} {item['item_id']}",
            values={"price": money(item["price"])},
            status="winner" if (order["order_id"], item["item_id"]) in meant else "excluded",
            why=_reason(items, item, (order["order_id"], item["item_id"]) in meant),
            choice=ITEMS,
        )
        for order in orders
        for item in order["items"]
    ]
    return tuple(sorted(candidates, key=lambda candidate: candidate.status == "excluded"))


def _reason(items: Json, item: Json, meant: bool) -> str:
    """Why a rule means the item, or does not."""
    if items["by"] == "stock":
        return "is out of stock now" if meant else "is available"
    return f"{money(item['price'])} is {'' if meant else 'not '}{items['by']} {plain_money(items['amount'])}"


def _refundable(order: Json, user: Json) -> list[str]:
    """Methods that a refund may go to."""
    original = order["payment_history"][0]["payment_method_id"]
    return [method for method, record in user["payment_methods"].items() if method == original or record["source"] == "gift_card"]
