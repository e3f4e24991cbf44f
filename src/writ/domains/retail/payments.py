"""References to payment methods and addresses.

A payment reference: `by` is `original` (what the order was paid with), `card` (brand, last_four), `paypal`, `gift_card`, `other` (the account
has exactly two methods, and it is the one that the order was not paid with), or `order` (order: a reference; what that order was paid with).
An address reference: `by` is `words` (address: all six fields), `edit` (address2: the rest as in the profile), `default` (the profile's) or
`order` (order: a reference; where that order goes).
"""

from writ.domains.retail.evidence_book import Decline, Json
from writ.domains.retail.words import brand_words
from writ.domains.wording import listed

ADDRESS_FIELDS = ("address1", "address2", "city", "state", "country", "zip")


def payment_words(ref: Json) -> str:
    """The reference in the user's words; `order` is worded by what it points at."""
    match ref["by"]:
        case "card":
            return f"{brand_words(ref['brand'])} ending in {ref['last_four']}"
        case "paypal":
            return "PayPal account"
        case "gift_card":
            return "gift card"
        case "other":
            return "other payment method on file"
        case _:
            return "original payment method"


def on_account(ref: Json, user: Json, original: str) -> str:
    """Id of the method of the account that the words fit. Raises: Decline where none does, or several."""
    methods = user["payment_methods"]
    if ref["by"] == "other":
        found = [method for method in methods if method != original] if len(methods) == 2 else []
    else:
        found = [method_id for method_id, method in methods.items() if _fits(method, ref)]
    if len(found) != 1:
        words = payment_words(ref)
        raise Decline("ambiguous" if found else "not_found", f"the {words}", words, *_listing(user))
    return str(found[0])


def _fits(method: Json, ref: Json) -> bool:
    if ref["by"] == "card":
        return method["source"] == "credit_card" and (method["brand"], method["last_four"]) == (ref["brand"], ref["last_four"])
    return bool(method["source"] == ref["by"])


def _listing(user: Json) -> tuple[str, ...]:
    return (listed(sorted({method["source"].replace("_", " ") for method in user["payment_methods"].values()})),)


def reference_to(method: Json) -> Json:
    """The words that name a method of an account."""
    if method["source"] == "credit_card":
        return {"by": "card", "brand": method["brand"], "last_four": method["last_four"]}
    return {"by": method["source"]}


def address_fields(address: Json) -> Json:
    """The six fields, in the order of the write tools' arguments."""
    return {field: address[field] for field in ADDRESS_FIELDS}
