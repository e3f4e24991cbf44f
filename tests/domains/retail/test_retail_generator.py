"""The generated store: reproducible, valid, like the benchmark's in its figures and unlike it in every id."""

import json
from collections import Counter

import pytest
from retail_worlds import RETAIL, world_of

from writ.domains.database import Database
from writ.domains.retail.tools import RetailTools


@pytest.fixture(scope="module")
def tables():
    return RETAIL.generate(3, 500)


def shares(values):
    counts = Counter(values)
    return {key: count / sum(counts.values()) for key, count in counts.items()}


def ids_of(tables):
    items = {item for product in tables["products"].values() for item in product["variants"]}
    methods = {method for user in tables["users"].values() for method in user["payment_methods"]}
    emails = {user["email"] for user in tables["users"].values()}
    return items | methods | emails | set(tables["products"]) | set(tables["users"]) | set(tables["orders"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tables):
    assert json.dumps(RETAIL.generate(3, 500)) == json.dumps(tables)
    assert json.dumps(RETAIL.generate(4, 500)) != json.dumps(tables)


def test_the_tables_have_the_shape_of_the_tools(tables):
    assert Database.from_tables(json.loads(json.dumps(tables)), RetailTools.shape).tables["orders"] == json.loads(json.dumps(tables["orders"]))


def test_no_id_is_one_of_the_benchmarks(tables, shared):
    published = json.loads((shared / "tau2-bench" / "retail" / "db.json").read_text())
    assert ids_of(tables).isdisjoint(ids_of(published))
    people = {(user["name"]["first_name"], user["name"]["last_name"]) for user in published["users"].values()}
    assert people.isdisjoint((user["name"]["first_name"], user["name"]["last_name"]) for user in tables["users"].values())
    assert {product["name"] for product in published["products"].values()}.isdisjoint(product["name"] for product in tables["products"].values())


def test_its_figures_are_the_benchmarks(tables, shared):
    published = json.loads((shared / "tau2-bench" / "retail" / "db.json").read_text())
    figures = {
        "orders per user": lambda t: [len(user["orders"]) for user in t["users"].values()],
        "items per order": lambda t: [len(order["items"]) for order in t["orders"].values()],
        "status": lambda t: [order["status"] for order in t["orders"].values()],
        "methods": lambda t: [len(user["payment_methods"]) for user in t["users"].values()],
        "in stock": lambda t: [variant["available"] for product in t["products"].values() for variant in product["variants"].values()],
        "elsewhere": lambda t: [order["address"] != t["users"][order["user_id"]]["address"] for order in t["orders"].values()],
        "paid with": lambda t: [order["payment_history"][0]["payment_method_id"].rpartition("_")[0] for order in t["orders"].values()],
    }
    for name, figure in figures.items():
        ours, theirs = shares(figure(tables)), shares(figure(published))
        distance = sum(abs(ours.get(key, 0) - theirs.get(key, 0)) for key in ours.keys() | theirs.keys()) / 2
        assert distance < 0.09, (name, ours, theirs)


def test_every_person_is_found_by_email_and_by_name_with_zip(tables):
    world = world_of(Database.from_tables(tables, RetailTools.shape))
    for user_id, user in tables["users"].items():
        assert world.read("find_user_id_by_email", {"email": user["email"]}) == user_id
        named = {**user["name"], "zip": user["address"]["zip"]}
        assert world.read("find_user_id_by_name_zip", named) == user_id


def test_orders_add_up_and_belong_to_their_user(tables):
    for order_id, order in tables["orders"].items():
        user = tables["users"][order["user_id"]]
        assert order_id in user["orders"]
        assert order["payment_history"][0]["amount"] == pytest.approx(sum(item["price"] for item in order["items"]))
        assert order["payment_history"][0]["payment_method_id"] in user["payment_methods"]
        for item in order["items"]:
            variant = tables["products"][item["product_id"]]["variants"][item["item_id"]]
            assert (item["price"], item["options"]) == (variant["price"], variant["options"])


def test_more_people_than_names_are_all_different():
    tables = RETAIL.generate(5, 3000)
    assert len(tables["users"]) == 3000
    people = {(user["name"]["first_name"], user["name"]["last_name"], user["address"]["zip"]) for user in tables["users"].values()}
    assert len(people) == 3000
