"""From references to the items they mean: within the order that is named or described, or wherever in the account they are.

Besides the order references of orders.py, `{"by": "whichever", "status": ...}` means that the user does not say in which order an item is.
"""

from collections.abc import Sequence
from typing import NamedTuple

from writ.domains.base import Reads
from writ.domains.retail.evidence_book import Book, Decline, Json, order_call, user_call
from writ.domains.retail.items import find_items
from writ.domains.retail.orders import Found, find_orders, fits, of_status
from writ.domains.retail.words import item_words, product_words


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
        orders = yield from all_orders(order_ref, user_id, book)
        return Located(tuple(_anywhere(ref, orders) for ref in item_refs), Found(()))
    found = yield from find_orders(order_ref, user_id, book)
    hits = tuple(tuple(Hit(order, item) for order in found.orders for item in find_items(ref, order)) for ref in item_refs)
    return Located(hits, found)


def all_orders(ref: Json, user_id: str, book: Book) -> Reads[list[Json]]:
    """Orders of the referenced status, after reading every order of the account."""
    user = yield from book.user(user_id)
    book.rival("the account lists another order with such an item", user_call(user_id))
    orders: list[Json] = []
    for order_id in user["orders"]:
        orders.append((yield from book.order(order_id)))
        book.rival(f"order {order_id} holds other items, or is in another state", order_call(order_id))
    return [order for order in orders if of_status(order, ref)]


def _anywhere(ref: Json, orders: Sequence[Json]) -> tuple[Hit, ...]:
    hits = tuple(Hit(order, item) for order in orders for item in order["items"] if fits(item, ref))
    if not hits:
        raise Decline("not_found", f"the {item_words(ref)}", product_words(ref["product"]))
    if len(hits) > 1 and not ref.get("each"):
        raise Decline("ambiguous", f"the {item_words(ref)}", product_words(ref["product"]))
    return hits
