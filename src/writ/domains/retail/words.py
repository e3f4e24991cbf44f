"""Retail things in a customer's words: items, options, cards, addresses, money. Nothing here names an id that a reference hides."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from writ.domains.wording import listed

Json = Mapping[str, Any]

_KEEP = re.compile(r"[A-Z]{2,}")
_KEY_FIRST = {"size", "brand", "features", "feature", "armrest", "armrests", "piece count", "type", "gender", "frame size", "backlight", "style"}


@cache
def product_words(name: str) -> str:
    """`Tea Kettle` as `tea kettle`; abbreviations keep their capitals."""
    return " ".join(word if _KEEP.search(word) else word.lower() for word in name.split(" "))


@cache
def option_words(key: str, value: str) -> str:
    """One option as text: `stainless steel material`, `size 10`, `water resistance: yes`."""
    if value in ("yes", "no", "none"):
        return f"{key}: {value}"
    if "/" in key:
        return value
    return f"{key} {value}" if key in _KEY_FIRST else f"{value} {key}"


def options_words(options: Json) -> str:
    return listed(option_words(key, str(value)) for key, value in options.items())


def item_words(ref: Json) -> str:
    """A reference to an item: `tea kettle with stainless steel material`, `most expensive item`."""
    if "which" in ref:
        return {"highest": "most expensive item", "lowest": "cheapest item"}[ref["which"]]
    name = product_words(ref["product"])
    return f"{name} with {options_words(ref['options'])}" if ref.get("options") else name


def with_article(words: str) -> str:
    """`a tea kettle`, `an e-reader`, `an LED lamp`; good for the names of products."""
    return f"{'an' if words[0] in 'aeioAEIO' or words.startswith('LED') else 'a'} {words}"


def item_phrase(ref: Json) -> str:
    """The reference with its article: `the tea kettle`, `each tea kettle`."""
    return f"{'each' if ref.get('each') else 'the'} {item_words(ref)}"


def variant_words(item: Json) -> str:
    """An ordered item or a variant, by its options."""
    return options_words(item["options"])


def money(amount: float) -> str:
    return f"${amount:,.2f}"


def plain_money(amount: float) -> str:
    """A price limit as people say it: `$500`, `$49.50`."""
    return f"${amount:,.0f}" if float(amount).is_integer() else money(amount)


def address_words(address: Json) -> str:
    """One line: `12 Elm Street, Suite 3, Denver, CO 80201, USA`."""
    street = [address["address1"], address["address2"], address["city"]]
    return ", ".join([*(part for part in street if part), f"{address['state']} {address['zip']}", address["country"]])


def brand_words(brand: str) -> str:
    return {"visa": "Visa", "mastercard": "Mastercard"}.get(brand, brand)


def method_words(method: Json) -> str:
    """A payment method of an account, without its id."""
    if method["source"] == "credit_card":
        return f"{brand_words(method['brand'])} ending in {method['last_four']}"
    return {"paypal": "PayPal account", "gift_card": "gift card"}[method["source"]]
