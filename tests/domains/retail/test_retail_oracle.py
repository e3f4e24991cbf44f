"""The certificates against brute force: what a plan does not show cannot matter, and each rival does matter."""

from itertools import islice, product
from random import Random

from retail_mutations import other_orders, other_products, other_users
from retail_worlds import RETAIL, certified

from writ.domains.base import run
from writ.domains.certificates import outcome_of
from writ.errors import ToolRefused


def decided(world, wish, user_id):
    """What makes the decision the one it is."""
    outcome, _ = run(RETAIL.kinds[wish.kind].resolve(wish, user_id), world.read)
    return outcome.identity


def put(world, table, record_id, record):
    other = world.fork()
    other.state.insert(table, record_id, record)
    return other


def orders_of(world, user_id):
    return [world.state.get("orders", order_id) for order_id in world.state.get("users", user_id)["orders"]]


def named_items(world, wish):
    """One item for each reference in the wish, as an order would hold it."""
    items = wish.slots.get("items", {})
    refs = [*items.get("items", ()), *(change["item"] for change in wish.slots.get("changes", ()))]
    products = {record["name"]: record for record in world.state.values("products")}
    return [bought(products[ref["product"]], ref.get("options", {})) for ref in refs if "product" in ref]


def bought(product, options):
    variant = next(variant for variant in product["variants"].values() if options.items() <= variant["options"].items())
    kept = {key: variant[key] for key in ("item_id", "price", "options")}
    return {"name": product["name"], "product_id": product["product_id"], **kept}


def unread_worlds(world, wish, user_id, plan):
    """Worlds that look the same to these reads."""
    shown = {next(iter(read.arguments.values()), "") for read in plan}
    orders, named = orders_of(world, user_id), named_items(world, wish)
    for order in orders:
        if order["order_id"] not in shown:
            for other in other_orders(order, orders, named):
                yield put(world, "orders", order["order_id"], other)
    if user_id not in shown:
        for other, twin in other_users(world.state.get("users", user_id), orders, named):
            yield put(put(world, "orders", twin["order_id"], twin) if twin else world, "users", user_id, other)
    products = {item["product_id"] for order in orders for item in order["items"]}
    for product_id in sorted(products - shown):
        for other in other_products(world.state.get("products", product_id), fixed=frozenset(shown)):
            yield put(world, "products", product_id, other)


def other_worlds(world, wish, user_id, read):
    """Worlds in which this read shows something else."""
    record_id = next(iter(read.arguments.values()))
    orders, named = orders_of(world, user_id), named_items(world, wish)
    if read.name == "get_order_details":
        order = world.state.get("orders", record_id)
        for other in (*other_orders(order, orders, named), {**order, "user_id": user_id}):
            yield put(world, "orders", record_id, other)
    if read.name == "get_user_details":
        for other, twin in other_users(world.state.get("users", user_id), orders, named):
            yield put(put(world, "orders", twin["order_id"], twin) if twin else world, "users", user_id, other)
    if read.name == "get_product_details":
        for other in other_products(world.state.get("products", record_id)):
            yield put(world, "products", record_id, other)


def rereads(world, wish, user_id):
    try:
        return decided(world, wish, user_id)
    except ToolRefused:
        return None


def test_what_the_plan_does_not_show_cannot_change_the_decision(database):
    tried = 0
    for user_id, wish, decision, world in certified(database, users=4, per_kind=2):
        gold = decided(world, wish, user_id)
        worlds = list(unread_worlds(world, wish, user_id, decision.certificate.plan))
        for other in Random(wish.kind).sample(worlds, min(len(worlds), 20)):
            tried += 1
            assert decided(other, wish, user_id) == gold, (wish, decision.certificate.plan)
    assert tried > 500


def test_every_rival_is_a_world_that_changes_the_decision(database):
    """So no read of a plan is there for nothing."""
    seen = 0
    for user_id, wish, decision, world in certified(database, users=4, per_kind=2):
        gold = decided(world, wish, user_id)
        for rival in decision.certificate.rivals:
            reads = [read for read in rival.refuters if read.name != "get_item_details"]
            worlds = (other for read in reads for other in other_worlds(world, wish, user_id, read))
            if len(reads) > 1:
                worlds = combined(world, user_id, reads)
            seen += 1
            assert any(rereads(other, wish, user_id) != gold for other in worlds), (wish, rival)
    assert seen > 150


def combined(world, user_id, reads):
    """Worlds in which all of these reads show something else: the same kind of change in each."""
    records = [(read.name, next(iter(read.arguments.values()))) for read in reads]
    if all(name == "get_product_details" for name, _ in records):
        changes = [list(islice(other_products(world.state.get("products", product_id)), 4)) for _, product_id in records]
        choices = zip(*changes, strict=True)
    else:
        orders = orders_of(world, user_id)
        changes = [list(other_orders(world.state.get("orders", order_id), orders)) for name, order_id in records if name == "get_order_details"]
        choices = islice(product(*changes), 400)
    for choice in choices:
        other = world
        for (name, record_id), record in zip(records, choice, strict=False):
            other = put(other, {"get_product_details": "products"}.get(name, "orders"), record_id, record)
        yield other


def test_the_outcome_kept_in_a_decision_is_the_resolvers(database):
    for user_id, wish, decision, world in certified(database, users=5, per_kind=2):
        assert outcome_of(decision).identity == decided(world, wish, user_id)


def test_burden_of_an_exchange_told_by_content_is_two_and_the_orders(database):
    number = 0
    for user_id, wish, decision, world in certified(database, users=60, per_kind=12, kinds=["exchange_items"]):
        if decision.outcome == "act" and wish.slots["order"]["by"] == "content" and len(wish.slots["changes"]) == 1:
            number += 1
            assert decision.certificate.burden == 2 + len(orders_of(world, user_id))
    assert number > 5


def test_burden_of_returning_all_above_a_price_is_one_and_the_orders(database):
    number = 0
    for user_id, wish, decision, world in certified(database, users=60, per_kind=12, kinds=["return_items"]):
        if decision.outcome == "act" and wish.slots["items"]["by"] == "above" and wish.slots["order"]["by"] == "all":
            number += 1
            assert decision.certificate.burden == 1 + len(orders_of(world, user_id))
    assert number > 5
