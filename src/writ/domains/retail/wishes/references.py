"""Making references by inversion: from an order that is meant to words that mean it and no other."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from writ.domains.base import Outcome
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Json, account, product_of
from writ.domains.retail.orders import fits, holds, matches, total_of
from writ.domains.retail.words import product_words


def names_of(order: Json) -> tuple[str, ...]:
    """Texts any one of which names the order: its id, or a product in it."""
    return (order["order_id"], *(product_words(item["name"]) for item in order["items"]))


def near_orders(outcome: Outcome, user_id: str, world: Environment, status: str) -> list[Json]:
    """Up to two other orders of the user on which the same write would go through."""
    meant = {call.arguments.get("order_id") for call in outcome.calls}
    _, orders = account(world, user_id)
    return [order for order in orders if order["status"] == status and order["order_id"] not in meant][:2]


class Reference(NamedTuple):
    """Words for orders, and the orders that they mean."""

    ref: Json
    orders: tuple[Json, ...]


def order_references(orders: list[Json], world: Environment, rng: Random, *, status: str, each: bool) -> Iterator[Reference]:
    """References to orders of that status, from narrow (an id) to wide (all that an account and the catalog hold).

    `each`: rules over all orders of the status too.
    """
    due = [order for order in orders if order["status"] == status]
    if not due:
        return
    rng.shuffle(due)
    yield Reference({"by": "ids", "ids": [due[0]["order_id"]]}, (due[0],))
    if each and len(due) > 1:
        yield Reference({"by": "ids", "ids": [order["order_id"] for order in due[:2]]}, tuple(due[:2]))
    for order in due[:2]:
        for ref in references_to(order, orders, world, rng, status):
            yield Reference(ref, (order,))
    if each:
        scope = [order for order in orders if order["status"].startswith(status)]
        yield from _rules(due, scope, rng, status)
        yield from _stock_rules(due, scope, world, status)


def references_to(order: Json, orders: list[Json], world: Environment, rng: Random, status: str) -> Iterator[Json]:
    """References that mean this order and no other: by content, total, place, stock."""
    content = by_content(order, orders, rng, status)
    if content:
        yield content
    scope = [other for other in orders if other["status"].startswith(status)]
    if len(scope) < 2:
        return
    totals = [total_of(other) for other in scope if other is not order]
    if total_of(order) > max(totals) or total_of(order) < min(totals):
        yield {"by": "total", "which": "highest" if total_of(order) > max(totals) else "lowest", "status": status}
    if [other["address"]["city"] for other in scope].count(order["address"]["city"]) == 1:
        yield {"by": "city", "city": order["address"]["city"], "status": status}
    gone = sold_out(order, world)
    if all(sold_out(other, world) != gone for other in scope if other is not order):
        yield {"by": "stock", "sold_out": gone, "status": status}


def by_content(order: Json, orders: list[Json], rng: Random, status: str = "") -> Json | None:
    """The fewest items, with as few options as it takes, that set the order apart; None where nothing does.

    At random the status is left out of the words, where they mean no order of another status.
    """
    items = rng.sample(order["items"], len(order["items"]))
    scopes = ([""] if rng.random() < 0.5 else []) + [status]
    for scope in scopes:
        rivals = [other for other in orders if other is not order and other["status"].startswith(scope)]
        for refs in _descriptions(items, rng):
            if not any(all(holds(rival, ref) for ref in refs) for rival in rivals):
                return {"by": "content", "items": refs} | ({"status": scope} if scope else {})
    return None


def _descriptions(items: list[Json], rng: Random) -> Iterator[list[Json]]:
    if len(items) > 1 and rng.random() < 0.3:
        yield _by_names(items[:2])
    for item in items[:3]:
        yield [{"product": item["name"]}]
    for item in items[:3]:
        key = rng.choice(sorted(item["options"]))
        yield [{"product": item["name"], "options": {key: item["options"][key]}}]
    yield _by_names(items)


def _by_names(items: list[Json]) -> list[Json]:
    return [{"product": name} for name in dict.fromkeys(item["name"] for item in items)]


def _rules(due: list[Json], scope: list[Json], rng: Random, status: str) -> Iterator[Reference]:
    """Every order of the status that has some property; only where none of them is blocked."""
    item = rng.choice(due[0]["items"])
    rules: list[Json] = [
        {"by": "all"},
        {"by": "content", "items": [{"product": item["name"]}]},
        {"by": rng.choice(("above", "below")), "amount": _limit(due, rng)},
        {"by": "city", "city": due[0]["address"]["city"]},
    ]
    for rule in rules:
        matched = [order for order in scope if matches(order, rule)]
        if matched and all(order["status"] == status for order in matched):
            yield Reference({**rule, "status": status, "each": True}, tuple(matched))


def _limit(orders: list[Json], rng: Random) -> float:
    """A round amount near the totals, so that it parts them where they differ."""
    total = total_of(rng.choice(orders))
    step = 50 if total < 500 else 100
    return max(float(step), round(total / step) * step + rng.choice((-step, 0)))


def _stock_rules(due: list[Json], scope: list[Json], world: Environment, status: str) -> Iterator[Reference]:
    """Every order with something out of stock, or with all in stock: the widest rules there are; only where none is blocked."""
    for gone in (True, False):
        matched = [order for order in scope if sold_out(order, world) == gone]
        if matched and all(order["status"] == status for order in matched):
            yield Reference({"by": "stock", "sold_out": gone, "status": status, "each": True}, tuple(matched))


def sold_out(order: Json, world: Environment) -> bool:
    return any(not in_stock(item, world) for item in order["items"])


def in_stock(item: Json, world: Environment) -> bool:
    variant = product_of(world, item["product_id"])["variants"].get(item["item_id"])
    return variant is not None and bool(variant["available"])


def item_reference(item: Json, order: Json, rng: Random) -> Json | None:
    """Words for one item of an order: its product, and an option where the order holds several; None where nothing tells them apart."""
    refs: list[Json] = [{"product": item["name"]}]
    refs += [{"product": item["name"], "options": {key: value}} for key, value in rng.sample(sorted(item["options"].items()), len(item["options"]))]
    refs.append({"product": item["name"], "options": dict(item["options"])})
    for ref in refs:
        if sum(fits(other, ref) for other in order["items"]) == 1:
            return ref
    return None


def count_of(ref: Json, orders: list[Json]) -> int:
    """How many items of the orders the reference fits."""
    return sum(fits(item, ref) for order in orders for item in order["items"])
