"""The retail policy where it decides: its clauses, and the ruling on one write. The text for agents stands in policy.md beside this file."""

from collections.abc import Mapping
from importlib.resources import files

from writ.domains.base import ALLOWED, Reads, Rule, Ruling, Said
from writ.domains.retail.evidence_book import Book, Json, order_call, product_call, user_call
from writ.errors import ToolRefused
from writ.schema import Call

POLICY = files(__package__).joinpath("policy.md").read_text(encoding="utf-8")

REASONS = ("no longer needed", "ordered by mistake")
"""The reasons for a cancellation that count."""

_CLAUSES = (
    Rule("not_found", "I can only act on something that I can find in your account."),
    Rule("ambiguous", "More than one thing fits that description, so I must not pick one for you."),
    Rule("other_user", "I can only help with your own account and orders."),
    Rule("not_pending", "An order can only be cancelled or changed while it is still pending."),
    Rule("already_cancelled", "A cancelled order is closed: it can neither be cancelled again nor changed."),
    Rule("already_modified", "Once the items of an order were modified, it can no longer be changed or cancelled."),
    Rule("cancel_reason", "An order can only be cancelled because it is no longer needed or was ordered by mistake."),
    Rule("not_delivered", "Only a delivered order can be returned or exchanged."),
    Rule("already_requested", "An order can be returned or exchanged only once, and that was already done."),
    Rule("product_type", "An item can only be swapped for another version of the same product."),
    Rule("unavailable_variant", "An item can only be swapped for a version that is available."),
    Rule("same_item", "The new item has to differ in an option from the one you have."),
    Rule("gift_card_balance", "The balance of the gift card does not cover the amount."),
    Rule("refund_method", "A refund goes to the original payment method or to one of your gift cards."),
    Rule("same_payment", "The new payment method has to differ from the one the order was paid with."),
    Rule("single_payment", "An order is paid with one single payment method."),
    Rule("out_of_scope", "That is beyond what I can do here, so a human colleague has to take over.", transfer=True),
    Rule("undo_cancellation", "A cancellation cannot be undone by me, so a human colleague has to take over.", transfer=True),
    Rule("price_match", "I cannot adjust a price that was paid, so a human colleague has to take over.", transfer=True),
    Rule("shipping_method", "I cannot influence how a parcel travels, so a human colleague has to take over.", transfer=True),
)

RULES: Mapping[str, Rule] = {rule.id: rule for rule in _CLAUSES}


def forbidden(rule: str) -> Ruling:
    return Ruling(False, rule, RULES[rule].transfer)


def ruling(write: Call, said: Said, book: Book) -> Reads[Ruling]:
    """Whether the policy allows the write now. Reads through `book`, which keeps for each check the state that would turn it.

    `said` may hold `user_id` (whom the agent authenticated) and `reason` (why the user cancels, in their own words).
    """
    if write.name == "modify_user_address":
        own = said.get("user_id", write.arguments["user_id"]) == write.arguments["user_id"]
        return ALLOWED if own else forbidden("other_user")
    if write.name == "cancel_pending_order" and said.get("reason", write.arguments["reason"]) not in REASONS:
        return forbidden("cancel_reason")
    order_id = write.arguments["order_id"]
    try:
        order = yield from book.order(order_id)
    except ToolRefused:
        return forbidden("not_found")
    book.rival(f"order {order_id} is in another state", order_call(order_id))
    if said.get("user_id", order["user_id"]) != order["user_id"]:
        return forbidden("other_user")
    blocked = status_rule(write.name, order["status"])
    if blocked:
        return forbidden(blocked)
    return (yield from _CHECKS[write.name](write, order, said, book))


def status_rule(tool: str, status: str) -> str:
    """The clause that forbids the tool for an order of this status; empty where none does."""
    if tool in ("exchange_delivered_order_items", "return_delivered_order_items"):
        if status == "delivered":
            return ""
        return "already_requested" if status in ("exchange requested", "return requested") else "not_delivered"
    if status == "pending":
        return ""
    return {"cancelled": "already_cancelled", "pending (item modified)": "already_modified"}.get(status, "not_pending")


def _open(write: Call, order: Json, said: Said, book: Book) -> Reads[Ruling]:
    yield from ()
    return ALLOWED


def _payment(write: Call, order: Json, said: Said, book: Book) -> Reads[Ruling]:
    method = write.arguments["payment_method_id"]
    if method == order["payment_history"][0]["payment_method_id"]:
        return forbidden("same_payment")
    return (yield from _covered(method, order["payment_history"][0]["amount"], order["user_id"], book))


def _return(write: Call, order: Json, said: Said, book: Book) -> Reads[Ruling]:
    yield from ()
    method = write.arguments["payment_method_id"]
    original = method == order["payment_history"][0]["payment_method_id"]
    if not original and not method.startswith("gift_card"):
        return forbidden("refund_method")
    return _present(write.arguments["item_ids"], order)


def _present(item_ids: list[str], order: Json) -> Ruling:
    held = [item["item_id"] for item in order["items"]]
    missing = any(item_ids.count(item_id) > held.count(item_id) for item_id in item_ids)
    return forbidden("not_found") if missing else ALLOWED


def _swap(write: Call, order: Json, said: Said, book: Book) -> Reads[Ruling]:
    """Items to exchange or to modify: same product, another option, available, and covered."""
    old_ids, new_ids = write.arguments["item_ids"], write.arguments["new_item_ids"]
    if len(old_ids) != len(new_ids) or not _present(old_ids, order).allowed:
        return forbidden("not_found")
    items = {item["item_id"]: item for item in order["items"]}
    difference = 0.0
    for old_id, new_id in zip(old_ids, new_ids, strict=True):
        old = items[old_id]
        if old_id == new_id:
            return forbidden("same_item")
        product = yield from book.product(old["product_id"])
        book.rival(f"the {product['name']} wanted has no stock or another price", product_call(old["product_id"]))
        new = product["variants"].get(new_id)
        if new is None:
            return forbidden("product_type")
        if not new["available"]:
            return forbidden("unavailable_variant")
        difference += new["price"] - old["price"]
    return (yield from _covered(write.arguments["payment_method_id"], difference, order["user_id"], book))


def _covered(method: str, amount: float, user_id: str, book: Book) -> Reads[Ruling]:
    """A gift card must hold what it is to pay; any other method, and a refund, is always good."""
    if not method.startswith("gift_card") or amount <= 0:
        return ALLOWED
    user = yield from book.user(user_id)
    book.rival("the gift card holds another balance", user_call(user_id))
    held = user["payment_methods"].get(method)
    if held is None:
        return forbidden("not_found")
    return ALLOWED if held["balance"] >= round(amount, 2) else forbidden("gift_card_balance")


_CHECKS = {
    "cancel_pending_order": _open,
    "modify_pending_order_address": _open,
    "modify_pending_order_payment": _payment,
    "modify_pending_order_items": _swap,
    "exchange_delivered_order_items": _swap,
    "return_delivered_order_items": _return,
}
