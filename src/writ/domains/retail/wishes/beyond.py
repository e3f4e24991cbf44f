"""Wishes that no retail tool serves: a human colleague takes over."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import ClassVar, NamedTuple

from writ.domains.base import Outcome, Reads
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Book, Decline, account
from writ.domains.retail.orders import find_orders
from writ.domains.retail.phrases import order_facts, order_phrase, order_script
from writ.domains.retail.templates import voiced
from writ.domains.retail.wishes.base import RetailKind
from writ.domains.retail.wishes.references import names_of, references_to
from writ.schema import Fact, Wish

ACCEPTS = " If you are handed over to a human colleague, that is fine with you."


class UndoCancellation(RetailKind):
    """Slots: order (an order reference). Transfers if that order is cancelled indeed."""

    name = "undo_cancellation"
    tools: ClassVar[tuple[str, ...]] = ()
    ending = ACCEPTS

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        _, orders = account(world, user_id)
        for order in [order for order in orders if order["status"] == "cancelled"][:2]:
            yield Wish(kind=self.name, slots={"order": {"by": "ids", "ids": [order["order_id"]]}})
            for ref in references_to(order, orders, world, rng, "cancelled"):
                yield Wish(kind=self.name, slots={"order": ref})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return order_facts(wish.slots["order"])

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        found = yield from find_orders(wish.slots["order"], user_id, book)
        order = found.orders[0]
        if order["status"] != "cancelled":
            raise Decline("not_found", f"a cancellation of order {order['order_id']}", *names_of(order))
        raise Decline("undo_cancellation", f"the cancellation of order {order['order_id']}", *names_of(order))

    def request(self, wish: Wish, rng: Random) -> str:
        return voiced(rng, "undo", {"order": order_phrase(wish.slots["order"], rng)})

    def story(self, wish: Wish) -> str:
        return f"You want the cancellation of {order_script(wish.slots['order'])} to be undone, so that it is delivered after all."


class Topic(NamedTuple):
    """Something a customer may ask for that is not among the agent's actions."""

    rule: str
    subject: str
    mentions: tuple[str, ...]
    script: str
    """What the user wants help with."""


TOPICS: Mapping[str, Topic] = {
    "new_order": Topic("out_of_scope", "a new order", ("new order", "place an order", "order for you"), "placing a new order in this chat"),
    "email": Topic("out_of_scope", "the email address of the account", ("email", "e-mail"), "changing the email address of your account"),
    "add_card": Topic("out_of_scope", "a new payment method", ("payment method", "card"), "adding a new credit card to your profile"),
    "repair": Topic("out_of_scope", "a repair", ("repair", "warranty"), "having something repaired that broke after you got it"),
    "lost_parcel": Topic(
        "out_of_scope", "a missing parcel", ("parcel", "package", "delivery"), "a parcel that the carrier calls delivered and that you never got"
    ),
    "price_match": Topic(
        "price_match", "a price match", ("price",), "getting the difference back because another store sells one of your purchases for less"
    ),
    "faster": Topic("shipping_method", "faster shipping", ("shipping", "delivery"), "having a pending order shipped faster"),
    "time_slot": Topic(
        "shipping_method", "a delivery time", ("delivery", "time slot", "shipping"), "having a pending order delivered in a time slot of your choice"
    ),
}


SAID: Mapping[str, str] = {
    "new_order": "a new order",
    "email": "email address",
    "add_card": "profile",
    "repair": "repaired",
    "lost_parcel": "parcel",
    "price_match": "for less",
    "faster": "faster",
    "time_slot": "time slot",
}
"""Words that every telling of a topic holds, so that an agent can hear it among other wishes."""


class BeyondScope(RetailKind):
    """Slots: topic (a key of TOPICS). The words alone decide."""

    name = "beyond_scope"
    tools: ClassVar[tuple[str, ...]] = ()
    ending = ACCEPTS

    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        for topic in rng.sample(sorted(TOPICS), len(TOPICS)):
            yield Wish(kind=self.name, slots={"topic": topic})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (Fact(name="topic", value=wish.slots["topic"], text=SAID[wish.slots["topic"]]),)

    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        yield from ()
        topic = TOPICS[wish.slots["topic"]]
        raise Decline(topic.rule, topic.subject, *topic.mentions)

    def request(self, wish: Wish, rng: Random) -> str:
        return voiced(rng, f"beyond_{wish.slots['topic']}", {})

    def story(self, wish: Wish) -> str:
        return f"You want help with {TOPICS[wish.slots['topic']].script}."
