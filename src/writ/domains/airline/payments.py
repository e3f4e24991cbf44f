"""Who pays, told in words that the profile turns into ids; and what trips, bags and insurance cost.

A *payment reference* is `{"card": "visa 7447"}` (brand and last four digits), `{"card": "only"}`, `{"gift": "only" | "largest" | 163}` (163: the
one with that balance), `{"certificate": "only" | 250}`, or `{"original": true}`: the method that the trip in question was paid with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Ref = Mapping[str, Any]

SOURCES = {"card": "credit_card", "gift": "gift_card", "certificate": "certificate"}
LIMITS = {"certificate": 1, "card": 1, "gift": 3}
"""How many methods of a kind one booking may use."""

BAG_DOLLARS = 50
INSURANCE_DOLLARS = 30

_MEMBER_BAGS = {"regular": 0, "silver": 1, "gold": 2}
_CABIN_BAGS = {"basic_economy": 0, "economy": 1, "business": 2}


def free_bags(membership: str, cabin: str, travelers: int) -> int:
    """Checked bags that cost nothing on a whole reservation."""
    return (_MEMBER_BAGS[membership] + _CABIN_BAGS[cabin]) * travelers


def kind_of(ref: Ref) -> str:
    return next(iter(ref))


def payment_text(ref: Ref) -> str:
    """A payment reference in the user's words."""
    kind, which = next(iter(ref.items()))
    if kind == "original":
        return "the payment method I originally used for it"
    noun = {"card": "credit card", "gift": "gift card", "certificate": "travel certificate"}[kind]
    if which == "only":
        return f"my only {noun}"
    if kind == "card":
        brand, last_four = which.split()
        return f"my {BRANDS.get(brand, brand)} ending in {last_four}"
    if which == "largest":
        return "my gift card with the highest balance"
    return f"my gift card with ${which:,} on it" if kind == "gift" else f"my ${which:,} travel certificate"


BRANDS = {"visa": "Visa", "mastercard": "Mastercard"}


def method_text(method: Record) -> str:
    """A payment method of a profile in words: `Visa ending in 7447`."""
    if method["source"] == "credit_card":
        return f"{BRANDS.get(method['brand'], method['brand'])} ending in {method['last_four']}"
    noun = "gift card" if method["source"] == "gift_card" else "travel certificate"
    return f"{noun} {method['id']}"


def method_of(ref: Ref, profile: Record, trip: Record | None = None) -> Record | None:
    """The one method of the profile that the words mean; None where none does, or several do."""
    methods: Mapping[str, Record] = profile["payment_methods"]
    kind, which = next(iter(ref.items()))
    if kind == "original":
        return methods.get(trip["payment_history"][0]["payment_id"]) if trip else None
    same = [method for method in methods.values() if method["source"] == SOURCES[kind]]
    if which == "only":
        fitting = same
    elif which == "largest":
        best = max((method["amount"] for method in same), default=0)
        fitting = [method for method in same if method["amount"] == best]
    elif kind == "card":
        fitting = [method for method in same if f"{method['brand']} {method['last_four']}" == which]
    else:
        fitting = [method for method in same if method["amount"] == which]
    return fitting[0] if len(fitting) == 1 else None


def refs_of(profile: Record, *, certificates: bool = True) -> list[dict[str, Any]]:
    """Every way in which this user can name one of their methods without an id, each checked to mean exactly one."""
    refs: list[dict[str, Any]] = []
    methods = list(profile["payment_methods"].values())
    for method in methods:
        if method["source"] == "credit_card":
            refs.append({"card": f"{method['brand']} {method['last_four']}"})
        elif method["source"] == "gift_card" and method["amount"] == int(method["amount"]) and method["amount"] > 0:
            refs.append({"gift": int(method["amount"])})
        elif method["source"] == "certificate" and certificates:
            refs.append({"certificate": int(method["amount"])})
    refs += [{kind: "only"} for kind in SOURCES if certificates or kind != "certificate"]
    refs += [{"gift": "largest"}] if sum(method["source"] == "gift_card" for method in methods) > 1 else []
    return [ref for ref in refs if method_of(ref, profile) is not None]


@dataclass(frozen=True, slots=True)
class Share:
    """What one method pays of a booking."""

    method: Record
    amount: int


def too_many(refs: Sequence[Ref]) -> bool:
    """More certificates, cards or gift cards than one booking may use."""
    kinds = [kind_of(ref) for ref in refs]
    return any(kinds.count(kind) > limit for kind, limit in LIMITS.items())


def split(total: int, methods: Sequence[Record]) -> list[Share] | None:
    """The total over the methods in the given order, each used up before the next; None where they do not suffice.

    Cards take whatever is left; a method with nothing to pay is left out.
    """
    shares = []
    for method in methods:
        amount = total if method["source"] == "credit_card" else min(total, int(method["amount"]))
        if amount > 0:
            shares.append(Share(method, amount))
            total -= amount
    return None if total > 0 else shares
