"""What several retail tools find, check, compute and change: the part of the toolkit that is no tool itself."""

from typing import Any, NamedTuple

from writ.domains.database import Record, Tables
from writ.domains.retail.records import OrderPayment, RetailDatabase
from writ.domains.toolkit import Toolkit
from writ.errors import ToolRefused


class Swap(NamedTuple):
    """An ordered item, and the variant wanted in its place."""

    old: Record
    new: Record


class RetailOperations(Toolkit):
    shape = RetailDatabase

    def _order(self, order_id: str) -> Record:
        return self._found("orders", order_id, "Order not found")

    def _user(self, user_id: str) -> Record:
        return self._found("users", user_id, "User not found")

    def _product(self, product_id: str) -> Record:
        return self._found("products", product_id, "Product not found")

    def _found(self, table: str, record_id: str, refusal: str) -> Record:
        record = self.database.get(table, record_id)
        if record is None:
            raise ToolRefused(refusal)
        return record

    def _payment_method(self, user_id: str, payment_method_id: str) -> Record:
        methods: dict[str, Record] = self._user(user_id)["payment_methods"]
        if payment_method_id not in methods:
            raise ToolRefused("Payment method not found")
        return methods[payment_method_id]

    def _variant(self, product_id: str, item_id: str) -> Record:
        variants: dict[str, Record] = self._product(product_id)["variants"]
        if item_id not in variants:
            raise ToolRefused("Variant not found")
        return variants[item_id]

    def _require_items(self, order: Record, item_ids: list[str], refusal: str) -> None:
        """Each id must stand in the order at least as often as in the request."""
        ordered = [item["item_id"] for item in order["items"]]
        for item_id in item_ids:
            if item_ids.count(item_id) > ordered.count(item_id):
                raise ToolRefused(refusal.format(item_id))

    def _swap(self, order: Record, item_id: str, new_item_id: str) -> Swap:
        item = item_of(order, item_id)
        variant = self._variant(item["product_id"], new_item_id)
        if not variant["available"]:
            raise ToolRefused(f"New item {new_item_id} not found or available")
        return Swap(item, variant)

    def _replaced(self, order: Record, item_id: str, new_item_id: str) -> Swap:
        if item_id == new_item_id:
            raise ToolRefused("The new item id should be different from the old item id")
        return self._swap(order, item_id, new_item_id)

    def _charge(self, user_id: str, payment_method_id: str, amount: float) -> None:
        """Take an amount from a gift card, or give it back where negative; other methods are settled elsewhere."""
        if is_gift_card(self._payment_method(user_id, payment_method_id)):
            card = self.database.edit("users", user_id)["payment_methods"][payment_method_id]
            card["balance"] = round(card["balance"] - amount, 2)

    def _refunded(self, user_id: str, payment: Record) -> Record:
        """Give one payment back; the refund as it will stand in the order."""
        self._charge(user_id, payment["payment_method_id"], -payment["amount"])
        return transaction("refund", payment["amount"], payment["payment_method_id"])


def item_of(order: Record, item_id: str) -> Record:
    """The first item of the order with that id."""
    for item in order["items"]:
        if item["item_id"] == item_id:
            return item  # type: ignore[no-any-return]
    raise ToolRefused(f"Item {item_id} not found")


def sum_of_differences(swaps: list[Swap]) -> float:
    """New price less old price, added one by one: `sum` of newer Pythons rounds differently."""
    difference: float = 0
    for old, new in swaps:
        difference += new["price"] - old["price"]
    return difference


def transaction(kind: str, amount: float, payment_method_id: str) -> Record:
    return OrderPayment.model_validate({"transaction_type": kind, "amount": amount, "payment_method_id": payment_method_id}).model_dump()


def is_gift_card(method: Record) -> bool:
    return bool(method["source"] == "gift_card")


def is_pending(order: Record) -> bool:
    """Pending or pending with items modified; changes of items ask for exactly pending."""
    return "pending" in order["status"]


def user_ids_by_first_name(tables: Tables) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for user_id, user in tables["users"].items():
        ids.setdefault(user["name"]["first_name"].lower(), []).append(user_id)
    return ids


def user_ids_by_email(tables: Tables) -> dict[str, str]:
    """The first user with each email: no tool changes one."""
    ids: dict[str, str] = {}
    for user_id, user in tables["users"].items():
        ids.setdefault(user["email"].lower(), user_id)
    return ids


def products_by_item(tables: Tables) -> dict[Any, str]:
    """The first product that holds each item: no tool changes one."""
    products: dict[Any, str] = {}
    for product_id, product in tables["products"].items():
        for item_id in product["variants"]:
            products.setdefault(item_id, product_id)
    return products
