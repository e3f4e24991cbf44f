"""What a retail resolver writes down while it decides: the values it read, and for each the way it could have been that changes the decision.

Deciding and proving are one program, so they cannot disagree: `WishKind.resolve` takes the outcome of it, `WishKind.rivals` the proof.
Legal in this world (nothing else is assumed): an account's id list is complete, a payment method's id starts with its type.
"""

from functools import lru_cache
from typing import Any

from writ.domains.base import Reads
from writ.domains.environment import Environment
from writ.errors import ToolRefused
from writ.schema import Call, Rival

Json = dict[str, Any]


class Decline(Exception):
    """Raised inside a resolver where a clause of the policy, or a reference without exactly one match, ends the wish."""

    def __init__(self, rule: str, subject: str, *mentions: str) -> None:
        super().__init__(f"{rule}: {subject}")
        self.rule = rule
        self.subject = subject
        self.mentions = mentions or (subject,)


@lru_cache(maxsize=65_536)
def order_call(order_id: str) -> Call:
    return Call(name="get_order_details", arguments={"order_id": order_id})


@lru_cache(maxsize=65_536)
def user_call(user_id: str) -> Call:
    return Call(name="get_user_details", arguments={"user_id": user_id})


@lru_cache(maxsize=65_536)
def product_call(product_id: str) -> Call:
    return Call(name="get_product_details", arguments={"product_id": product_id})


@lru_cache(maxsize=65_536)
def item_call(item_id: str) -> Call:
    return Call(name="get_item_details", arguments={"item_id": item_id})


PRODUCT_LIST = Call(name="list_all_product_types")


class Book:
    """One resolver's notes. Each record is asked for once, however often it is needed."""

    __slots__ = ("_rivals", "_values")

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Any] = {}
        self._rivals: dict[tuple[tuple[str, str], ...], Rival] = {}

    @property
    def rivals(self) -> tuple[Rival, ...]:
        return tuple(self._rivals.values())

    def rival(self, claim: str, *refuters: Call) -> None:
        """Notes that `claim` would change the decision; two rivals with the same refuters cost the same, so the first stands for both."""
        key = tuple(sorted((read.name, next(iter(read.arguments.values()), "")) for read in refuters))
        if key not in self._rivals:
            self._rivals[key] = Rival(claim=claim, refuters=refuters)

    def order(self, order_id: str) -> Reads[Json]:
        return (yield from self._read(order_call(order_id), order_id))

    def user(self, user_id: str) -> Reads[Json]:
        return (yield from self._read(user_call(user_id), user_id))

    def product(self, product_id: str) -> Reads[Json]:
        return (yield from self._read(product_call(product_id), product_id))

    def _read(self, call: Call, record_id: str) -> Reads[Json]:
        key = (call.name, record_id)
        if key not in self._values:
            self._values[key] = yield call
        value: Json = self._values[key]
        return value


def account(world: Environment, user_id: str) -> tuple[Json, list[Json]]:
    """A user and all their orders as they stand now, for those who make wishes; an agent has only reads."""
    user = world.state.get("users", user_id)
    if user is None:
        raise ToolRefused("User not found")
    orders = (world.state.get("orders", order_id) for order_id in user["orders"])
    return user, [order for order in orders if order is not None]


def product_of(world: Environment, product_id: str) -> Json:
    product = world.state.get("products", product_id)
    if product is None:
        raise ToolRefused("Product not found")
    return product
