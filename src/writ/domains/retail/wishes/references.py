"""Making references by inversion: from an order that is meant to words that mean it and no other."""

from collections.abc import Iterator
from random import Random

from writ.domains.base import Outcome
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Json, account, product_of
from writ.domains.retail.orders import fits, holds, matches, of_status, total_of
from writ.domains.retail.payments import reference_to
from writ.domains.retail.words import product_words


def names_of(order: Json) -> tuple[str, ...]:
    """Texts any one of which names the order: its id, or a product in it."""
    return (order["order_id"], *(product_words(item["name"]) for item in order["items"]))


def near_orders(outcome: Outcome, user_id: str, world: Environment, status: str) -> list[Json]:
    """Up to two other orders of the user on which the same write would go through."""
    meant = {call.arguments.get("order_id") for call in outcome.calls}
    _, orders = account(world, user_id)
    return [order for order in orders if order["status"] == status and order["order_id"] not in meant][:2]


def order_references(orders: list[Json], world: Environment, rng: Random, *, status: str, each: bool) -> Iterator[Json]:
    """References to orders of that status, from narrow (an id) to wide (all that an account and the catalog hold)."""
    due = [order for order in orders if order["status"] == status]
    if not due:
        return
    rng.shuffle(due)
    yield {"by": "ids", "ids": [due[0]["order_id"]]}
    for order in due[:2]:
        ref = by_content(order, orders, rng, status)
        if ref:
            yield ref
    yield from _unique(due, orders, rng, status)
    if each:
        yield from _rules(due, orders, world, rng, status)
    yield from by_stock(due, world, status, each)


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


def _unique(due: list[Json], orders: list[Json], rng: Random, status: str) -> Iterator[Json]:
    """One order by its total or its destination."""
    totals = sorted(total_of(order) for order in due)
    if len(totals) > 1:
        which = rng.choice(("highest", "lowest"))
        first, second = (totals[-1], totals[-2]) if which == "highest" else (totals[0], totals[1])
        if first != second:
            yield {"by": "total", "which": which, "status": status}
    scope = [order for order in orders if order["status"].startswith(status)]
    cities = [order["address"]["city"] for order in scope]
    for order in due:
        if len(cities) > 1 and cities.count(order["address"]["city"]) == 1:
            yield {"by": "city", "city": order["address"]["city"], "status": status}
            return


def _rules(due: list[Json], orders: list[Json], world: Environment, rng: Random, status: str) -> Iterator[Json]:
    """Every order of the status that has some property; only where none of them is blocked."""
    scope = [order for order in orders if order["status"].startswith(status)]
    if len(scope) == len(due):
        yield {"by": "all", "status": status, "each": True}
    item = rng.choice(due[0]["items"])
    limit = _limit(due, rng)
    user = world.state.get("users", due[0]["user_id"])
    method = user["payment_methods"].get(due[0]["payment_history"][0]["payment_method_id"]) if user else None
    rules: list[Json] = [{"by": "content", "items": [{"product": item["name"]}]}, {"by": rng.choice(("above", "below")), "amount": limit}]
    rules.append({"by": "city", "city": due[0]["address"]["city"]})
    for rule in rules:
        matched = [order for order in scope if matches(order, rule)]
        if matched and all(order["status"] == status for order in matched):
            yield {**rule, "status": status, "each": True}
    if method and len(scope) == len(due):
        yield {"by": "paid", "payment": reference_to(method), "status": status, "each": True}


def _limit(orders: list[Json], rng: Random) -> float:
    """A round amount near the totals, so that it parts them where they differ."""
    total = total_of(rng.choice(orders))
    step = 50 if total < 500 else 100
    return max(float(step), round(total / step) * step + rng.choice((-step, 0)))


def by_stock(due: list[Json], world: Environment, status: str, each: bool) -> Iterator[Json]:
    """Orders told apart by what is in stock now: the widest reference there is."""
    gone = [order for order in due if sold_out(order, world)]
    for flag, matched in ((True, gone), (False, [order for order in due if order not in gone])):
        if len(matched) == 1 and len(due) > 1:
            yield {"by": "stock", "sold_out": flag, "status": status}
        if matched and each:
            yield {"by": "stock", "sold_out": flag, "status": status, "each": True}


def sold_out(order: Json, world: Environment) -> bool:
    return any(not _in_stock(item, world) for item in order["items"])


def _in_stock(item: Json, world: Environment) -> bool:
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


def in_scope(orders: list[Json], ref: Json) -> list[Json]:
    return [order for order in orders if of_status(order, ref)]
