"""References to orders: by id, by what is in them, by total, by place, by payment, by what is in stock, or by rule over all of them.

An order reference is a JSON object in a wish's slots: `by` is one of
`ids` (ids: the user names them), `content` (items: item references that the order holds), `all`, `total` (which: highest or lowest),
`above` and `below` (amount in dollars, of the order's total), `city` (where it goes), `paid` (payment: how it was paid),
`stock` (sold_out: true for orders with something that is out of stock now, false for orders in which all is available).
All but `ids` may have `status` (only orders of that status are meant) and `each` (every match is meant, instead of exactly one).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from writ.domains.base import Reads
from writ.domains.retail.evidence_book import Book, Decline, Json, item_call, order_call, product_call, user_call
from writ.domains.retail.payments import on_account, payment_words
from writ.domains.retail.words import item_words, money, plain_money
from writ.domains.wording import listed
from writ.errors import ToolRefused
from writ.schema import Candidate, Standing


class Found(NamedTuple):
    """Orders that a reference means, and how they were told from the others."""

    orders: tuple[Json, ...]
    criterion: str = ""
    candidates: tuple[Candidate, ...] = ()
    margin: float | None = None


def total_of(order: Json) -> float:
    """What was paid for the order."""
    amount: float = order["payment_history"][0]["amount"]
    return amount


def paid_with(order: Json) -> str:
    """Id of the payment method that the order was first paid with: its original one."""
    method: str = order["payment_history"][0]["payment_method_id"]
    return method


def holds(order: Json, ref: Json) -> bool:
    return any(fits(item, ref) for item in order["items"])


def fits(item: Json, ref: Json) -> bool:
    """Whether an ordered item is of the referenced product and has the referenced options."""
    return bool(item["name"] == ref["product"]) and all(item["options"].get(key) == value for key, value in ref.get("options", {}).items())


def of_status(order: Json, ref: Json) -> bool:
    """`pending` covers orders whose items were modified: to the customer they are pending still."""
    return bool(order["status"].startswith(ref.get("status", "")))


def find_orders(ref: Json, user_id: str, book: Book) -> Reads[Found]:
    """Reads all orders in scope and verifies the reference. Raises: Decline where it has no match, or more than it may have."""
    if ref["by"] == "ids":
        return (yield from _named(ref["ids"], user_id, book))
    user = yield from book.user(user_id)
    book.rival("the account lists another order that the words fit", user_call(user_id))
    orders: list[Json] = []
    for order_id in user["orders"]:
        orders.append((yield from book.order(order_id)))
    scope = [order for order in orders if of_status(order, ref)]
    matched = yield from _matching(ref, scope, user, book)
    _note(ref, orders, matched, book)
    if ref["by"] == "total" and matched:
        return _extreme(ref, orders, matched)
    if not matched:
        raise Decline("not_found", subject(ref), *mentions(ref))
    if len(matched) > 1 and not ref.get("each"):
        raise Decline("ambiguous", subject(ref), *mentions(ref))
    return Found(tuple(matched), subject(ref), _candidates(ref, orders, matched))


def _named(ids: Sequence[str], user_id: str, book: Book) -> Reads[Found]:
    orders: list[Json] = []
    for order_id in ids:
        book.rival(f"order {order_id} is in another state, or not this user's", order_call(order_id))
        try:
            order = yield from book.order(order_id)
        except ToolRefused:
            raise Decline("not_found", f"order {order_id}", order_id) from None
        if order["user_id"] != user_id:
            raise Decline("other_user", f"order {order_id}", order_id)
        orders.append(order)
    return Found(tuple(orders), candidates=tuple(_candidate(order, "winner", f"is {order['status']}") for order in orders))


def _matching(ref: Json, scope: list[Json], user: Json, book: Book) -> Reads[list[Json]]:
    if ref["by"] == "stock":
        matched = []
        for order in scope:
            sold_out = yield from _sold_out(order, book)
            if bool(sold_out) == ref["sold_out"]:
                matched.append(order)
        return matched
    if ref["by"] == "paid":
        method = on_account(ref["payment"], user, "")
        return [order for order in scope if paid_with(order) == method]
    return [order for order in scope if matches(order, ref)]


def matches(order: Json, ref: Json) -> bool:
    """Whether the order's own record fits a reference that nothing else decides."""
    match ref["by"]:
        case "content":
            return all(holds(order, item) for item in ref["items"])
        case "above":
            return total_of(order) > float(ref["amount"])
        case "below":
            return total_of(order) < float(ref["amount"])
        case "city":
            return bool(order["address"]["city"] == ref["city"])
        case _:
            return True


def _sold_out(order: Json, book: Book) -> Reads[list[str]]:
    """Ids of the order's items that are out of stock; notes which reads settle that for the order."""
    gone: list[Json] = []
    for item in order["items"]:
        if not (yield from _available(item, book)):
            gone.append(item)
    if gone:
        reads = {read.key: read for item in gone for read in (product_call(item["product_id"]), item_call(item["item_id"]))}
        book.rival(f"everything in order {order['order_id']} is available", *reads.values())
    else:
        for item in order["items"]:
            book.rival(f"the {item_words({'product': item['name']})} is out of stock", product_call(item["product_id"]), item_call(item["item_id"]))
    return [item["item_id"] for item in gone]


def _available(item: Json, book: Book) -> Reads[bool]:
    product = yield from book.product(item["product_id"])
    variant = product["variants"].get(item["item_id"])
    return variant is not None and bool(variant["available"])


def _note(ref: Json, orders: list[Json], matched: list[Json], book: Book) -> None:
    """Each order's own content could be otherwise. Two matches prove ambiguity, whatever the rest holds."""
    if ref["by"] == "total" or ref.get("each") or len(matched) < 2:
        for order in orders:
            book.rival(f"the words fit order {order['order_id']} otherwise", order_call(order["order_id"]))
        return
    for others in combinations(matched, len(matched) - 1):
        book.rival("only one of several fitting orders fits", *(order_call(order["order_id"]) for order in others))


def _extreme(ref: Json, orders: list[Json], scope: list[Json]) -> Found:
    highest = ref["which"] == "highest"
    ranked = sorted(scope, key=total_of, reverse=highest)
    margin = round(abs(total_of(ranked[0]) - total_of(ranked[1])), 2) if len(ranked) > 1 else None
    if margin == 0:
        raise Decline("ambiguous", subject(ref), *mentions(ref))
    criterion = f"{'highest' if highest else 'lowest'} order total"
    out = [_candidate(order, "excluded", f"is {order['status']}, not {ref['status']}") for order in orders if order not in ranked]
    statuses: tuple[Standing, ...] = ("winner", "runner_up")
    listed = [_candidate(order, statuses[i] if i < 2 else "eligible", "" if i else f"has the {criterion}") for i, order in enumerate(ranked)]
    return Found((ranked[0],), criterion, (*listed, *out), margin)


def _candidate(order: Json, status: Standing, why: str) -> Candidate:
    values = {"total": money(total_of(order)), "status": order["status"], "city": order["address"]["city"]}
    return Candidate(label=label_of(order), values=values, status=status, why=why, choice="orders of the customer")


def _candidates(ref: Json, orders: list[Json], matched: list[Json]) -> tuple[Candidate, ...]:
    out = [order for order in orders if order not in matched]
    return tuple(_candidate(order, "winner", _reason(ref, order, True)) for order in matched) + tuple(
        _candidate(order, "excluded", _reason(ref, order, False)) for order in out
    )


def _reason(ref: Json, order: Json, chosen: bool) -> str:
    """Why the reference means the order, or what of it is not so."""
    if not of_status(order, ref):
        return f"is {order['status']}, not {ref['status']}"
    return f"{'the only one that ' if chosen and not ref.get('each') else ''}{_fact(ref, order, chosen)}"


def _fact(ref: Json, order: Json, chosen: bool) -> str:
    """What of the order decides whether the reference means it."""
    match ref["by"]:
        case "content":
            items = [item for item in ref["items"] if chosen or not holds(order, item)]
            return f"holds {'the' if chosen else 'no'} {listed(map(item_words, items), 'and' if chosen else 'or')}"
        case "above" | "below" as side:
            return f"costs {money(total_of(order))}, {'' if chosen else 'not '}{side} {plain_money(ref['amount'])}"
        case "city":
            return f"goes to {order['address']['city']}" + ("" if chosen else f", not {ref['city']}")
        case "paid":
            return f"was {'' if chosen else 'not '}paid with the {payment_words(ref['payment'])}"
        case "stock":
            return "has something out of stock" if chosen == ref["sold_out"] else "has everything in stock"
        case _:
            return f"is {order['status']}"


def label_of(order: Json) -> str:
    return f"{order['order_id']} ({', '.join(item['name'] for item in order['items'])})"


def subject(ref: Json) -> str:
    """What the reference points at, as a person would name it."""
    if ref["by"] == "ids":
        return f"order {listed(ref['ids'])}"
    status = f"{ref['status']} " if ref.get("status") else ""
    head = f"every {status}order" if ref.get("each") else f"the {status}order"
    return f"{head} {_criterion(ref)}".strip()


def _criterion(ref: Json) -> str:
    match ref["by"]:
        case "content":
            return f"with the {listed(item_words(item) for item in ref['items'])}"
        case "total":
            return f"with the {ref['which']} total"
        case "above" | "below":
            return f"that came to {'more' if ref['by'] == 'above' else 'less'} than {plain_money(ref['amount'])}"
        case "city":
            return f"going to {ref['city']}"
        case "paid":
            return f"paid with the {payment_words(ref['payment'])}"
        case "stock":
            return "with something that is out of stock" if ref["sold_out"] else "in which everything is available"
        case _:
            return ""


def mentions(ref: Json) -> tuple[str, ...]:
    """Texts any one of which names what the reference points at."""
    match ref["by"]:
        case "ids":
            return tuple(ref["ids"])
        case "content":
            return tuple(item_words({"product": item["product"]}) for item in ref["items"])
        case "city":
            return (ref["city"],)
        case "above" | "below":
            return (plain_money(ref["amount"]), "order")
        case _:
            return ("order",)
