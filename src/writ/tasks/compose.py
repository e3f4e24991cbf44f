"""A task from entries of one user: decided again in order, each on the database as the ones before left it, then proven."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, permutations

from writ.domains.base import result
from writ.domains.certificates import certify, outcome_of
from writ.domains.environment import Environment
from writ.domains.registry import OpenDomain
from writ.schema import Call, Decision, Distractor, Pair, Task, Wish, content_id
from writ.settings import TasksConfig
from writ.tasks.grid import kind_of
from writ.tasks.shelf import Entry, decided, replay

MAX_DISTRACTORS = 4
"""Per decision; each is replayed with the whole task."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a composition is no task. Counted, and shown by `writ tasks capacity`."""

    reason: str


def compose(site: OpenDomain, entries: Sequence[Entry], config: TasksConfig) -> Task | Flaw:
    """The task of these entries, in this order, self-checked. A transfer ends a conversation, so it must come last."""
    user_id = entries[0].user_id
    decided = _decide(site, user_id, [entry.wish for entry in entries], config)
    if isinstance(decided, Flaw):
        return decided
    decisions = tuple(decided)
    if tuple(decision.outcome for decision in decisions) != tuple(entry.outcome for entry in entries):
        return Flaw("a write before it changes what is decided")
    if any(decision.outcome == "transfer" for decision in decisions[:-1]):
        return Flaw("a transfer is not the last decision")
    task = assemble(site, entries, tuple(entry.wish for entry in entries), decisions)
    return flaw_of(site, task) or task


def _decide(site: OpenDomain, user_id: str, wishes: Sequence[Wish], config: TasksConfig) -> list[Decision] | Flaw:
    world, decisions = site.environment(), []
    for wish in wishes:
        decision = certify(site.domain, wish, user_id, world, min_margin=config.min_margin)
        if not isinstance(decision, Decision):
            return Flaw(decision.reason)
        if not replay(world, decision.calls):
            return Flaw("a gold write is refused where it lands")
        decisions.append(decision)
    return decisions


def assemble(site: OpenDomain, entries: Sequence[Entry], wishes: tuple[Wish, ...], decisions: tuple[Decision, ...], pair: Pair | None = None) -> Task:
    """Puts a task together; nothing is checked. Its id is its content."""
    user_id = entries[0].user_id
    heaviest = max(decisions, key=lambda decision: decision.certificate.burden if decision.calls else -1)
    declined = [decision for decision in decisions if decision.outcome != "act"]
    writes = tuple(call for decision in decisions for call in decision.calls)
    burden = max(decision.certificate.burden for decision in decisions)
    content = [user_id, [wish.model_dump() for wish in wishes], [call.key for call in writes], [decision.rule for decision in decisions]]
    return Task(
        id=content_id(site.name, content),
        domain=site.name,
        kind=kind_of(bool(declined), len(writes), burden),
        user_id=user_id,
        wishes=wishes,
        asks=tuple(site.domain.kinds[wish.kind].script(wish) for wish in wishes),
        decisions=decisions,
        ordered=_order_matters(site, entries, decisions),
        distractors=tuple(_distractors(site, user_id, wishes, decisions)),
        pair=pair,
        tool=declined[0].rule if declined else heaviest.calls[0].name,
        burden=burden,
        relevant=sum(decision.certificate.relevant for decision in decisions),
    )


def _order_matters(site: OpenDomain, entries: Sequence[Entry], decisions: tuple[Decision, ...]) -> bool:
    """Whether another order of the wishes gives another end state, or other gold arguments."""
    if len(decisions) < 2:
        return False
    if any(decision.outcome == "transfer" for decision in decisions):
        return True
    if any(entry.decided != decided(decision) for entry, decision in zip(entries, decisions, strict=True)):
        return True
    if sum(len(entry.changed) for entry in entries) == len(frozenset().union(*(entry.changed for entry in entries))):
        return False
    writing = [decision.calls for decision in decisions if decision.calls]
    orders = list(permutations(writing)) if len(writing) <= 3 else _samples(writing)
    return len({_end([call for calls in order for call in calls], site) for order in orders}) > 1


def _samples(writing: list[tuple[Call, ...]]) -> list[tuple[tuple[Call, ...], ...]]:
    """For more than three decisions: as given, reversed, and every swap of two neighbours."""
    swaps = []
    for index in range(len(writing) - 1):
        order = list(writing)
        order[index], order[index + 1] = order[index + 1], order[index]
        swaps.append(tuple(order))
    return [tuple(writing), tuple(reversed(writing)), *swaps]


def _end(calls: Sequence[Call], site: OpenDomain) -> str:
    """The end state of the calls; where one is refused, the refusal is part of it."""
    world = site.environment()
    done = replay(world, calls)
    return world.fingerprint() if done else f"refused:{world.fingerprint()}"


def _distractors(site: OpenDomain, user_id: str, wishes: tuple[Wish, ...], decisions: tuple[Decision, ...]) -> list[Distractor]:
    """Each kind's near misses, put into the whole task: the gold of the other wishes around the one wrong decision."""
    world, found = site.environment(), []
    gold = [decision.calls for decision in decisions]
    for index, wish in enumerate(wishes):
        kind = site.domain.kinds[wish.kind]
        outcome = outcome_of(decisions[index])
        due_elsewhere = {call.key for part in (*gold[:index], *gold[index + 1 :]) for call in part}
        misses = kind.distractors(wish, user_id, world, outcome) if outcome.calls else iter(())
        for miss in islice(misses, MAX_DISTRACTORS):
            if due_elsewhere.isdisjoint(call.key for call in miss.calls):
                calls = [*gold[:index], miss.calls, *gold[index + 1 :]]
                found.append(Distractor(mistake=miss.mistake, calls=tuple(call for part in calls for call in part)))
        replay(world, gold[index])
    return found


def flaw_of(site: OpenDomain, task: Task) -> Flaw | None:
    """The self-check: gold is allowed and scores 1, doing nothing 0 where something is due, every distractor 0, and the plan's reads succeed."""
    worlds = _after_each_write(site, task)
    if len(worlds) <= len(task.writes):
        return Flaw("the gold does not replay")
    gold = worlds[-1].fingerprint()
    if task.writes and gold == worlds[0].fingerprint():
        return Flaw("the gold changes nothing")
    declined = any(decision.outcome != "act" for decision in task.decisions)
    for distractor in task.distractors:
        if _end_of(distractor.calls, task.writes, worlds) == gold and not (declined and len(distractor.calls) > len(task.writes)):
            return Flaw(f"a distractor scores 1: {distractor.mistake}")
    return _forbidden(site, task, worlds) or _unreadable(task, worlds)


def _after_each_write(site: OpenDomain, task: Task) -> list[Environment]:
    """The untouched world, then the world after each gold write; ends before a write that is refused."""
    worlds = [site.environment()]
    for call in task.writes:
        world = worlds[-1].fork()
        if not world.apply(call.name, call.arguments):
            break
        worlds.append(world)
    return worlds


def _end_of(calls: Sequence[Call], gold: Sequence[Call], worlds: Sequence[Environment]) -> str:
    """The end state of calls; those that they have in common with the gold at their head are not run again."""
    common = 0
    while common < min(len(calls), len(gold)) and calls[common].key == gold[common].key:
        common += 1
    world = worlds[common].fork()
    replay(world, calls[common:])
    return world.fingerprint()


def _forbidden(site: OpenDomain, task: Task, worlds: Sequence[Environment]) -> Flaw | None:
    """The rules as the verifier applies them, which know nothing of how a wish was resolved."""
    done = 0
    for wish, decision in zip(task.wishes, task.decisions, strict=True):
        said = {**wish.slots, "user_id": task.user_id}
        for call in decision.calls:
            ruling = result(site.domain.permits(call, said), worlds[done].read)
            if not ruling.allowed:
                return Flaw(f"the gold breaks the rule {ruling.rule}")
            done += 1
    return None


def _unreadable(task: Task, worlds: Sequence[Environment]) -> Flaw | None:
    done = 0
    for decision in task.decisions:
        if not replay(worlds[done], decision.certificate.plan):
            return Flaw("a read of the plan is refused")
        done += len(decision.calls)
    return None
