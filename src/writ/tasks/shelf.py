"""What one user could ask for: every certified wish, on a fresh database, kept small.

A shelf holds no certificates (an airline booking's can have fifty rivals); a wish is certified again, where it lands, when a task is made of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from writ.domains.certificates import certify
from writ.domains.environment import Environment
from writ.domains.registry import OpenDomain
from writ.schema import Call, Decision, Wish, burden_bin, canonical, content_id
from writ.settings import TasksConfig


@dataclass(frozen=True, slots=True)
class Entry:
    """A certified wish of one user."""

    user_id: str
    wish: Wish
    outcome: str
    """`act`, `deny` or `transfer`."""
    tool: str
    """Tool of its writes; the rule where it is declined."""
    burden: int
    writes: int
    claims: frozenset[str]
    """Records that its writes change (the user's own only where it is the only one), and texts that name what it is about.

    Two entries that share one do not stand in one task, so that an agent cannot confuse them."""
    changed: frozenset[str]
    """All records that its writes change. Where no two decisions of a task share one, their order cannot matter."""
    decided: str
    """Hash of what is decided on a fresh database: a task whose decisions are others depends on its order. Empty where it always does."""
    after: "Entry | None" = None
    """The entry whose write is why this one is declined: it stands right before it."""

    @property
    def bin(self) -> str:
        return burden_bin(self.burden)


def shelf(site: OpenDomain, user_id: str, config: TasksConfig, seed: int) -> list[Entry]:
    """All entries of a user, at most `proposals_per_kind` of each kind, spread over burdens. Deterministic in (seed, user)."""
    world = site.environment()
    entries: dict[str, Entry] = {}
    sequels: dict[tuple[str, str], Entry] = {}
    for name in sorted(site.domain.kinds):
        for wish, decision in _certified(site, world, user_id, name, config, seed):
            after = world.fork()
            entry = _entry(user_id, wish, decision, after)
            if entry is None or entries.setdefault(canonical(wish.model_dump()), entry) is not entry:
                continue
            if entry.writes == 1 and not any(tool == entry.tool for _, tool in sequels):
                for sequel in _sequels(site, world, after, entry, decision.calls[0], config, seed):
                    sequels.setdefault((sequel.tool, entry.tool), sequel)
    return [*entries.values(), *sequels.values()]


def _certified(site: OpenDomain, world: Environment, user_id: str, name: str, config: TasksConfig, seed: int) -> Iterator[tuple[Wish, Decision]]:
    rng = Random(f"{seed}:{user_id}:{name}")
    proposals = site.domain.kinds[name].propose(world, user_id, rng)
    for _, wish in zip(range(config.proposals_per_kind), proposals, strict=False):
        decision = certify(site.domain, wish, user_id, world, min_margin=config.min_margin)
        if isinstance(decision, Decision):
            yield wish, decision


def _entry(user_id: str, wish: Wish, decision: Decision, after: Environment) -> Entry | None:
    """Runs the gold in `after`. None where it does not run or changes nothing: then the wish is no task."""
    if not replay(after, decision.calls):
        return None
    changed = frozenset(record for records in after.delta().values() for record in records)
    return None if decision.calls and not changed else _told(user_id, wish, decision, changed)


def _sequels(site: OpenDomain, world: Environment, after: Environment, first: Entry, write: Call, config: TasksConfig, seed: int) -> Iterator[Entry]:
    """Wishes that are declined because of a write of the same conversation, and would not be, or not for that, without it."""
    for wish in site.domain.sequels(first.wish, write, after, first.user_id, Random(f"{seed}:{first.user_id}:{write.key}")):
        then = certify(site.domain, wish, first.user_id, after, min_margin=config.min_margin)
        if isinstance(then, Decision) and then.outcome != "act":
            before = certify(site.domain, wish, first.user_id, world, min_margin=config.min_margin)
            if not isinstance(before, Decision) or before.rule != then.rule:
                yield _told(first.user_id, wish, then, frozenset(), after=first)


def _told(user_id: str, wish: Wish, decision: Decision, changed: frozenset[str], after: Entry | None = None) -> Entry:
    return Entry(
        user_id=user_id,
        wish=wish,
        outcome=decision.outcome,
        tool=decision.calls[0].name if decision.calls else decision.rule,
        burden=decision.certificate.burden,
        writes=len(decision.calls),
        claims=((changed - {user_id}) or changed).union(decision.mentions),
        changed=changed,
        decided=decided(decision) if after is None else "",
        after=after,
    )


def replay(world: Environment, calls: Iterable[Call]) -> bool:
    """Runs the calls; False as soon as one is refused."""
    return all(world.apply(call.name, call.arguments) for call in calls)


def decided(decision: Decision) -> str:
    """Hash of calls, rule, told values, and of what it is about."""
    told = [value.model_dump() for value in decision.told]
    return content_id("decided", [[call.key for call in decision.calls], decision.rule, told, decision.mentions])
