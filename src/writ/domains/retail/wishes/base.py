"""What all retail wishes share: one program that decides and proves."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any, ClassVar

from writ.domains.base import Outcome, Proof, Reads, WishKind, run
from writ.domains.environment import Environment
from writ.domains.retail.evidence_book import Book, Decline, Json
from writ.domains.retail.policy import RULES, ruling, status_rule
from writ.domains.retail.templates import say
from writ.domains.retail.words import product_words
from writ.schema import Call, Fact, Rival, Told, Wish

ASKS: Mapping[str, str] = {
    "refund": "the total refund",
    "difference": "the price difference",
    "total": "the order total",
}
"""Values that a wish may ask for, and how the user words it."""


class RetailKind(WishKind):
    """A kind whose resolver and rivals are one program: `decide`."""

    ending: ClassVar[str] = ""
    """What the script says about an answer that is no."""

    @abstractmethod
    def decide(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        """Reads all in scope through `book`, noting rivals there, and decides. May raise Decline."""

    @abstractmethod
    def story(self, wish: Wish) -> str:
        """The wish in the second person, with every fact."""

    def script(self, wish: Wish) -> str:
        return self.story(wish) + self.ending

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        return spread(self.wishes(world, user_id, rng))

    @abstractmethod
    def wishes(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        """Wishes by inversion, from narrow to wide."""

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        return (yield from self._settled(wish, user_id, Book()))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        return self.prove(wish, user_id, world).rivals

    def prove(self, wish: Wish, user_id: str, world: Environment) -> Proof:
        book = Book()
        outcome, reads = run(self._settled(wish, user_id, book), world.read)
        return Proof(outcome, reads, iter(book.rivals))

    def _settled(self, wish: Wish, user_id: str, book: Book) -> Reads[Outcome]:
        try:
            return (yield from self.decide(wish, user_id, book))
        except Decline as end:
            rule = RULES[end.rule]
            return Outcome(rule=rule.id, transfer=rule.transfer, subject=end.subject, mentions=end.mentions)


def spread(proposals: Iterable[Wish]) -> Iterator[Wish]:
    """Proposals that were made from narrow to wide, reordered so that the first few already span the range: ends, middle, quarters, the rest."""
    made = list(proposals)
    last, taken = len(made) - 1, set[int]()
    for parts in (1, 2, 4, 8, 16):
        for part in range(parts, -1, -1):
            index = last * part // parts
            if made and index not in taken:
                taken.add(index)
                yield made[index]
    yield from (wish for index, wish in enumerate(made) if index not in taken)


def permitted(write: Call, subject: str, names: tuple[str, ...], said: Mapping[str, Any], book: Book) -> Reads[None]:
    """Asks the policy. Raises: Decline with the clause that forbids the write."""
    said_by = yield from ruling(write, said, book)
    if not said_by.allowed:
        raise Decline(said_by.rule, subject, *names)


def require_open(tool: str, hits: Iterable[tuple[Json, Json | None]]) -> None:
    """The status of an order decides before anything else of it is looked at; takes orders with the item meant. Raises: Decline."""
    for order, item in hits:
        rule = status_rule(tool, order["status"])
        if rule:
            items = order["items"] if item is None else [item]
            raise Decline(rule, f"order {order['order_id']}", order["order_id"], *(product_words(item["name"]) for item in items))


def said_of(wish: Wish, user_id: str) -> Json:
    """What the policy wants to know of the user: who they are, and why they cancel."""
    return {"user_id": user_id} | ({"reason": wish.slots["reason"]} if "reason" in wish.slots else {})


def ask_facts(wish: Wish) -> tuple[Fact, ...]:
    return tuple(Fact(name="ask", value=name, text=ASKS[name]) for name in wish.slots.get("ask", ()))


def told_money(wish: Wish, **amounts: float) -> tuple[Told, ...]:
    """The asked ones of these amounts, in dollars."""
    return tuple(Told(name=name, form="money", value=f"{amounts[name]:.2f}") for name in wish.slots.get("ask", ()) if name in amounts)


def asking(wish: Wish, rng: Random) -> str:
    """A sentence that asks for the told values; empty where none is asked for."""
    wanted = [ASKS[name] for name in wish.slots.get("ask", ())]
    if not wanted:
        return ""
    text = say(rng, "asking", {"what": " and ".join(wanted)})
    return f" {text[0].upper()}{text[1:]}"
