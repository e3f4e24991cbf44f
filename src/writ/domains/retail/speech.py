"""An agent's words for a write, and the forms in which its arguments may be stated."""

from collections.abc import Mapping
from functools import cached_property
from random import Random
from typing import Any

from writ.domains.base import Shown
from writ.domains.retail.evidence_book import Json
from writ.domains.retail.payments import ADDRESS_FIELDS
from writ.domains.retail.templates import say
from writ.domains.retail.words import address_words, brand_words, method_words, money, product_words, variant_words
from writ.domains.wording import listed
from writ.schema import Call

_COUNTRY = ("USA", "US", "United States")


class Seen:
    """What the outputs so far show, by id; later outputs replace earlier ones."""

    def __init__(self, shown: Shown) -> None:
        self._shown = [(call, value) for call, value in shown if isinstance(value, dict)]
        self.orders: dict[str, Json] = {}
        self.methods: dict[str, Json] = {}
        for _, value in self._shown:
            if "order_id" in value and "items" in value:
                self.orders[value["order_id"]] = value
            elif "payment_methods" in value:
                self.methods.update(value["payment_methods"])

    @cached_property
    def variants(self) -> dict[str, Json]:
        """By item id, each with its product's name."""
        variants: dict[str, Json] = {}
        for call, value in self._shown:
            if "variants" in value:
                variants.update({item_id: {**variant, "name": value["name"]} for item_id, variant in value["variants"].items()})
            elif call.name == "get_item_details":
                variants[value["item_id"]] = {**variants.get(value["item_id"], {}), **value}
        return variants

    def item(self, order_id: str, item_id: str) -> Json | None:
        items = self.orders.get(order_id, {}).get("items", ())
        return next((item for item in items if item["item_id"] == item_id), None)

    def original(self, order_id: str) -> str:
        history = self.orders.get(order_id, {}).get("payment_history") or [{}]
        return str(history[0].get("payment_method_id", ""))


def summarize(write: Call, shown: Shown, rng: Random) -> str:
    """One clause that states every argument of the write."""
    seen, arguments = Seen(shown), write.arguments
    slots = {"order": arguments.get("order_id", ""), "reason": arguments.get("reason", ""), "items": _items(write, seen)}
    slots["method"] = _method(arguments, seen)
    slots["address"] = address_words(arguments) if "address1" in arguments else ""
    return say(rng, f"agent_{write.name}", slots)


def _items(write: Call, seen: Seen) -> str:
    arguments = write.arguments
    old = [_item(arguments["order_id"], item_id, seen) for item_id in arguments.get("item_ids", ())]
    if "new_item_ids" not in arguments:
        return listed(f"the {words}" for words in old)
    new = [_variant(item_id, seen) for item_id in arguments["new_item_ids"]]
    return listed(f"the {before} is replaced by the {after}" for before, after in zip(old, new, strict=False))


def _item(order_id: str, item_id: str, seen: Seen) -> str:
    item = seen.item(order_id, item_id)
    return f"{product_words(item['name'])} ({variant_words(item)}; item {item_id})" if item else f"item {item_id}"


def _variant(item_id: str, seen: Seen) -> str:
    variant = seen.variants.get(item_id)
    return f"one with {variant_words(variant)} for {money(variant['price'])} (item {item_id})" if variant else f"item {item_id}"


def _method(arguments: Mapping[str, Any], seen: Seen) -> str:
    method_id = arguments.get("payment_method_id", "")
    original = " (the original payment method)" if method_id == seen.original(arguments.get("order_id", "")) else ""
    if method_id in seen.methods:
        return f"your {method_words(seen.methods[method_id])}{original}"
    kind = {"paypal": "PayPal account", "gift_card": "gift card", "credit_card": "credit card"}.get(method_id.rpartition("_")[0])
    return f"your {kind} {method_id}{original}" if kind and not original else f"your {kind}{original}" if kind else method_id


def forms(write: Call, shown: Shown) -> dict[str, tuple[str, ...]]:
    """Per argument leaf the texts any one of which states it."""
    seen, arguments = Seen(shown), write.arguments
    stated: dict[str, tuple[str, ...]] = {}
    for name, value in arguments.items():
        if isinstance(value, list):
            stated |= {f"{name}.{index}": _item_forms(write, name, index, seen) for index in range(len(value))}
        elif name == "payment_method_id":
            stated[name] = _method_forms(value, arguments.get("order_id", ""), seen)
        elif name == "user_id":
            stated[name] = (value, "default address", "your address", "your profile", "your account", "address on file")
        elif name == "country":
            stated[name] = (value, *_COUNTRY, arguments["state"], arguments["zip"]) if value in _COUNTRY else (value,)
        elif name == "order_id":
            stated[name] = (value, value.lstrip("#"))
        else:
            stated[name] = (str(value),) if value else ()
    return stated


def _item_forms(write: Call, name: str, index: int, seen: Seen) -> tuple[str, ...]:
    item_id = write.arguments[name][index]
    order_id = write.arguments["order_id"]
    if name == "item_ids":
        item = seen.item(order_id, item_id)
        return (item_id, product_words(item["name"]), item["name"]) if item else (item_id,)
    variant = seen.variants.get(item_id)
    if variant is None:
        return (item_id,)
    olds = write.arguments.get("item_ids", ())
    old = seen.item(order_id, olds[index]) if index < len(olds) else None
    price = variant["price"]
    return (item_id, money(price), f"{price:.2f}", *_telling(variant, old, seen), variant_words(variant))


def _telling(variant: Json, old: Json | None, seen: Seen) -> tuple[str, ...]:
    """The changed option that fewest other variants share: whoever lists what changes names it."""
    before = old["options"] if old else {}
    changed = [(key, value) for key, value in variant["options"].items() if before.get(key) != value]
    siblings = [other for other in seen.variants.values() if other.get("name") == variant.get("name")]
    ranked = sorted(changed, key=lambda option: sum(other["options"].get(option[0]) == option[1] for other in siblings))
    return tuple(value for _, value in ranked[:1])


def _method_forms(method_id: str, order_id: str, seen: Seen) -> tuple[str, ...]:
    texts = [method_id]
    if method_id == seen.original(order_id):
        texts += ["original payment", "original method", "originally paid", "same payment method", "same method"]
    method = seen.methods.get(method_id, {"source": method_id.rpartition("_")[0]})
    if method["source"] == "credit_card":
        return (*texts, *_card_forms(method, seen))
    return (*texts, *{"paypal": ("PayPal",), "gift_card": ("gift card",)}.get(method["source"], ()))


def _card_forms(method: Json, seen: Seen) -> tuple[str, ...]:
    """Its last digits; its brand, or that it is a card, only where no other card of the account has that too."""
    cards = [other for other in seen.methods.values() if other["source"] == "credit_card"]
    alone = ("credit card",) if len(cards) < 2 else ()
    if "brand" not in method:
        return alone
    brands = [other["brand"] for other in cards]
    own = (brand_words(method["brand"]),) if brands.count(method["brand"]) == 1 else ()
    return (method["last_four"], method_words(method), *own, *alone)


def fields(argument: str) -> tuple[str, ...]:
    """Paths of outputs that may ground an argument; an empty path is the whole output."""
    name = argument.partition(".")[0]
    if name in ADDRESS_FIELDS:
        return (f"get_user_details:address.{name}", f"get_order_details:address.{name}")
    return _FIELDS.get(name, ())


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "order_id": ("get_user_details:orders.*", "get_order_details:order_id"),
    "item_ids": ("get_order_details:items.*.item_id",),
    "new_item_ids": ("get_product_details:variants.*.item_id", "get_item_details:item_id"),
    "payment_method_id": ("get_user_details:payment_methods.*.id", "get_order_details:payment_history.*.payment_method_id"),
    "user_id": ("find_user_id_by_email:", "find_user_id_by_name_zip:", "get_user_details:user_id", "get_order_details:user_id"),
}
