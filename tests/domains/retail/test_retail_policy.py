"""The executable policy on hand-written cases, and its text."""

import re

import pytest
from retail_worlds import RETAIL, world_of

from writ.domains.base import run
from writ.domains.database import Database
from writ.domains.retail.tools import RetailTools
from writ.schema import Call

ADDRESS = {"address1": "1 First Street", "address2": "Suite 2", "city": "Austin", "state": "TX", "country": "USA", "zip": "78701"}
CARD, PAYPAL, GIFT = "credit_card_1", "paypal_1", "gift_card_1"


def variant(item_id, color, price, available=True):
    return {"item_id": item_id, "options": {"color": color}, "available": available, "price": price}


def order(order_id, status, method=CARD, user_id="ann_lee_1"):
    items = [{"name": "Lamp", "product_id": "lamp", "item_id": "red", "price": 20.0, "options": {"color": "red"}}]
    paid = {"transaction_type": "payment", "amount": 20.0, "payment_method_id": method}
    fields = {"order_id": order_id, "user_id": user_id, "address": ADDRESS, "items": items, "status": status}
    return {**fields, "fulfillments": [], "payment_history": [paid]}


@pytest.fixture
def world():
    states = {"#P": "pending", "#S": "processed", "#D": "delivered", "#C": "cancelled", "#M": "pending (item modified)", "#R": "return requested"}
    orders = {order_id: order(order_id, status) for order_id, status in states.items()} | {"#E": order("#E", "exchange requested")}
    orders["#O"] = order("#O", "pending", user_id="bob_ray_2")
    methods = {
        CARD: {"source": "credit_card", "id": CARD, "brand": "visa", "last_four": "1111"},
        PAYPAL: {"source": "paypal", "id": PAYPAL},
        GIFT: {"source": "gift_card", "id": GIFT, "balance": 5.0},
    }
    user = {"user_id": "ann_lee_1", "name": {"first_name": "Ann", "last_name": "Lee"}, "address": ADDRESS, "email": "ann@example.org"}
    users = {"ann_lee_1": {**user, "payment_methods": methods, "orders": [key for key in orders if key != "#O"]}}
    lamps = {"red": variant("red", "red", 20.0), "blue": variant("blue", "blue", 24.0), "gold": variant("gold", "gold", 90.0)}
    lamps["grey"] = variant("grey", "grey", 19.0, available=False)
    products = {
        "lamp": {"name": "Lamp", "product_id": "lamp", "variants": lamps},
        "mug": {"name": "Mug", "product_id": "mug", "variants": {"mug1": variant("mug1", "red", 8.0)}},
    }
    return world_of(Database.from_tables({"users": users, "orders": orders, "products": products}, RetailTools.shape))


def cancel(order_id):
    return Call(name="cancel_pending_order", arguments={"order_id": order_id, "reason": "no longer needed"})


def ship(order_id):
    return Call(name="modify_pending_order_address", arguments={"order_id": order_id, **ADDRESS})


def pay(order_id, method):
    return Call(name="modify_pending_order_payment", arguments={"order_id": order_id, "payment_method_id": method})


def swap(order_id, new, method=CARD, tool="modify_pending_order_items"):
    arguments = {"order_id": order_id, "item_ids": ["red"], "new_item_ids": [new], "payment_method_id": method}
    return Call(name=tool, arguments=arguments)


def exchange(order_id, new, method=CARD):
    return swap(order_id, new, method, "exchange_delivered_order_items")


def give_back(order_id, method=CARD):
    return Call(name="return_delivered_order_items", arguments={"order_id": order_id, "item_ids": ["red"], "payment_method_id": method})


def home(user_id):
    return Call(name="modify_user_address", arguments={"user_id": user_id, **ADDRESS})


ALLOWED = [
    cancel("#P"),
    ship("#P"),
    pay("#P", PAYPAL),
    swap("#P", "blue"),
    swap("#P", "blue", GIFT),
    exchange("#D", "blue"),
    exchange("#D", "gold", PAYPAL),
    give_back("#D"),
    give_back("#D", GIFT),
    home("ann_lee_1"),
]

FORBIDDEN = [
    (cancel("#none"), "not_found"),
    (cancel("#S"), "not_pending"),
    (cancel("#D"), "not_pending"),
    (cancel("#R"), "not_pending"),
    (cancel("#C"), "already_cancelled"),
    (cancel("#M"), "already_modified"),
    (cancel("#O"), "other_user"),
    (ship("#S"), "not_pending"),
    (ship("#M"), "already_modified"),
    (pay("#D", PAYPAL), "not_pending"),
    (pay("#P", CARD), "same_payment"),
    (pay("#P", GIFT), "gift_card_balance"),
    (swap("#P", "red"), "same_item"),
    (swap("#P", "grey"), "unavailable_variant"),
    (swap("#P", "mug1"), "product_type"),
    (swap("#P", "gold", GIFT), "gift_card_balance"),
    (swap("#M", "blue"), "already_modified"),
    (exchange("#P", "blue"), "not_delivered"),
    (exchange("#R", "blue"), "already_requested"),
    (exchange("#E", "blue"), "already_requested"),
    (exchange("#D", "red"), "same_item"),
    (exchange("#D", "grey"), "unavailable_variant"),
    (exchange("#D", "mug1"), "product_type"),
    (exchange("#D", "gold", GIFT), "gift_card_balance"),
    (give_back("#S"), "not_delivered"),
    (give_back("#E"), "already_requested"),
    (give_back("#D", PAYPAL), "refund_method"),
    (home("bob_ray_2"), "other_user"),
]


@pytest.mark.parametrize("write", ALLOWED, ids=lambda write: write.key[:60])
def test_permits_what_the_policy_allows(write, world):
    ruling, _ = run(RETAIL.permits(write, {"user_id": "ann_lee_1"}), world.read)
    assert ruling.allowed


@pytest.mark.parametrize("write", ALLOWED, ids=lambda write: write.key[:60])
def test_what_is_permitted_the_tools_do(write, world):
    assert not world.call(write.name, write.arguments).error


@pytest.mark.parametrize(("write", "rule"), FORBIDDEN, ids=lambda part: getattr(part, "key", part)[:60])
def test_permits_names_the_clause_that_forbids(write, rule, world):
    ruling, _ = run(RETAIL.permits(write, {"user_id": "ann_lee_1"}), world.read)
    assert (ruling.allowed, ruling.rule) == (False, rule)


def test_permits_a_cancellation_only_for_a_reason_that_counts(world):
    said = {"user_id": "ann_lee_1", "reason": "I found it cheaper"}
    ruling, reads = run(RETAIL.permits(cancel("#P"), said), world.read)
    assert (ruling.rule, reads) == ("cancel_reason", ())


def test_permits_without_knowing_the_user_asks_nothing_about_the_owner(world):
    ruling, _ = run(RETAIL.permits(cancel("#O"), {}), world.read)
    assert ruling.allowed


def test_permits_looks_at_the_state_as_it_is_now(world):
    world.call("return_delivered_order_items", give_back("#D").arguments)
    ruling, _ = run(RETAIL.permits(exchange("#D", "blue"), {}), world.read)
    assert ruling.rule == "already_requested"


def test_the_policy_text_names_every_clause_and_no_other():
    named = set(re.findall(r"\[(\w+)\]", RETAIL.policy))
    assert named == set(RETAIL.rules)


def test_only_what_no_tool_serves_is_handed_over():
    handed = {rule.id for rule in RETAIL.rules.values() if rule.transfer}
    assert handed == {"out_of_scope", "undo_cancellation", "price_match", "shipping_method"}
