"""Making swaps by inversion: from an item and the variant it becomes to words that fix it, and to the near misses around it."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from writ.domains.base import Outcome
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Decline, Json, account, product_of
from writ.domains.retail.items import choose
from writ.domains.retail.orders import paid_with
from writ.domains.retail.payments import reference_to
from writ.domains.retail.wishes.references import count_of, item_reference, references_to
from writ.schema import Call, Distractor

_WIDEST = 6
"""Most changes in one wish."""


class Change(NamedTuple):
    """One item of an order, the words for it, and the words for what takes its place."""

    order: Json
    item: Json
    ref: Json
    new: Json


def swap_wishes(world: Environment, user_id: str, rng: Random, *, status: str, single: bool) -> Iterator[Json]:
    """Slots of swap wishes, from one change in a named order to many wherever they are. `single`: one change per order."""
    user, orders = account(world, user_id)
    due = [order for order in orders if order["status"] == status]
    rng.shuffle(due)
    for order in due[:2]:
        changes = _changes(order, world, rng)
        if not changes:
            continue
        yield _slots({"by": "ids", "ids": [order["order_id"]]}, changes[:1], user, rng)
        references = list(references_to(order, orders, world, rng, status))
        for size in [1, 1] if single else range(1, min(len(changes), _WIDEST) + 1):
            if references:
                yield _slots(rng.choice(references), rng.sample(changes, size), user, rng)
    yield from _anywhere(due, orders, world, user, rng, status=status, single=single)


def _anywhere(due: list[Json], orders: list[Json], world: Environment, user: Json, rng: Random, *, status: str, single: bool) -> Iterator[Json]:
    """Changes of items whose order the user does not name: each must stand once in all orders of the status."""
    scope = [order for order in orders if order["status"].startswith(status)]
    changes: list[Change] = []
    for order in due:
        alone = [change for change in _changes(order, world, rng) if count_of(change.ref, scope) == 1]
        changes += alone[:1] if single else alone
    for size in range(1, min(len(changes), _WIDEST) + 1):
        chosen = rng.sample(changes, size)
        yield _slots({"by": "whichever", "status": status}, sorted(chosen, key=lambda change: change.order["order_id"]), user, rng)


def _slots(order_ref: Json, changes: list[Change], user: Json, rng: Random) -> Json:
    payment: Json = {"by": "original"}
    if rng.random() < 0.4:
        payment = reference_to(rng.choice(list(user["payment_methods"].values())))
    orders = {change.order["order_id"] for change in changes}
    ask = {"ask": ["difference"]} if len(orders) == 1 and rng.random() < 0.25 else {}
    return {"order": order_ref, "changes": [{"item": change.ref, "new": change.new} for change in changes], "payment": payment} | ask


def _changes(order: Json, world: Environment, rng: Random) -> list[Change]:
    """A change for each item that words can single out, in random order; not twice of one product, since that reads like one wish said twice."""
    changes: dict[str, Change] = {}
    for item in rng.sample(order["items"], len(order["items"])):
        ref = item_reference(item, order, rng)
        new = new_item(item, world, rng)
        if ref and new:
            changes.setdefault(item["name"], Change(order, item, ref, new))
    several = list(_several(order, changes, world, rng))
    return [*changes.values(), *several]


def _several(order: Json, changes: dict[str, Change], world: Environment, rng: Random) -> Iterator[Change]:
    """One swap for all items of a product that an order holds more than once, where they all become the same variant; in place of a single one."""
    names = [item["name"] for item in order["items"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        items = [item for item in order["items"] if item["name"] == name]
        product = product_of(world, items[0]["product_id"])
        gold = rng.choice(list(product["variants"].values()))
        new = _superlative(gold, rng)
        if len(_meant(new, items, product)) == 1:
            changes.pop(name, None)
            yield Change(order, items[0], {"product": name, "each": True}, new)


def _meant(new: Json, items: list[Json], product: Json) -> set[str]:
    """Ids of the variants that the words give these items; empty where they give one of them none."""
    try:
        return {choose(new, new["options"], item, product).variant["item_id"] for item in items}
    except Decline:
        return set()


def new_item(item: Json, world: Environment, rng: Random) -> Json | None:
    """Words that fix an available variant in place of the item: exact, or cheapest or dearest under some options; None where there is none."""
    product = product_of(world, item["product_id"])
    eligible = [variant for variant in product["variants"].values() if variant["available"] and variant["item_id"] != item["item_id"]]
    if not eligible:
        return None
    gold = rng.choice(eligible)
    return _superlative(gold, rng) if rng.random() < 0.5 else exact(gold, item, eligible, rng)


def exact(gold: Json, item: Json, eligible: list[Json], rng: Random) -> Json:
    """What differs, where it is little; else the fewest options that no other available variant has."""
    differing = {key: value for key, value in gold["options"].items() if item["options"].get(key) != value}
    if len(differing) <= 2 and item["options"].keys() == gold["options"].keys():
        return {"options": differing, "rest": "same", "best": ""}
    keys = rng.sample(sorted(gold["options"]), len(gold["options"]))
    for size in range(1, len(keys) + 1):
        options = {key: gold["options"][key] for key in keys[:size]}
        if sum(options.items() <= variant["options"].items() for variant in eligible) == 1:
            return {"options": options, "rest": "any", "best": ""}
    return {"options": dict(gold["options"]), "rest": "any", "best": ""}


def _superlative(gold: Json, rng: Random) -> Json:
    """The cheapest or dearest one among those that share up to two options with `gold`."""
    keys = rng.sample(sorted(gold["options"]), min(len(gold["options"]), rng.randint(0, 2)))
    return {"options": {key: gold["options"][key] for key in keys}, "rest": "any", "best": rng.choice(("lowest", "highest"))}


class Named(NamedTuple):
    """The least that has to be looked up to understand some calls: their orders by id, their items by product and options."""

    order: Json
    items: list[Json]
    original: bool
    """Each call uses the payment method that its order was paid with."""


def named(calls: Sequence[Call], world: Environment) -> Named | None:
    """Words for the orders and items of the calls; None where no words tell the items apart."""
    orders = {call.arguments["order_id"]: world.state.get("orders", call.arguments["order_id"]) or {"items": []} for call in calls}
    together: Json = {"items": [item for order in orders.values() for item in order["items"]]}
    refs: list[Json] = []
    for call in calls:
        items = {item["item_id"]: item for item in orders[call.arguments["order_id"]]["items"]}
        told = [item_reference(items[item_id], together, Random(0)) for item_id in call.arguments["item_ids"]]
        refs += [ref for ref in told if ref]
        if len(told) != len([ref for ref in told if ref]):
            return None
    original = all(paid_with(orders[call.arguments["order_id"]]) == call.arguments["payment_method_id"] for call in calls)
    return Named({"by": "ids", "ids": list(orders)}, refs, original)


def narrowed_swaps(calls: Sequence[Call], payment: Json, world: Environment) -> Json | None:
    """Slots that tell the swaps exactly: each new item by all its options. None where no words do."""
    words = named(calls, world) if calls else None
    if words is None:
        return None
    pairs = [pair for call in calls for pair in zip(call.arguments["item_ids"], call.arguments["new_item_ids"], strict=True)]
    products = _products_of(calls, world)
    options = [product_of(world, products[old])["variants"][new]["options"] for old, new in pairs]
    new = [{"options": dict(fixed), "rest": "any", "best": ""} for fixed in options]
    changes = [{"item": item, "new": wanted} for item, wanted in zip(words.items, new, strict=True)]
    return {"order": words.order, "changes": changes, "payment": {"by": "original"} if words.original else payment}


def _products_of(calls: Sequence[Call], world: Environment) -> dict[str, str]:
    """Product id by item id, over the orders of the calls."""
    orders = [world.state.get("orders", call.arguments["order_id"]) or {"items": []} for call in calls]
    return {item["item_id"]: item["product_id"] for order in orders for item in order["items"]}


def near_swaps(outcome: Outcome, user_id: str, world: Environment) -> Iterator[Distractor]:
    """Other variants for the first swap, a swap left out, another payment method: each as the tool would take it."""
    first, *rest = outcome.calls
    user, _ = account(world, user_id)
    order = world.state.get("orders", first.arguments["order_id"]) or {}
    item = next(item for item in order["items"] if item["item_id"] == first.arguments["item_ids"][0])
    for variant in _nearest(item, first.arguments["new_item_ids"], world):
        arguments = {**first.arguments, "new_item_ids": [variant["item_id"], *first.arguments["new_item_ids"][1:]]}
        if _affordable(arguments, order, user, world):
            yield Distractor(mistake=f"another variant, {variant['item_id']}", calls=(Call(name=first.name, arguments=arguments), *rest))
    if len(first.arguments["item_ids"]) > 1:
        fewer = {**first.arguments, "item_ids": first.arguments["item_ids"][1:], "new_item_ids": first.arguments["new_item_ids"][1:]}
        if _affordable(fewer, order, user, world):
            yield Distractor(mistake="one of the items meant is left out", calls=(Call(name=first.name, arguments=fewer), *rest))
    if rest:
        yield Distractor(mistake="one of the orders meant is left out", calls=tuple(rest))
    for method in user["payment_methods"]:
        arguments = {**first.arguments, "payment_method_id": method}
        if method != first.arguments["payment_method_id"] and _affordable(arguments, order, user, world):
            yield Distractor(mistake=f"another payment method, {method}", calls=(Call(name=first.name, arguments=arguments), *rest))
            return


def _nearest(item: Json, new_ids: list[str], world: Environment) -> list[Json]:
    """Up to two available variants closest in price to the right one."""
    variants = product_of(world, item["product_id"])["variants"]
    right = variants[new_ids[0]]["price"]
    others = [v for v in variants.values() if v["available"] and v["item_id"] not in (item["item_id"], *new_ids)]
    return sorted(others, key=lambda variant: float(abs(variant["price"] - right)))[:2]


def _affordable(arguments: Json, order: Json, user: Json, world: Environment) -> bool:
    """Whether the payment method covers the difference."""
    balance = user["payment_methods"][arguments["payment_method_id"]].get("balance", float("inf"))
    items = {item["item_id"]: item for item in order["items"]}
    difference = 0.0
    for old_id, new_id in zip(arguments["item_ids"], arguments["new_item_ids"], strict=True):
        difference += product_of(world, items[old_id]["product_id"])["variants"][new_id]["price"] - items[old_id]["price"]
    return bool(balance >= difference)
