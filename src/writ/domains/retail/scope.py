"""From references to the items they mean: within the order that is named or described, or wherever in the account they are.

Besides the order references of orders.py, `{"by": "whichever", "status": ...}` means that the user does not say in which order an item is.
Where several orders are named, each item is in one of them.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from writ.domains.base import Reads
from writ.domains.retail.evidence_book import Book, Decline, Json, order_call, user_call
from writ.domains.retail.items import find_items
from writ.domains.retail.orders import Found, find_orders, fits, of_status
from writ.domains.retail.words import item_words, product_words

ITEMS = "items"
"""What is chosen among where some of a customer's items are meant."""


class Hit(NamedTuple):
    """An item where it stands."""

    order: Json
    item: Json


class Located(NamedTuple):
    """Per item reference what it means, and how the orders were told apart."""

    hits: tuple[tuple[Hit, ...], ...]
    found: Found


def locate(order_ref: Json, item_refs: Sequence[Json], user_id: str, book: Book) -> Reads[Located]:
    """Raises: Decline where an order or an item has no match, or several."""
    if order_ref["by"] == "whichever":
        orders = yield from _all_orders(user_id, book)
        scope = [order for order in orders if of_status(order, order_ref)]
        found_in = [_fitting(ref, scope) for ref in item_refs]
        _note(orders, found_in[0], item_refs[0], book)
        return Located(tuple(_verified(ref, hits) for ref, hits in zip(item_refs, found_in, strict=True)), Found(()))
    found = yield from find_orders(order_ref, user_id, book)
    if order_ref["by"] == "ids" and len(found.orders) > 1:
        return Located(tuple(_verified(ref, _fitting(ref, found.orders)) for ref in item_refs), found)
    hits = tuple(tuple(Hit(order, item) for order in found.orders for item in find_items(ref, order)) for ref in item_refs)
    return Located(hits, found)


def _all_orders(user_id: str, book: Book) -> Reads[list[Json]]:
    user = yield from book.user(user_id)
    orders: list[Json] = []
    for order_id in user["orders"]:
        orders.append((yield from book.order(order_id)))
    if not orders:
        book.rival("the account lists an order", user_call(user_id))
    return orders


def _note(orders: Sequence[Json], hits: Sequence[Hit], ref: Json, book: Book) -> None:
    """Any order could hold the items, or not. That the first one is in two orders is known from these two, whatever the rest holds."""
    holding = list(dict.fromkeys(hit.order["order_id"] for hit in hits))
    if len(hits) > 1 and not ref.get("each"):
        for others in combinations(holding, max(len(holding) - 1, 1)):
            book.rival("only one such item is there", *map(order_call, others))
        return
    for order in orders:
        book.rival(f"order {order['order_id']} holds other items, or is in another state", order_call(order["order_id"]))
        book.rival("the account lists another order with such an item", user_call(order["user_id"]))


def _fitting(ref: Json, orders: Sequence[Json]) -> tuple[Hit, ...]:
    return tuple(Hit(order, item) for order in orders for item in order["items"] if fits(item, ref))


def _verified(ref: Json, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """Raises: Decline."""
    if not hits:
        raise Decline("not_found", f"the {item_words(ref)}", product_words(ref["product"]))
    if len(hits) > 1 and not ref.get("each"):
        raise Decline("ambiguous", f"the {item_words(ref)}", product_words(ref["product"]))
    return hits
