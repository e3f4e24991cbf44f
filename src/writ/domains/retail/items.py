"""References to items of an order, and to the variant wanted in place of one.

An item reference is `product` (its name) with `options` (some of them, may be absent), or `which` (`highest` or `lowest` price of the order).
A new item is `options` (what the words fix), `rest` (`same`: all else as the old item has it; `any`: free) and `best` (empty: the words fit
exactly one available variant; `lowest` or `highest`: the cheapest or dearest available one that they fit); or
`product` (another product's name: never possible).
"""

from typing import NamedTuple

from writ.domains.base import Reads
from writ.domains.retail.evidence_book import Book, Decline, Json, product_call
from writ.domains.retail.orders import fits
from writ.domains.retail.words import item_words, money, options_words, product_words
from writ.schema import Candidate


class Choice(NamedTuple):
    """The variant that the words fix, and how it was told from the others."""

    variant: Json
    criterion: str = ""
    candidates: tuple[Candidate, ...] = ()
    margin: float | None = None


def find_items(ref: Json, order: Json) -> list[Json]:
    """Items of the order that the reference means: all that fit where it says `each`, else exactly one. Raises: Decline."""
    if "which" in ref:
        return [_by_price(ref, order)]
    found = [item for item in order["items"] if fits(item, ref)]
    if not found:
        raise Decline("not_found", f"the {item_words(ref)} in order {order['order_id']}", product_words(ref["product"]))
    if len(found) > 1 and not ref.get("each"):
        raise Decline("ambiguous", f"the {item_words(ref)} in order {order['order_id']}", product_words(ref["product"]))
    return found


def _by_price(ref: Json, order: Json) -> Json:
    best = (max if ref["which"] == "highest" else min)(item["price"] for item in order["items"])
    found = [item for item in order["items"] if item["price"] == best]
    if len(found) > 1:
        raise Decline("ambiguous", f"the {item_words(ref)} in order {order['order_id']}", order["order_id"])
    return dict(found[0])


def find_variant(new: Json, item: Json, book: Book) -> Reads[Choice]:
    """The variant wanted in place of `item`. Raises: Decline where policy, stock or the words leave none, or several."""
    name = product_words(item["name"])
    wanted = {**item["options"], **new["options"]} if new["rest"] == "same" else new["options"]
    if wanted == item["options"]:
        raise Decline("same_item", f"the {name}", name)
    product = yield from book.product(item["product_id"])
    book.rival(f"the {product['name']} has another variant that wins, or the wanted one is gone", product_call(item["product_id"]))
    return choose(new, wanted, item, product)


def choose(new: Json, wanted: Json, item: Json, product: Json) -> Choice:
    """Raises: Decline."""
    name = product_words(item["name"])
    eligible = [variant for variant in product["variants"].values() if _eligible(variant, wanted, item)]
    if not eligible:
        raise Decline("unavailable_variant", f"the {name} with {options_words(wanted)}", name)
    if not new["best"]:
        if len(eligible) > 1:
            raise Decline("ambiguous", f"the {name} with {options_words(wanted)}", name)
        return Choice(eligible[0])
    highest = new["best"] == "highest"
    ranked = sorted(eligible, key=lambda variant: float(variant["price"]), reverse=highest)
    margin = round(abs(ranked[0]["price"] - ranked[1]["price"]), 2) if len(ranked) > 1 else None
    if margin == 0:
        raise Decline("ambiguous", f"the {'dearest' if highest else 'cheapest'} {name}", name)
    criterion = f"{'highest' if highest else 'lowest'} price"
    out = [variant for variant in product["variants"].values() if variant not in ranked]
    candidates = tuple(_candidate(variant, wanted, item, ranked, criterion) for variant in (*ranked, *out))
    return Choice(ranked[0], criterion, candidates, margin)


def _eligible(variant: Json, wanted: Json, item: Json) -> bool:
    return bool(variant["available"]) and variant["item_id"] != item["item_id"] and wanted.items() <= variant["options"].items()


def _candidate(variant: Json, wanted: Json, item: Json, ranked: list[Json], criterion: str) -> Candidate:
    choice = f"versions of the {product_words(item['name'])} in place of {item['item_id']}"
    label = f"{product_words(item['name'])} {variant['item_id']}: {options_words(variant['options'])}"
    values = {"price": money(variant["price"]), **variant["options"]}
    if variant not in ranked:
        return Candidate(label=label, values=values, status="excluded", why=_exclusion(variant, wanted, item), choice=choice)
    place = ranked.index(variant)
    if place == 0:
        return Candidate(label=label, values=values, status="winner", why=f"has the {criterion}", choice=choice)
    return Candidate(label=label, values=values, status="runner_up" if place == 1 else "eligible", choice=choice)


def _exclusion(variant: Json, wanted: Json, item: Json) -> str:
    if variant["item_id"] == item["item_id"]:
        return "is the one that they have"
    others = [f"{key} is {variant['options'].get(key, 'none')}, not {value}" for key, value in wanted.items() if variant["options"].get(key) != value]
    return "; ".join(others) or "is out of stock"
