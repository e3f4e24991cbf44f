"""The tasks stage: domain snapshots in, batches of certified tasks out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import NamedTuple

from writ.domains.base import run
from writ.domains.certificates import certify
from writ.domains.people import blocked_users, named_in, records_of, split_of
from writ.domains.registry import OpenDomain, open_domain
from writ.schema import Batch, Cell, Decision, DomainSnapshot, Pair, Task, Wish, burden_bin, canonical, content_id
from writ.settings import TasksConfig
from writ.tasks.compose import Flaw, assemble, compose, flaw_of
from writ.tasks.grid import WELL_FILLED, Bucket, Quota, kind_of, quotas
from writ.tasks.parallel import in_parallel
from writ.tasks.shelf import Entry, shelf

MIN_SURVEYED = 60
"""Users per domain whose wishes are looked at, however few conversations are wanted: enough for most cells of the grid."""
MAX_PAIR_LOW_BURDEN = 3
MIN_PAIR_HIGH_BURDEN = 4


@dataclass(slots=True)
class Supply:
    """What a database can give: shelves of all eligible users, and per bucket the entries that can lead a task in it."""

    sites: dict[str, OpenDomain] = field(default_factory=dict)
    shelves: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    leads: dict[Bucket, list[Entry]] = field(default_factory=dict)
    used: dict[Bucket, int] = field(default_factory=dict)
    """Leads of each bucket that were tried in earlier rounds of dealing."""

    @property
    def capacity(self) -> dict[Bucket, int]:
        """Tasks per bucket that differ in what leads them; a pair makes two. A lower bound where fillings can vary."""
        return {bucket: len(entries) * (2 if bucket.pair else 1) for bucket, entries in self.leads.items()}

    def bound(self, bucket: Bucket, config: TasksConfig) -> str:
        """What keeps the capacity of a bucket from being larger."""
        per_user = Counter(entry.user_id for entry in self.leads[bucket])
        eligible = sum(1 for domain, _ in self.shelves if domain == bucket.cell.domain)
        if bucket.pair:
            return f"one pair of a burden for each user: {len(per_user)} of {eligible} users have one"
        kinds = Counter((entry.user_id, entry.wish.kind) for entry in self.leads[bucket])
        if max(kinds.values()) >= config.proposals_per_kind:
            return f"tasks.proposals_per_kind={config.proposals_per_kind}, reached by some of {len(per_user)} users"
        return f"what accounts hold: {len(per_user)} of {eligible} users have one"


def unfilled(supply: Supply, config: TasksConfig, *, count: int, seed: int) -> dict[Bucket, str]:
    """Well filled buckets of which `count` conversations would take none, and why."""
    dealt = {quota.bucket for quota in quotas(count, supply.capacity, config, supply.sites, seed)}
    missing = [bucket for bucket, number in sorted(supply.capacity.items()) if number >= WELL_FILLED and bucket not in dealt]
    return {bucket: _why_unfilled(bucket, supply, config) for bucket in missing}


def _why_unfilled(bucket: Bucket, supply: Supply, config: TasksConfig) -> str:
    rivals = sum(
        each.cell.domain == bucket.cell.domain and (each.kind, each.pair) == (bucket.kind, bucket.pair) and number >= WELL_FILLED
        for each, number in supply.capacity.items()
    )
    share = f"tasks.pair_share={config.pair_share:g}" if bucket.pair else f"tasks.mix.{bucket.kind}={config.mix.get(bucket.kind, 0):g}"
    return f"{share} of the conversations do not reach all {rivals} such cells of {bucket.cell.domain}; raise the share or dataset.count"


def synthesize(config: TasksConfig, *, count: int, seed: int, domain: Iterable[DomainSnapshot]) -> Iterator[Task]:
    """Tasks for `count` kept conversations, grouped in batches of one cell, each batch followed by its reserve. Deterministic."""
    supply = survey(config, seed=seed, domain=domain, count=count)
    capacity, made, short, round_ = supply.capacity, set[str](), count, 0
    while short > 0:  # what a bucket promised and could not give goes to those with room, in another round
        dealt = quotas(short, capacity, config, supply.sites, seed)
        if not dealt:
            return
        for quota, drawn in zip(dealt, in_parallel(partial(_draw, supply, config, seed), dealt, config.workers), strict=True):
            tasks = _new(drawn.tasks, made)
            supply.used[quota.bucket] = supply.used.get(quota.bucket, 0) + drawn.used
            yield from _batched(tasks, quota, config, round_)
            short -= min(quota.wanted, len(tasks))
            capacity[quota.bucket] = capacity[quota.bucket] - len(tasks) if len(drawn.tasks) >= quota.tasks else 0
        round_ += 1


def survey(config: TasksConfig, *, seed: int, domain: Iterable[DomainSnapshot], count: int | None = None) -> Supply:
    """Every shelf of the eligible users, and what each bucket could hold. With `count`, of as many users per domain as tasks are wanted of it."""
    supply = Supply()
    supply.sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    for name, site in supply.sites.items():
        blocked = blocked_users(site.domain, site.database, site.snapshot.benchmark_tasks)
        strange = records_of(site.domain, site.database, blocked)
        users = eligible(site, config, blocked)
        if count is not None:
            wanted = max(MIN_SURVEYED, count // len(supply.sites))
            users = sorted(Random(f"{seed}:{name}:users").sample(users, min(wanted, len(users))))
        for stall in in_parallel(partial(_stall, site, config, seed, strange), users, config.workers):
            supply.shelves[name, stall.user_id] = stall.entries
            for bucket, numbers in stall.buckets.items():
                supply.leads.setdefault(bucket, []).extend(stall.entries[number] for number in numbers)
    return supply


class Stall(NamedTuple):
    """One user's shelf, and for each bucket the numbers of the entries that could lead a task in it."""

    user_id: str
    entries: list[Entry]
    buckets: dict[Bucket, list[int]]


def _stall(site: OpenDomain, config: TasksConfig, seed: int, strange: frozenset[str], user_id: str) -> Stall:
    """`strange`: ids of records that belong to users whom a benchmark names; no wish is about one."""
    most = config.max_burden
    entries = [
        entry for entry in shelf(site, user_id, config, seed) if (most is None or entry.burden <= most) and not named_in(entry.wish.slots, strange)
    ]
    buckets: dict[Bucket, list[int]] = {}
    for number, lead in enumerate(entries):
        for bucket in _buckets(site, lead, entries, config):
            if _allowed(bucket.cell, config):
                buckets.setdefault(bucket, []).append(number)
    for number in _pair_leads(site, entries, config) if not (config.cells or config.without_cells) else ():
        lead = entries[number]
        bucket = Bucket(kind_of(False, lead.writes, lead.burden), True, Cell(site.name, lead.writes, lead.bin, lead.tool))
        buckets.setdefault(bucket, []).append(number)
    return Stall(user_id, entries, buckets)


def _allowed(cell: Cell, config: TasksConfig) -> bool:
    name = f"{cell.writes}x{cell.burden}"
    return name not in config.without_cells and (not config.cells or name in config.cells)


def eligible(site: OpenDomain, config: TasksConfig, blocked: frozenset[str]) -> list[str]:
    """Users of the wanted split that no benchmark task names."""
    return [
        user_id
        for user_id in site.domain.persons(site.database)
        if user_id not in blocked and split_of(user_id, config.salt, config.held_out_share) == config.split
    ]


def _buckets(site: OpenDomain, lead: Entry, entries: Sequence[Entry], config: TasksConfig) -> Iterator[Bucket]:
    """Where this entry can be the heaviest decision, or the refusal."""
    declined = lead.outcome != "act"
    if lead.after is not None:
        burden = burden_bin(max(lead.burden, lead.after.burden))
        if lead.after.writes <= config.max_writes:
            yield Bucket("refusal", False, Cell(site.name, lead.after.writes, burden, lead.tool))
        return
    company = _company(lead, entries)
    for writes in range(min(config.max_writes, 2) + 1) if declined else range(lead.writes, config.max_writes + 1):
        if _fill(company, writes - lead.writes) is not None:
            yield Bucket(kind_of(declined, writes, lead.burden), False, Cell(site.name, writes, lead.bin, lead.tool))


def _pair_leads(site: OpenDomain, entries: Sequence[Entry], config: TasksConfig) -> Iterator[int]:
    """Per tool and burden, the first of a user's decisions that can also be told at low burden: one is enough, and each costs two certificates."""
    found: set[tuple[str, str]] = set()
    for number, lead in enumerate(entries):
        wanted = lead.outcome == "act" and lead.burden >= MIN_PAIR_HIGH_BURDEN and lead.writes <= config.max_writes
        if wanted and (lead.tool, lead.bin) not in found and _low(site, lead) is not None:
            found.add((lead.tool, lead.bin))
            yield number


def _company(lead: Entry, entries: Sequence[Entry], rng: Random | None = None) -> list[Entry]:
    """Lighter entries of the same user that can stand in one task with the lead, in the order in which they are tried; `rng` varies it."""
    light = [entry for entry in entries if entry.outcome == "act" and entry.writes > 0 and _fits(lead, entry)]
    if rng is not None:
        rng.shuffle(light)
    light.sort(key=lambda entry: entry.tool == lead.tool)  # other tools first: a task of many kinds of writes is worth more
    return light


def _fill(company: Sequence[Entry], missing: int) -> list[Entry] | None:
    """Those of a lead's company that bring exactly the `missing` writes; None where there are none."""
    light = [entry for entry in company if entry.writes <= missing]
    return _choose(missing, light, frozenset(), [4 * len(light) + 8])


def _fits(lead: Entry, entry: Entry) -> bool:
    lighter = entry.burden < lead.burden or (entry.burden == lead.burden and entry.tool == lead.tool) or lead.outcome != "act"
    return lighter and entry.burden <= max(lead.burden, 3) and entry.claims.isdisjoint(lead.claims)


def _choose(missing: int, light: Sequence[Entry], claimed: frozenset[str], budget: list[int]) -> list[Entry] | None:
    """Entries with exactly `missing` writes that claim nothing twice, nor what is `claimed`: depth first, within a budget of steps."""
    if missing == 0:
        return []
    for index, entry in enumerate(light):
        budget[0] -= 1
        if budget[0] < 0:
            return None
        if entry.writes <= missing and entry.claims.isdisjoint(claimed):
            found = _choose(missing - entry.writes, light[index + 1 :], claimed | entry.claims, budget)
            if found is not None:
                return [entry, *found]
    return None


def _low(site: OpenDomain, lead: Entry) -> tuple[Wish, Decision] | None:
    """The low telling of a lead's gold, and its decision."""
    world, kind = site.environment(), site.domain.kinds[lead.wish.kind]
    high, _ = run(kind.resolve(lead.wish, lead.user_id), world.read)
    wish = kind.narrow(lead.wish, lead.user_id, world, high)
    low = certify(site.domain, wish, lead.user_id, world) if wish is not None else None
    if wish is None or not isinstance(low, Decision) or low.calls != high.calls:
        return None
    return (wish, low) if low.certificate.burden <= min(MAX_PAIR_LOW_BURDEN, lead.burden - 1) else None


class Drawn(NamedTuple):
    """Tasks of one bucket, and how many leads it took."""

    tasks: list[Task]
    used: int


def _draw(supply: Supply, config: TasksConfig, seed: int, quota: Quota) -> Drawn:
    """Up to `quota.tasks` tasks of the bucket; users take turns, and a later round goes on where the last one stopped."""
    rng = Random(f"{seed}:{canonical(quota.bucket)}")
    site, start = supply.sites[quota.bucket.cell.domain], supply.used.get(quota.bucket, 0)
    tasks: dict[str, Task] = {}  # by id: two leads of a user, each in the other's company, make one task
    used = 0
    for lead in _in_turns(supply.leads[quota.bucket], rng)[start:]:
        used += 1
        made = _pair(site, lead) if quota.bucket.pair else _single(supply, site, quota.bucket, lead, config, rng)
        if not any(task.id in tasks for task in made):
            tasks |= {task.id: task for task in made}
        if len(tasks) >= quota.tasks:
            break
    return Drawn(list(tasks.values()), used)


def _new(tasks: Sequence[Task], made: set[str]) -> list[Task]:
    """Those that no bucket has given before; half a pair is none."""
    halved = {task.pair.id for task in tasks if task.pair is not None and task.id in made}
    new = [task for task in tasks if task.id not in made and (task.pair is None or task.pair.id not in halved)]
    made.update(task.id for task in new)
    return new


def _in_turns(leads: Sequence[Entry], rng: Random) -> list[Entry]:
    """Shuffled, with every user once before any user twice."""
    seen: Counter[str] = Counter()
    turns: list[tuple[int, Entry]] = []
    for lead in rng.sample(list(leads), len(leads)):
        turns.append((seen[lead.user_id], lead))
        seen[lead.user_id] += 1
    return [lead for _, lead in sorted(turns, key=lambda turn: turn[0])]


def _single(supply: Supply, site: OpenDomain, bucket: Bucket, lead: Entry, config: TasksConfig, rng: Random) -> list[Task]:
    """One task that the entry leads; empty where three tries of filling and order give none in this bucket."""
    entries = supply.shelves[site.name, lead.user_id]
    if lead.after is not None:
        return _of_bucket(compose(site, [lead.after, lead], config), bucket)
    for _ in range(3):
        others = _fill(_company(lead, entries, rng), bucket.cell.writes - lead.writes)
        if others is None:
            return []
        parts = [*others, lead]
        if lead.outcome != "transfer":
            rng.shuffle(parts)
        made = _of_bucket(compose(site, parts, config), bucket)
        if made or not others:
            return made
    return []


def _of_bucket(task: Task | Flaw, bucket: Bucket) -> list[Task]:
    return [task] if isinstance(task, Task) and (task.cell, task.kind) == (bucket.cell, bucket.kind) else []


def _pair(site: OpenDomain, lead: Entry) -> list[Task]:
    """Two tasks with one gold: told at high and at low burden."""
    found = _low(site, lead)
    high = certify(site.domain, lead.wish, lead.user_id, site.environment())
    if found is None or not isinstance(high, Decision):
        return []
    wish, low = found
    name = content_id("pair", [lead.user_id, [call.key for call in high.calls]])
    tasks = [
        assemble(site, [lead], (lead.wish,), (high,), Pair(id=name, member="high")),
        assemble(site, [lead], (wish,), (low,), Pair(id=name, member="low")),
    ]
    return [] if any(flaw_of(site, task) for task in tasks) else tasks


def _batched(tasks: Sequence[Task], quota: Quota, config: TasksConfig, round_: int) -> Iterator[Task]:
    """Deals the wanted number into batches of at most `batch_size`, and the reserve evenly behind them."""
    wanted = min(quota.wanted, len(tasks))
    batches = max(1, -(-wanted // config.batch_size))
    for index in range(batches):
        mine = list(tasks[index:wanted:batches])
        reserve = list(tasks[wanted + index :: batches])
        batch = Batch(id=content_id("batch", [canonical(quota.bucket), round_, index]), wanted=len(mine))
        for task in (*mine, *reserve):
            yield task.model_copy(update={"batch": batch})
