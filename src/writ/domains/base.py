"""What a domain is: tools over a database, an executable policy, and the wishes that its users have.

A third domain is a folder with one subclass of `Domain`. Tasks, the scripted agent and verification all ask the same object, so they share
one truth: `WishKind.resolve` decides what is right, `Domain.permits` what is allowed, `WishKind.rivals` what must be read to know it.

Resolvers and rules are generators that *yield a read and receive its JSON value* (`Reads`). So one program runs against an environment when a
task is made, against the tool outputs in an agent's messages when a conversation is played, and against a transcript when it is verified.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, TypeVar, cast

from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.toolkit import Toolkit
from writ.errors import ToolRefused
from writ.schema import Call, Candidate, Distractor, Fact, Rival, Told, Wish

T = TypeVar("T")

Said: TypeAlias = Mapping[str, Any]
"""What the user has stated, by slot name of the wish: `{"reason": "change of plan"}`."""

Shown: TypeAlias = Sequence[tuple[Call, Any]]
"""Calls whose results the agent has seen so far, with their JSON values, oldest first."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says of one write."""

    allowed: bool
    rule: str = ""
    """Id of the clause that decides; empty when allowed."""
    transfer: bool = False
    """The clause asks for a human agent instead of a plain refusal."""
    why: str = ""
    """The facts that it rests on, in a few words, for readers of a certificate; empty where the clause says it all."""


ALLOWED = Ruling(True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a resolver arrives at: a Decision without its certificate."""

    calls: tuple[Call, ...] = ()
    rule: str = ""
    transfer: bool = False
    subject: str = ""
    mentions: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    criterion: str = ""
    candidates: tuple[Candidate, ...] = ()
    margin: float | None = None

    @property
    def kind(self) -> Literal["act", "deny", "transfer"]:
        return "transfer" if self.transfer else "deny" if self.rule else "act"

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes two outcomes the same decision: calls, rule, transfer, subject and told values."""
        return (tuple(call.key for call in self.calls), self.rule, self.transfer, self.subject, self.told)


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause of the policy that can decide against a wish."""

    id: str
    clause: str
    """The clause in one sentence, as an agent would explain it to a customer."""
    transfer: bool = False


Reads: TypeAlias = Generator[Call, Any, T]


def run(program: Reads[T], read: Callable[[str, dict[str, Any]], Any]) -> tuple[T, tuple[Call, ...]]:
    """Drives a program as `result` does; returns its value and the distinct reads it made, in order."""
    made: dict[str, Call] = {}
    value = result(program, read, lambda call: made.setdefault(call.key, call))
    return value, tuple(made.values())


def result(program: Reads[T], read: Callable[[str, dict[str, Any]], Any], note: Callable[[Call], object] = lambda call: None) -> T:
    """Drives a program with `read(name, arguments)`; returns its value. `note` is told of every read.

    `read` raises ToolRefused where the tool refuses; it is thrown into the program.
    """
    try:
        call = next(program)
        while True:
            note(call)
            try:
                value = read(call.name, call.arguments)
            except ToolRefused as refusal:
                call = program.throw(refusal)
            else:
                call = program.send(value)
    except StopIteration as done:
        return cast(T, done.value)


class Proof(NamedTuple):
    """What a wish comes to, the distinct reads that it took, and the ways in which what was read could have been otherwise."""

    outcome: Outcome
    reads: tuple[Call, ...]
    rivals: Iterator[Rival]


class WishKind(ABC):
    """A kind of thing that users want, told by reference. One instance per kind; stateless.

    Slots of its wishes are documented in the subclass. All text is the domain's own.
    """

    name: ClassVar[str]
    tools: ClassVar[tuple[str, ...]]
    """Write tools that its decisions may call."""

    @abstractmethod
    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        """Wishes of this kind that this user could have in this state, by inversion: gold first, then widened.

        Yields narrow and wide ones, so that a caller who wants a burden takes what certifies with it; finite, most useful first.
        May look anywhere in `world.state`; the words may only use facts that some read tool shows.
        """

    @abstractmethod
    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        """Every fact that it takes to understand the wish; `core` ones are said with it, others may be withheld until asked."""

    @abstractmethod
    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        """The careful agent: reads all in scope and decides. Verifies references: no match, or two, is another decision (see `Domain.rules`)."""

    @abstractmethod
    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        """Closed-form rivals: by query, by record, by outside fact, by argument that is not in the user's words."""

    def prove(self, wish: Wish, user_id: str, world: Environment) -> Proof:
        """`resolve` and `rivals`, for a kind that gets both from one program."""
        outcome, reads = run(self.resolve(wish, user_id), world.read)
        return Proof(outcome, reads, self.rivals(wish, user_id, world, outcome))

    @abstractmethod
    def request(self, wish: Wish, rng: Random) -> str:
        """The wish in the first person, varied by `rng`; contains the text of every core fact."""

    @abstractmethod
    def script(self, wish: Wish) -> str:
        """The wish in the second person, for the user simulator's scenario ("You want to ..."), with every fact."""

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        """The same gold calls told with the least burden: the other half of a matched pair. None where there is no such telling."""
        return None

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        """Wrong writes that a near miss invites, each with the mistake it detects. Asked only of outcomes that act."""
        return iter(())

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        """A first-person wish, close to this one, that cannot be had and that a reader sees cannot be had; None where there is none."""
        return None


class Domain(ABC):
    """Everything writ knows of one domain. Stateless; the database comes with each call."""

    name: ClassVar[str]
    toolkit: ClassVar[type[Toolkit]]
    kinds: ClassVar[Mapping[str, WishKind]]
    rules: ClassVar[Mapping[str, Rule]]
    """Clauses that can decide against a wish, by id. `ambiguous` and `not_found` (a reference with two matches, or none) are among them."""
    policy: ClassVar[str]
    """The policy in our own words, sent to the agent when no benchmark files prescribe one."""
    license: ClassVar[str] = "Apache-2.0"

    @abstractmethod
    def generate(self, seed: int, users: int, *, deep: bool = False) -> dict[str, dict[str, Any]]:
        """A database with the statistics of the real one and ids disjoint from it; same arguments, same bytes.

        `deep`: accounts hold more, so that more has to be read; a domain whose accounts are deep enough may pass over it.
        """

    @abstractmethod
    def persons(self, database: Database) -> Sequence[str]:
        """Ids of all users, in a stable order."""

    @abstractmethod
    def owned(self, database: Database, user_id: str) -> frozenset[str]:
        """Ids that belong to this user alone: orders, reservations, payment methods. Blocked with the user by decontamination."""

    @abstractmethod
    def identity(self, world: Environment, user_id: str, which: Literal["primary", "alternative"]) -> tuple[Fact, ...]:
        """What this user identifies themselves with."""

    def sequels(self, wish: Wish, write: Call, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        """Further wishes about what the write of `wish` has changed, which the policy is against since; `world` is the state after it.

        None by default.
        """
        return iter(())

    @abstractmethod
    def identify(self, said: Said) -> Reads[str]:
        """The user's id from what they said of themselves (keys: names of identity facts); raises ToolRefused where nobody matches."""

    @abstractmethod
    def permits(self, write: Call, said: Said) -> Reads[Ruling]:
        """Whether the policy allows this write now, given what the user stated. Reads what it needs to know."""

    @abstractmethod
    def needs(self, read: Call, wish: Wish, user_id: str, world: Environment) -> Sequence[Sequence[Call]]:
        """Where the arguments of a read come from: for each argument that the user's words do not give, the reads whose output gives it."""

    @abstractmethod
    def stale(self, write: Call, read: Call) -> bool:
        """Whether an output of `read` from before `write` may no longer hold after it."""

    @abstractmethod
    def free(self, read: Call) -> bool:
        """Reads that enter no burden: looking the user's id up, arithmetic, transfers."""

    @abstractmethod
    def summarize(self, write: Call, shown: Shown, rng: Random) -> str:
        """One clause for a confirmation that states every argument of the write: "cancel order #W1 because ..."."""

    @abstractmethod
    def forms(self, write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
        """Per argument leaf (path such as `flights.0.date`): surface forms any one of which states it in text (an id, a name, `$12`, `May 25`)."""

    @abstractmethod
    def fields(self, tool: str, argument: str) -> tuple[str, ...]:
        """Paths of tool outputs, with `*` for ids and indices, that may ground an argument of a write: `get_user_details:payment_methods.*.id`."""

    @abstractmethod
    def formulas(self, write: Call, shown: Shown, said: Said) -> Mapping[str, tuple[str, Any]]:
        """Per argument leaf that is derived: the formula's name and its value over what was shown (totals, free bags, refunds)."""
