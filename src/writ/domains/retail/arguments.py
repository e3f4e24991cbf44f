"""Arguments of writes from the user's words: payment methods and addresses."""

from writ.domains.base import Reads
from writ.domains.retail.evidence_book import Book, Json, user_call
from writ.domains.retail.orders import find_orders, paid_with
from writ.domains.retail.payments import address_fields, on_account


def find_payment(ref: Json, order: Json, user_id: str, book: Book) -> Reads[str]:
    """Id of the payment method meant for a write on `order`. Raises: Decline where the words fit none, or several."""
    if ref["by"] == "original":
        return paid_with(order)
    if ref["by"] == "order":
        found = yield from find_orders(ref["order"], user_id, book)
        return paid_with(found.orders[0])
    user = yield from book.user(user_id)
    book.rival("the account holds another payment method that the words fit", user_call(user_id))
    return on_account(ref, user, paid_with(order))


def find_address(ref: Json, user_id: str, book: Book) -> Reads[Json]:
    """The six fields of the address meant. Raises: Decline where its order is none, or several."""
    if ref["by"] == "words":
        return address_fields(ref["address"])
    if ref["by"] == "order":
        found = yield from find_orders(ref["order"], user_id, book)
        return address_fields(found.orders[0]["address"])
    user = yield from book.user(user_id)
    book.rival("the profile holds another address", user_call(user_id))
    own = address_fields(user["address"])
    return own if ref["by"] == "default" else {**own, "address2": ref["address2"]}
