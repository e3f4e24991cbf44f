"""Retail writes: what each changes, and the published faults that a compatible implementation must have."""

import json
from typing import Any

import pytest
from tiny_databases import retail_database

from writ.domains.environment import Environment
from writ.domains.retail.tools import RetailTools


@pytest.fixture
def environment() -> Environment:
    return Environment(RetailTools, retail_database())


def done(environment: Environment, name: str, **arguments: Any) -> Any:
    result = environment.call(name, arguments)
    assert not result.error, result.content
    return json.loads(result.content)


def refused(environment: Environment, name: str, **arguments: Any) -> str:
    result = environment.call(name, arguments)
    assert result.error, result.content
    assert environment.delta() == {}
    return result.content


def balance(environment: Environment) -> float:
    return environment.read("get_user_details", {"user_id": "ann_1"})["payment_methods"]["gift_card_1"]["balance"]


MODIFY = {"order_id": "#W1", "item_ids": ["k1", "k2"], "new_item_ids": ["k3", "k4"], "payment_method_id": "paypal_1"}
ADDRESS = {"address1": "2 Oak", "address2": "", "city": "Boise", "state": "ID", "country": "USA", "zip": "83701"}


def test_cancelling_refunds_a_gift_card_at_once(environment):
    order = done(environment, "cancel_pending_order", order_id="#W3", reason="ordered by mistake")
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "ordered by mistake")
    assert order["payment_history"][1] == {"transaction_type": "refund", "amount": 10.1, "payment_method_id": "gift_card_1"}
    assert balance(environment) == 25.1
    assert {table: set(records) for table, records in environment.delta().items()} == {"orders": {"#W3"}, "users": {"ann_1"}}


def test_modifying_items_gives_every_item_the_last_variants_price_and_options(environment):
    order = done(environment, "modify_pending_order_items", **MODIFY)
    assert [(item["item_id"], item["price"], item["options"]) for item in order["items"]] == [
        ("k3", 20.3, {"size": "k4"}),
        ("k4", 20.3, {"size": "k4"}),
    ]
    assert order["status"] == "pending (item modified)"


def test_modifying_the_same_items_in_another_order_ends_in_another_state(environment):
    twin = environment.fork()
    done(environment, "modify_pending_order_items", **MODIFY)
    done(twin, "modify_pending_order_items", **MODIFY | {"item_ids": ["k2", "k1"], "new_item_ids": ["k4", "k3"]})
    assert environment.fingerprint() != twin.fingerprint()


def test_the_price_difference_of_a_modification_is_not_rounded_in_the_order_but_on_the_card(environment):
    order = done(environment, "modify_pending_order_items", **MODIFY | {"payment_method_id": "gift_card_1"})
    assert order["payment_history"][-1] == {
        "transaction_type": "payment",
        "amount": (12.3 - 10.1) + (20.3 - 10.1),
        "payment_method_id": "gift_card_1",
    }
    assert order["payment_history"][-1]["amount"] != 12.4
    assert balance(environment) == 2.6


def test_an_exchange_records_sorted_ids_and_the_rounded_difference_and_moves_no_money(environment):
    arguments = {"order_id": "#W2", "item_ids": ["k1", "k1"], "new_item_ids": ["k4", "k3"], "payment_method_id": "gift_card_1"}
    order = done(environment, "exchange_delivered_order_items", **arguments)
    assert order["exchange_new_items"] == ["k3", "k4"]
    assert order["exchange_price_difference"] == 12.4
    assert balance(environment) == 15


def test_changing_the_payment_appends_payment_and_refund_and_settles_gift_cards(environment):
    order = done(environment, "modify_pending_order_payment", order_id="#W3", payment_method_id="paypal_1")
    kinds = [(row["transaction_type"], row["payment_method_id"]) for row in order["payment_history"]]
    assert kinds == [("payment", "gift_card_1"), ("payment", "paypal_1"), ("refund", "gift_card_1")]
    assert balance(environment) == 25.1


def test_a_return_takes_back_to_the_original_method_or_a_gift_card(environment):
    twin = environment.fork()
    arguments = {"order_id": "#W2", "item_ids": ["k1"]}
    assert done(environment, "return_delivered_order_items", **arguments, payment_method_id="paypal_1")["return_items"] == ["k1"]
    assert done(twin, "return_delivered_order_items", **arguments, payment_method_id="gift_card_1")["status"] == "return requested"


def test_an_orders_address_and_a_users_address_change_apart(environment):
    done(environment, "modify_pending_order_address", order_id="#W1", **ADDRESS)
    assert set(environment.delta()) == {"orders"}
    done(environment, "modify_user_address", user_id="ann_1", **ADDRESS)
    assert environment.call("find_user_id_by_name_zip", {"first_name": "ANN", "last_name": "lee", "zip": "83701"}).content == "ann_1"
    assert environment.call("find_user_id_by_name_zip", {"first_name": "Ann", "last_name": "Lee", "zip": "80201"}).content == "ann_2"


def test_reads_show_people_products_and_items(environment):
    assert environment.call("find_user_id_by_email", {"email": "ANN@EXAMPLE.COM"}).content == "ann_1"
    assert environment.call("list_all_product_types", {}).content == '{"Apron": "p2", "Kettle": "p1"}'
    assert done(environment, "get_item_details", item_id="k3")["price"] == 12.3
    assert set(done(environment, "get_product_details", product_id="p1")["variants"]) == {"k1", "k2", "k3", "k4", "k5"}
    assert environment.call("transfer_to_human_agents", {"summary": ""}).content == "Transfer successful"


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("cancel_pending_order", {"order_id": "#W2", "reason": "no longer needed"}, "Non-pending order cannot be cancelled"),
        ("cancel_pending_order", {"order_id": "#W1", "reason": "too dear"}, "Invalid reason"),
        ("cancel_pending_order", {"order_id": "W1", "reason": "too dear"}, "Order not found"),
        ("modify_pending_order_items", MODIFY | {"item_ids": ["k1", "k1"]}, "k1 not found"),
        ("modify_pending_order_items", MODIFY | {"item_ids": ["k1"]}, "The number of items to be exchanged should match"),
        ("modify_pending_order_items", MODIFY | {"new_item_ids": ["k3", "k2"]}, "The new item id should be different from the old item id"),
        ("modify_pending_order_items", MODIFY | {"new_item_ids": ["k3", "a1"]}, "Variant not found"),
        ("modify_pending_order_items", MODIFY | {"new_item_ids": ["k5", "k3"]}, "New item k5 not found or available"),
        ("modify_pending_order_items", MODIFY | {"payment_method_id": "visa"}, "Payment method not found"),
        (
            "modify_pending_order_items",
            MODIFY | {"new_item_ids": ["k4", "k4"], "payment_method_id": "gift_card_1"},
            "Insufficient gift card balance to pay for the new item",
        ),
        ("exchange_delivered_order_items", MODIFY, "Non-delivered order cannot be exchanged"),
        ("exchange_delivered_order_items", MODIFY | {"order_id": "#W2"}, "Number of k2 not found."),
        (
            "exchange_delivered_order_items",
            MODIFY | {"order_id": "#W2", "item_ids": ["k1"]},
            "The number of items to be exchanged should match.",
        ),
        (
            "exchange_delivered_order_items",
            MODIFY | {"order_id": "#W2", "item_ids": ["k1", "k1"], "new_item_ids": ["k4", "k4"], "payment_method_id": "gift_card_1"},
            "Insufficient gift card balance to pay for the price difference",
        ),
        ("return_delivered_order_items", {"order_id": "#W2", "item_ids": ["k2"], "payment_method_id": "paypal_1"}, "Some item not found"),
        ("return_delivered_order_items", {"order_id": "#W1", "item_ids": [], "payment_method_id": "x"}, "Non-delivered order cannot be returned"),
        (
            "modify_pending_order_payment",
            {"order_id": "#W1", "payment_method_id": "paypal_1"},
            "The new payment method should be different from the current one",
        ),
        (
            "modify_pending_order_payment",
            {"order_id": "#W1", "payment_method_id": "gift_card_1"},
            "Insufficient gift card balance to pay for the order",
        ),
        ("modify_pending_order_address", {"order_id": "#W2", **ADDRESS}, "Non-pending order cannot be modified"),
        ("modify_user_address", {"user_id": "bob", **ADDRESS}, "User not found"),
        ("find_user_id_by_email", {"email": "nobody@example.com"}, "User not found"),
        ("find_user_id_by_email", {"email": None}, "'NoneType' object has no attribute 'lower'"),
        ("get_item_details", {"item_id": "p1"}, "Item not found"),
        ("get_product_details", {"product_id": "k1"}, "Product not found"),
    ],
)
def test_a_retail_call_that_must_not_succeed_gives_its_reason_and_changes_nothing(environment, name, arguments, reason):
    assert refused(environment, name, **arguments) == f"Error: {reason}"


def test_a_return_to_a_third_payment_method_is_refused():
    database = retail_database()
    database.tables["orders"]["#W2"]["payment_history"][0]["payment_method_id"] = "gift_card_1"
    reason = refused(
        Environment(RetailTools, database), "return_delivered_order_items", order_id="#W2", item_ids=["k1"], payment_method_id="paypal_1"
    )
    assert reason == "Error: Payment method should be the original payment method"


def test_a_payment_can_be_changed_once_only(environment):
    done(environment, "modify_pending_order_payment", order_id="#W3", payment_method_id="paypal_1")
    result = environment.call("modify_pending_order_payment", {"order_id": "#W3", "payment_method_id": "gift_card_1"})
    assert result.content == "Error: There should be exactly one payment for a pending order"
