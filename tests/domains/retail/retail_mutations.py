"""Other ways a record could be, each legal in this world: what the oracle tries against a certificate."""

from itertools import product

STATUSES = ("pending", "processed", "delivered", "cancelled", "pending (item modified)", "return requested")


def other_orders(order, orders, named=()):
    """The order as every status and content that could make it fit, or unfit, the words; `named`: items that the words name."""
    contents = [order["items"], list(named), *[other["items"] for other in orders], [item for other in orders for item in other["items"]]]
    addresses = [order["address"], *[other["address"] for other in orders], {**order["address"], "city": "Nowhere", "address1": "1 Other Street"}]
    paid = order["payment_history"][0]
    payments = [paid, *({**paid, "amount": amount} for amount in (0.01, 1e6)), {**paid, "payment_method_id": "paypal_00000000"}]
    for status, items in product(STATUSES, contents):
        yield {**order, "status": status, "items": items}
    for status, address in product(STATUSES, addresses):
        yield {**order, "status": status, "address": address}
    for status, payment in product(STATUSES, payments):
        yield {**order, "status": status, "payment_history": [payment]}
    for status, payment, items in product(STATUSES, payments[1:3], ([], list(named))):
        yield {**order, "status": status, "items": items, "payment_history": [payment]}
    for price in (0.01, 1e5):
        yield {**order, "items": [{**item, "price": price} for item in order["items"]]}
    yield {**order, "items": [{**item, "item_id": f"{item['item_id']}0"} for item in order["items"]]}
    yield {**order, "user_id": "somebody_else_0000"}


def other_users(user, orders, named=()):
    """The user with other payment methods, another address, or one more order in the list; with the record of that order."""
    methods = user["payment_methods"]
    yield {**user, "payment_methods": {}}, None
    yield {**user, "payment_methods": {f"{key}0": {**method, "id": f"{key}0"} for key, method in methods.items()}}, None
    for balance in (0.0, 1e6):
        changed = {key: {**method, "balance": balance} if "balance" in method else method for key, method in methods.items()}
        yield {**user, "payment_methods": changed}, None
    yield {**user, "address": {**user["address"], "address1": "1 Other Street", "city": "Nowhere"}}, None
    for order in (*orders, *({**order, "items": list(named)} for order in orders[:1] if named)):
        for status in (order["status"], *STATUSES):
            for amount in (order["payment_history"][0]["amount"], 0.01, 1e6):
                paid = {**order["payment_history"][0], "amount": amount}
                twin = {**order, "order_id": f"{order['order_id']}9", "status": status, "payment_history": [paid]}
                yield {**user, "orders": [*user["orders"], twin["order_id"]]}, twin
    yield {**user, "orders": []}, None


def other_products(product_record, fixed=frozenset()):
    """The product with all variants sold out, there, cheap, dear, or with one more of each; variants in `fixed` stay."""
    variants = product_record["variants"]

    def changed(**fields):
        return {key: variant if key in fixed else {**variant, **fields} for key, variant in variants.items()}

    for fields in ({"available": False}, {"available": True}, {"available": True, "price": 0.01}, {"price": 1e6, "available": True}):
        yield {**product_record, "variants": changed(**fields)}
    for twin, price in product(variants.values(), (0.02, 2e6)):
        new = {**twin, "item_id": f"{twin['item_id']}9", "price": price, "available": True}
        yield {**product_record, "variants": {**variants, new["item_id"]: new}}
    for gone, variant in variants.items():
        if gone not in fixed:
            yield {**product_record, "variants": {**variants, gone: {**variant, "available": not variant["available"]}}}
            yield {**product_record, "variants": {**variants, gone: {**variant, "price": 0.03}}}
