"""What one user could ask for: every certified wish, on a fresh database, kept small.

A shelf holds no certificates (an airline booking's can have fifty rivals); a wish is certified again, where it lands, when a task is made of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from writ.domains.certificates import certify
from writ.domains.environment import Environment
from writ.domains.registry import OpenDomain
from writ.schema import Decision, Wish, burden_bin, canonical, content_id
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
    touched: frozenset[str]
    """Records that its writes change; the user's own only where it is the only one. Two entries that share one do not stand in one task."""
    changed: frozenset[str]
    """All records that its writes change. Where no two decisions of a task share one, their order cannot matter."""
    decided: str
    """Hash of what is decided on a fresh database: a task whose decisions are others depends on its order."""
    mentions: frozenset[str]
    """Texts that name what it is about; two entries of one task share none, so that an agent cannot confuse them."""

    @property
    def bin(self) -> str:
        return burden_bin(self.burden)


def shelf(site: OpenDomain, user_id: str, config: TasksConfig, seed: int) -> list[Entry]:
    """All entries of a user, at most `proposals_per_kind` of each kind, spread over burdens. Deterministic in (seed, user)."""
    world = site.environment()
    entries: dict[str, Entry] = {}
    for name in sorted(site.domain.kinds):
        for entry in _of_kind(site, world, user_id, name, config, seed):
            entries.setdefault(canonical(entry.wish.model_dump()), entry)
    return list(entries.values())


def _of_kind(site: OpenDomain, world: Environment, user_id: str, name: str, config: TasksConfig, seed: int) -> Iterator[Entry]:
    rng = Random(f"{seed}:{user_id}:{name}")
    proposals = site.domain.kinds[name].propose(world, user_id, rng)
    for _, wish in zip(range(config.proposals_per_kind), proposals, strict=False):
        decision = certify(site.domain, wish, user_id, world, min_margin=config.min_margin)
        if isinstance(decision, Decision):
            entry = _entry(site, world, user_id, wish, decision)
            if entry is not None:
                yield entry


def _entry(site: OpenDomain, world: Environment, user_id: str, wish: Wish, decision: Decision) -> Entry | None:
    """None where the gold does not run or changes nothing: then the wish is no task."""
    after = world.fork()
    if any(after.call(call.name, call.arguments).error for call in decision.calls):
        return None
    changed = frozenset(record for records in after.delta().values() for record in records)
    if decision.calls and not changed:
        return None
    tool = decision.calls[0].name if decision.calls else decision.rule
    return Entry(
        user_id=user_id,
        wish=wish,
        outcome=decision.outcome,
        tool=tool,
        burden=decision.certificate.burden,
        writes=len(decision.calls),
        touched=(changed - {user_id}) or changed,
        changed=changed,
        decided=decided(decision),
        mentions=frozenset(decision.mentions),
    )


def decided(decision: Decision) -> str:
    """Hash of calls, rule, told values, and of what it is about."""
    told = [value.model_dump() for value in decision.told]
    return content_id("decided", [[call.key for call in decision.calls], decision.rule, told, decision.mentions])
