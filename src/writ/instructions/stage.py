"""The instructions stage: tasks in, one or more tellings of each out, in the order of the tasks."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from writ.domains.base import run
from writ.domains.certificates import unrefuted
from writ.domains.registry import OpenDomain, open_domain
from writ.errors import ArtifactError, ConfigError
from writ.instructions.covering import axes, behaviors
from writ.instructions.ledger import Ledger, balance, leaks, names
from writ.instructions.paraphrase import Rewording
from writ.instructions.render import scenario
from writ.schema import Behavior, Call, DomainSnapshot, Fact, Instruction, Task, content_id
from writ.settings import InstructionsConfig


def write_instructions(
    config: InstructionsConfig,
    *,
    seed: int,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    rewording: Rewording | None = None,
) -> Iterator[Instruction]:
    """`per_task` instructions of each task, behaviors dealt so that all pairs of values occur.

    Raises: ArtifactError for a task that its user's words and its reads do not make solvable; ConfigError where `paraphrase` is set and no model
    is handed in.
    """
    if config.paraphrase and rewording is None:
        raise ConfigError("instructions.paraphrase is true and there is no model to reword with; set instructions.paraphraser.base_url")
    written = _written(config, seed, {snapshot.name: open_domain(snapshot) for snapshot in domain}, tasks)
    return rewording.applied(written) if rewording and config.paraphrase else written


def _written(config: InstructionsConfig, seed: int, sites: Mapping[str, OpenDomain], tasks: Iterable[Task]) -> Iterator[Instruction]:
    dealt: dict[Any, int] = {}
    for task in tasks:
        if task.domain not in sites:
            raise ArtifactError(f"task {task.id} is of domain '{task.domain}', which is not among the domains; make tasks and domains in one run")
        telling = _Telling.of(sites[task.domain], task, seed)
        for number in range(config.per_task):
            over = axes(telling.fixed(), config.behaviors)
            turn = dealt.get(over, 0)
            dealt[over] = turn + 1
            rows = behaviors(over)
            yield telling.told(rows[turn % len(rows)], number)


@dataclass(frozen=True, slots=True)
class _Telling:
    """One task with all that its tellings share."""

    site: OpenDomain
    task: Task
    seed: int
    ledger: Ledger
    primary: tuple[Fact, ...]
    alternative: tuple[Fact, ...]
    order: tuple[int, ...]
    """Of the wishes; a transfer comes last, since it ends the conversation."""
    backwards: tuple[int, ...] | None
    """Another order in which the decisions stay the same; None where there is none."""
    unavailable: str

    @classmethod
    def of(cls, site: OpenDomain, task: Task, seed: int) -> "_Telling":
        """Raises: ArtifactError where the ledger does not balance."""
        world = site.environment()
        primary, alternative = (site.domain.identity(world, task.user_id, which) for which in ("primary", "alternative"))
        ledger = balance(site, task, (*primary, *alternative))
        if ledger.underived:
            raise ArtifactError(f"task {task.id} cannot be solved: nothing gives {ledger.underived[0]}; make the tasks again")
        order, backwards = _orders(site, task)
        first = task.wishes[order[0]]
        asked = site.domain.kinds[first.kind].unavailable(first, world, _rng(seed, task.id, "unavailable")) or ""
        unavailable = "" if leaks([asked], ledger.hidden) else asked
        return cls(site, task, seed, ledger, primary, alternative, order, backwards, unavailable)

    def fixed(self) -> dict[str, Any]:
        """Axes on which this task leaves no choice."""
        fixed: dict[str, Any] = {}
        if self.alternative == self.primary:
            fixed["identity"] = "primary"
        if self.backwards is None:
            fixed["order"] = "as_given"
        if not self._correctable("primary") or not self._correctable("alternative"):
            fixed["correction"] = False
        if not self.unavailable:
            fixed["fallback"] = False
        if not any(decision.outcome == "deny" for decision in self.task.decisions):
            fixed["pressure"] = False
        return fixed

    def told(self, behavior: Behavior, number: int) -> Instruction:
        """The telling with this behavior; `number` tells the task's tellings apart."""
        rng = _rng(self.seed, self.task.id, number)
        order = self.backwards if behavior.order == "reversed" and self.backwards else self.order
        wrong = rng.choice(self._correctable(behavior.identity)) if behavior.correction else None
        identity = _only(wrong, self._identity(behavior.identity))
        facts = tuple(_only(wrong, self.ledger.facts[place]) for place in order)
        unavailable = self.unavailable if behavior.fallback else ""
        wishes = tuple(self.task.wishes[place] for place in order)
        unknown = self._unknown(behavior.identity)
        text = scenario(self.site.domain, wishes, identity, unknown, behavior, wrong, unavailable, rng)
        if leaked := leaks(text, self.ledger.hidden):
            raise ArtifactError(f"task {self.task.id} cannot be told: its own words give '{leaked[0]}' away; mend the domain's wording")
        return Instruction(
            id=content_id("instruction", [self.task.id, self.seed, number, behavior.model_dump()]),
            task_id=self.task.id,
            domain=self.task.domain,
            user_id=self.task.user_id,
            wishes=wishes,
            identity=identity,
            facts=facts,
            unknown=unknown,
            hidden=self.ledger.hidden,
            unavailable=unavailable,
            behavior=behavior,
            **text._asdict(),
            seed=rng.getrandbits(31),
        )

    def _identity(self, which: str) -> tuple[Fact, ...]:
        return self.primary if which == "primary" else self.alternative

    def _unknown(self, which: str) -> tuple[str, ...]:
        """Ways of identifying oneself that this user does not have, and ids at large."""
        known = {fact.name for fact in self._identity(which)}
        others = [fact.name for fact in (*self.primary, *self.alternative) if fact.name not in known]
        return (
            *(f"your {name.replace('_', ' ')}" for name in others),
            *(["any id or number that is not written here"] if self.ledger.hidden else []),
        )

    def _correctable(self, which: str) -> list[Fact]:
        """Facts that can be said wrong at first: those with a wrong form, whose text is no part of another's."""
        facts = [*self._identity(which), *(fact for told in self.ledger.facts for fact in told)]
        texts = [fact.text for fact in facts]
        return [fact for fact in facts if fact.wrong and not _confusable(fact, texts) and not leaks([fact.wrong], self.ledger.hidden)]


def _confusable(fact: Fact, texts: Sequence[str]) -> bool:
    return sum(names(text, fact.text) for text in texts) > 1 or any(names(text, fact.wrong) for text in texts) or names(fact.wrong, fact.text)


def _only(wrong: Fact | None, facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts, none but `wrong` with a wrong form."""
    return tuple(fact if fact is wrong or not fact.wrong else fact.model_copy(update={"wrong": ""}) for fact in facts)


def _orders(site: OpenDomain, task: Task) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Orders in which the wishes may be voiced: the task's, and its reverse where every decision stays the same in it. Transfers come last."""
    given = tuple(range(len(task.wishes)))
    if task.ordered or len(given) == 1:
        return given, None
    last = [place for place in given if task.decisions[place].outcome == "transfer"]
    first = [place for place in given if place not in last]
    forward, backward = tuple(first + last), tuple(first[::-1] + last)
    forward = forward if forward == given or _same(site, task, forward) else given
    return forward, backward if backward != forward and _same(site, task, backward) else None


def _same(site: OpenDomain, task: Task, order: Iterable[int]) -> bool:
    """Whether in this order every decision comes out as in the task, and a careful agent's reads still prove it."""
    world, made = site.environment(), list[Call]()
    for place in order:
        wish, decision = task.wishes[place], task.decisions[place]
        outcome, reads = run(site.domain.kinds[wish.kind].resolve(wish, task.user_id), world.read)
        if (outcome.calls, outcome.rule, outcome.told, outcome.mentions) != (decision.calls, decision.rule, decision.told, decision.mentions):
            return False
        made += reads
        if unrefuted(decision.certificate, made):
            return False
        for call in outcome.calls:
            world.apply(call.name, call.arguments)
    return True


def _rng(*parts: object) -> Random:
    return Random(int.from_bytes(hashlib.sha256(":".join(map(str, parts)).encode()).digest()[:8]))
