"""A retail database of any size with the statistics of the benchmark's: other people, other products, ids of other lengths, same shapes.

Measured on the benchmark's 500 users and 1,000 orders: orders per user, payment methods, order statuses, items per order, variants per product
and their availability, the share of orders sent elsewhere, gift card balances. Two deliberate departures: 3 % of orders stand in states that the
benchmark only reaches by writes (modified, exchange or return requested), so that their refusals occur in fresh databases; and `deep`.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import product as combinations_of
from random import Random
from typing import Any

from writ.domains.retail.evidence_book import Json
from writ.domains.retail.places import new_address

ORDERS_PER_USER: Mapping[int, int] = {0: 62, 1: 133, 2: 141, 3: 104, 4: 37, 5: 17, 6: 4, 7: 1, 9: 1}
DEEP_ORDERS_PER_USER: Mapping[int, int] = {1: 6, 2: 12, 3: 14, 4: 16, 5: 16, 6: 14, 7: 10, 8: 7, 9: 5}
METHODS: Mapping[tuple[str, ...], int] = {
    ("gift_card",): 127,
    ("paypal",): 114,
    ("credit_card",): 96,
    ("gift_card", "paypal"): 43,
    ("credit_card", "gift_card"): 42,
    ("credit_card", "paypal"): 40,
    ("credit_card", "gift_card", "paypal"): 15,
    ("credit_card", "credit_card"): 11,
    ("credit_card", "credit_card", "paypal"): 5,
    ("credit_card", "credit_card", "gift_card", "paypal"): 5,
    ("credit_card", "credit_card", "gift_card"): 2,
}
STATUSES: Mapping[str, int] = {
    "pending": 410,
    "delivered": 361,
    "processed": 100,
    "cancelled": 100,
    "pending (item modified)": 10,
    "exchange requested": 10,
    "return requested": 9,
}
ITEMS_PER_ORDER: Mapping[int, int] = {1: 202, 2: 217, 3: 190, 4: 183, 5: 208}
AVAILABLE_SHARE = 0.64
SENT_ELSEWHERE_SHARE = 0.2
PRICE_SPREAD = 0.085
"""Variants of a product cost its price give or take this share."""

FIRST_NAMES = (
    "Alma", "Bruno", "Celia", "Dario", "Edith", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Karin", "Lars", "Mila", "Nils", "Oona", "Pavel",
    "Quinn", "Rosa", "Sven", "Tilda", "Ulric", "Vera", "Wanda", "Xavi", "Ylva", "Zeno", "Anouk", "Basil", "Clio", "Desmond",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bergstrom", "Castell", "Dubois", "Eriksen", "Fontana", "Grimaldi", "Holm", "Ibsen", "Jansen", "Kowal", "Lindqvist", "Moreau",
    "Novak", "Okafor", "Petrov", "Quist", "Ricci", "Sorensen", "Tanaka", "Ueda", "Vance", "Weiss", "Xu", "Yilmaz", "Zeller",
)  # fmt: skip


def generate(seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
    """Tables of products, users and orders. Same arguments, same bytes. `deep`: accounts hold one to nine orders, mostly three to six."""
    rng = Random(f"retail:{seed}")
    products = dict(_products(rng))
    tables: dict[str, dict[str, Any]] = {"products": products, "users": {}, "orders": {}}
    ids = _Ids(rng)
    shelf = list(products.values())
    for _ in range(users):
        user = _user(rng, ids)
        tables["users"][user["user_id"]] = user
        for _ in range(_drawn(rng, DEEP_ORDERS_PER_USER if deep else ORDERS_PER_USER)):
            order = _order(rng, ids, user, shelf)
            tables["orders"][order["order_id"]] = order
            user["orders"].append(order["order_id"])
    return tables


class _Ids:
    """Ids that occur once each."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def draw(self, prefix: str, digits: int) -> str:
        drawn = f"{prefix}{self._rng.randrange(10 ** (digits - 1), 10**digits)}"
        return drawn if self.take(drawn) else self.draw(prefix, digits)

    def take(self, value: str) -> bool:
        """False where the value was taken before."""
        fresh = value not in self._used
        self._used.add(value)
        return fresh


def _drawn(rng: Random, weights: Mapping[Any, int]) -> Any:
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def _products(rng: Random) -> Iterator[tuple[str, Json]]:
    ids = _Ids(rng)
    for line in files(__package__).joinpath("catalog.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, price, count, *options = (part.strip() for part in line.split(";"))
            product_id = ids.draw("", 11)
            variants = dict(_variants(rng, ids, float(price), int(count), options))
            yield product_id, {"name": name, "product_id": product_id, "variants": variants}


def _variants(rng: Random, ids: _Ids, price: float, count: int, options: Sequence[str]) -> Iterator[tuple[str, Json]]:
    named = {key: values.split(",") for key, values in (option.split("=") for option in options)}
    all_of_them = list(combinations_of(*named.values()))
    for values in rng.sample(all_of_them, min(count, len(all_of_them))):
        item_id = ids.draw("", 11)
        cost = round(price * rng.uniform(1 - PRICE_SPREAD, 1 + PRICE_SPREAD), 2)
        available = rng.random() < AVAILABLE_SHARE
        yield item_id, {"item_id": item_id, "options": dict(zip(named, values, strict=True)), "available": available, "price": cost}


def _user(rng: Random, ids: _Ids) -> Json:
    """A person whom their email finds, and their name with their zip code too."""
    first, last, address = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES), new_address(rng)
    while not ids.take(f"{first} {last} {address['zip']}"):
        first, last, address = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES), new_address(rng)
    user_id = ids.draw(f"{first}_{last}_".lower(), 5)
    methods = [_method(rng, ids, source) for source in _drawn(rng, METHODS)]
    return {
        "user_id": user_id,
        "name": {"first_name": first, "last_name": last},
        "address": address,
        "email": f"{first}.{last}{user_id.rpartition('_')[2]}@example.org".lower(),
        "payment_methods": {method["id"]: method for method in rng.sample(methods, len(methods))},
        "orders": [],
    }


def _method(rng: Random, ids: _Ids, source: str) -> Json:
    method: Json = {"source": source, "id": ids.draw(f"{source}_", 8)}
    if source == "credit_card":
        return {**method, "brand": rng.choice(("visa", "mastercard")), "last_four": method["id"][-4:]}
    return {**method, "balance": float(rng.randint(0, 100))} if source == "gift_card" else method


def _order(rng: Random, ids: _Ids, user: Json, shelf: Sequence[Json]) -> Json:
    status = _drawn(rng, STATUSES)
    items = [_item(rng, product) for product in rng.choices(shelf, k=_drawn(rng, ITEMS_PER_ORDER))]
    paid = {"transaction_type": "payment", "amount": round(sum(item["price"] for item in items), 2)}
    paid["payment_method_id"] = rng.choice(list(user["payment_methods"]))
    order: Json = {
        "order_id": ids.draw("#W", 8),
        "user_id": user["user_id"],
        "address": new_address(rng) if rng.random() < SENT_ELSEWHERE_SHARE else dict(user["address"]),
        "items": items,
        "status": status,
        "fulfillments": [],
        "payment_history": [paid],
    }
    if not status.startswith("pending"):
        shipped = {"tracking_id": [ids.draw("", 12)], "item_ids": [item["item_id"] for item in items]}
        order["fulfillments"] = [shipped]
    return order | _aftermath(status, order, rng)


def _item(rng: Random, product: Json) -> Json:
    variant = rng.choice(list(product["variants"].values()))
    return {
        "name": product["name"],
        "product_id": product["product_id"],
        "item_id": variant["item_id"],
        "price": variant["price"],
        "options": dict(variant["options"]),
    }


def _aftermath(status: str, order: Json, rng: Random) -> Json:
    """What an earlier write left in the order; absent fields are null in this shape."""
    first, paid = order["items"][0], order["payment_history"][0]
    method = paid["payment_method_id"]
    nothing: Json = dict.fromkeys(
        ("cancel_reason", "exchange_items", "exchange_new_items", "exchange_payment_method_id", "exchange_price_difference")
    ) | dict.fromkeys(("return_items", "return_payment_method_id"))
    match status:
        case "cancelled":
            return {**nothing, "payment_history": [paid, {**paid, "transaction_type": "refund"}]}
        case "exchange requested":
            swapped = {"exchange_items": [first["item_id"]], "exchange_new_items": [first["item_id"]]}
            return {**nothing, **swapped, "exchange_payment_method_id": method, "exchange_price_difference": 0.0}
        case "return requested":
            return {**nothing, "return_items": [first["item_id"]], "return_payment_method_id": method}
        case _:
            return nothing
