"""The retail domain: tools, policy, wishes, and where each read's arguments come from."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Literal

from writ.domains.base import Domain, Reads, Ruling, Said, Shown, WishKind
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.retail import generator, policy, speech
from writ.domains.retail.evidence_book import PRODUCT_LIST, Book, Json, account, order_call, product_call, user_call
from writ.domains.retail.tools import RetailTools
from writ.domains.retail.wishes.cancel import CancelOrder
from writ.domains.retail.wishes.paying import ChangePayment
from writ.domains.retail.wishes.refusals import REFUSALS, sequels
from writ.domains.retail.wishes.returns import ReturnItems
from writ.domains.retail.wishes.savings import SaveOnDelivered, SaveOnPending
from writ.domains.retail.wishes.shipping import ChangeAddress, ChangeHome
from writ.domains.retail.wishes.swaps import ChangeItems, ExchangeItems
from writ.errors import ToolRefused
from writ.schema import Call, Fact, Wish

_KINDS: tuple[WishKind, ...] = (
    CancelOrder(),
    ChangeAddress(),
    ChangeHome(),
    ChangePayment(),
    ChangeItems(),
    SaveOnPending(),
    ExchangeItems(),
    SaveOnDelivered(),
    ReturnItems(),
    *REFUSALS,
)

_FREE = frozenset(("find_user_id_by_email", "find_user_id_by_name_zip", "calculate", "transfer_to_human_agents"))
_MOVES_MONEY = frozenset(("cancel_pending_order", "modify_pending_order_payment", "modify_pending_order_items"))
"""Writes that may change a gift card's balance."""


class Retail(Domain):
    name = "retail"
    toolkit = RetailTools
    kinds = {kind.name: kind for kind in _KINDS}
    rules = policy.RULES
    policy = policy.POLICY

    def generate(self, seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
        """`deep`: accounts hold one to nine orders, mostly three to six, so that all cells fill."""
        return generator.generate(seed, users, deep=deep)

    def persons(self, database: Database) -> Sequence[str]:
        return list(database.tables["users"])

    def owned(self, database: Database, user_id: str) -> frozenset[str]:
        user = database.tables["users"][user_id]
        return frozenset((*user["orders"], *user["payment_methods"]))

    def identity(self, world: Environment, user_id: str, which: Literal["primary", "alternative"]) -> tuple[Fact, ...]:
        user, _ = account(world, user_id)
        if which == "primary":
            return (_identity("email", user["email"], "What is your email address?", "email", "e-mail"),)
        first, last, zip_code = user["name"]["first_name"], user["name"]["last_name"], user["address"]["zip"]
        return (
            _identity("first_name", first, "What is your first name?", "name"),
            _identity("last_name", last, "What is your last name?", "name"),
            _identity("zip", zip_code, "What is your zip code?", "zip", "postal"),
        )

    def sequels(self, wish: Wish, write: Call, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        return sequels(write, world, rng)

    def identify(self, said: Said) -> Reads[str]:
        if "email" in said:
            found: str = yield Call(name="find_user_id_by_email", arguments={"email": said["email"]})
            return found
        if not {"first_name", "last_name", "zip"} <= said.keys():
            raise ToolRefused("User not found")
        named = {key: said[key] for key in ("first_name", "last_name", "zip")}
        found = yield Call(name="find_user_id_by_name_zip", arguments=named)
        return found

    def permits(self, write: Call, said: Said) -> Reads[Ruling]:
        """`said` may hold `user_id` (the authenticated user) and `reason` (of a cancellation, in the user's words)."""
        return (yield from policy.ruling(write, said, Book()))

    def needs(self, read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
        if read.name == "get_order_details":
            named = read.arguments["order_id"] in set(_named(wish.slots))
            return () if named else ((user_call(user_id),),)
        if read.name == "get_product_details":
            product_id = read.arguments["product_id"]
            holding = _holding("product_id", product_id, wish, user_id, world)
            return ((*holding, PRODUCT_LIST),)
        if read.name == "get_item_details":
            item_id = read.arguments["item_id"]
            product = _product_with(item_id, wish, user_id, world)
            return ((*_holding("item_id", item_id, wish, user_id, world), *product),)
        return ()

    def stale(self, write: Call, read: Call) -> bool:
        if read.name == "get_order_details":
            return bool(write.arguments.get("order_id") == read.arguments.get("order_id"))
        if read.name == "get_user_details":
            return write.name in _MOVES_MONEY or write.arguments.get("user_id") == read.arguments.get("user_id")
        return False

    def free(self, read: Call) -> bool:
        return read.name in _FREE

    def summarize(self, write: Call, shown: Shown, rng: Random) -> str:
        return speech.summarize(write, shown, rng)

    def forms(self, write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
        return speech.forms(write, shown)

    def fields(self, tool: str, argument: str) -> tuple[str, ...]:
        return speech.fields(argument)

    def formulas(self, write: Call, shown: Shown, said: Said) -> Mapping[str, tuple[str, Any]]:
        """Nothing that a retail tool takes is computed."""
        return {}


def _identity(name: str, value: str, question: str, *cues: str) -> Fact:
    return Fact(name=name, value=value, text=value, question=question, cues=cues, core=False)


def _named(slots: Json) -> Iterator[str]:
    """Order ids that the wish's words name: as the order itself, or as the one whose address or payment method is meant."""
    for ref in (slots, slots.get("address", {}), slots.get("payment", {})):
        order = ref.get("order", {})
        if order.get("by") == "ids":
            yield from order["ids"]


def _within_reach(wish: Wish, user_id: str, world: Environment) -> Iterator[Json]:
    """Orders that the user owns or names."""
    user, orders = account(world, user_id)
    yield from orders
    for order_id in _named(wish.slots):
        order = world.state.get("orders", order_id)
        if order is not None and order_id not in user["orders"]:
            yield order


def _holding(field: str, value: str, wish: Wish, user_id: str, world: Environment) -> tuple[Call, ...]:
    """Reads of orders in which an item has the value."""
    return tuple(
        order_call(order["order_id"]) for order in _within_reach(wish, user_id, world) if any(item[field] == value for item in order["items"])
    )


def _product_with(item_id: str, wish: Wish, user_id: str, world: Environment) -> tuple[Call, ...]:
    for order in _within_reach(wish, user_id, world):
        for item in order["items"]:
            if item["item_id"] == item_id:
                return (product_call(item["product_id"]),)
    return ()
