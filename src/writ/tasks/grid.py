"""The grid: which buckets there are, how many tasks each could have, and how a wanted number is dealt over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from random import Random
from typing import NamedTuple

from writ.schema import Cell, Kind
from writ.settings import TasksConfig

READ_HEAVY_BURDEN = 6
WRITE_INTENSIVE_WRITES = 3
WELL_FILLED = 5
"""Capacity from which a cell is expected to be filled; of cells with less, a wanted number too small for all leaves out the first."""


class Bucket(NamedTuple):
    """A cell of the grid with the kind of its tasks. Refusals and pairs are counted apart from the plain cells."""

    kind: Kind
    pair: bool
    cell: Cell


def kind_of(declined: bool, writes: int, burden: int) -> Kind:
    """Kind of a task; one that is both write-intensive and read-heavy counts as write-intensive, and the grid shows its burden."""
    if declined:
        return "refusal"
    if writes >= WRITE_INTENSIVE_WRITES:
        return "write_intensive"
    return "read_heavy" if burden >= READ_HEAVY_BURDEN else "normal"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many kept conversations a bucket should give, and how many tasks it gets for that."""

    bucket: Bucket
    wanted: int
    tasks: int


def quotas(count: int, capacity: Mapping[Bucket, int], config: TasksConfig, domains: Iterable[str], seed: int) -> list[Quota]:
    """Deals `count` kept conversations: equally over domains, by the mix over kinds, evenly over the buckets of a kind.

    A kind gets one for each of its well filled cells before the mix is looked at, as long as that takes at most half of the domain's conversations.
    What a kind or a domain cannot take goes to those that can. Sums to `count` unless the whole database has fewer tasks.
    """
    names = sorted(domains)
    wanted: dict[Bucket, int] = dict.fromkeys(capacity, 0)
    for index, name in enumerate(names):
        share = count // len(names) + (index < count % len(names))
        groups = _groups(name, capacity, config)
        for group, number in zip(groups, _shares(share, groups, capacity), strict=True):
            _fill(wanted, group.buckets, capacity, number, seed)
    short = count - sum(wanted.values())
    _fill(wanted, sorted(capacity), capacity, short, seed)
    dealt = sorted((bucket for bucket, number in wanted.items() if number), key=_pairs_first)
    return [Quota(bucket, wanted[bucket], _with_reserve(wanted[bucket], capacity[bucket], config)) for bucket in dealt]


def _pairs_first(bucket: Bucket) -> tuple[bool, Bucket]:
    """The high half of a pair can be a plain task too; whoever is drawn first has it."""
    return (not bucket.pair, bucket)


@dataclass(frozen=True, slots=True)
class _Group:
    """Buckets of one domain that share one part of the mix."""

    weight: float
    buckets: list[Bucket]


def _groups(domain: str, capacity: Mapping[Bucket, int], config: TasksConfig) -> list[_Group]:
    mine = sorted(bucket for bucket in capacity if bucket.cell.domain == domain)
    total = fsum(config.mix.values())  # exact: `sum` of floats depends on their order and, since 3.12, on Python's version
    weights = {kind: weight / total for kind, weight in sorted(config.mix.items())}
    pairs = min(config.pair_share, weights.get("read_heavy", config.pair_share))
    groups = [_Group(pairs, [bucket for bucket in mine if bucket.pair])]
    for kind, weight in weights.items():
        plain = [bucket for bucket in mine if bucket.kind == kind and not bucket.pair]
        if kind == "refusal":  # at least half of the refusals also hold a due write
            groups.append(_Group(weight * 0.45, [bucket for bucket in plain if bucket.cell.writes == 0]))
            groups.append(_Group(weight * 0.55, [bucket for bucket in plain if bucket.cell.writes > 0]))
        else:
            groups.append(_Group(weight - (pairs if kind == "read_heavy" else 0), plain))
    return groups


def _shares(count: int, groups: list[_Group], capacity: Mapping[Bucket, int]) -> list[int]:
    """Splits by weight among groups that can take it, none below what its well filled cells need where that is at most half of all.

    Capped by capacity, the rest goes on to the others. Largest remainders first.
    """
    room = [sum(capacity[bucket] for bucket in group.buckets) for group in groups]
    cells = [sum(capacity[bucket] >= WELL_FILLED for bucket in group.buckets) if group.weight else 0 for group in groups]
    below = cells if 2 * sum(cells) <= count else [0] * len(groups)
    fixed: dict[int, int] = {}
    while True:  # a group that its weight alone would leave below gets what it needs, and the others share the rest
        free = [index for index in range(len(groups)) if index not in fixed]
        given = _by_weight(count - sum(fixed.values()), [groups[index].weight for index in free], [room[index] for index in free])
        lacking = [index for index, number in zip(free, given, strict=True) if number < below[index]]
        if not lacking:
            return [fixed[index] if index in fixed else given[free.index(index)] for index in range(len(groups))]
        fixed |= {index: below[index] for index in lacking}


def _by_weight(count: int, weights: Sequence[float], room: Sequence[int]) -> list[int]:
    given = [0] * len(room)
    left = min(count, sum(room))
    while left:
        open_ = [index for index in range(len(room)) if given[index] < room[index]]
        total = fsum(weights[index] for index in open_) or 1.0
        ideal = {index: left * (weights[index] or 1e-9) / total for index in open_}
        steps = {index: min(int(ideal[index]), room[index] - given[index]) for index in open_}
        if not any(steps.values()):
            best = max(open_, key=lambda index: (ideal[index] - int(ideal[index]), weights[index], -index))
            steps = {best: 1}
        for index, step in steps.items():
            given[index] += step
            left -= step
    return given


def _fill(wanted: dict[Bucket, int], buckets: Iterable[Bucket], capacity: Mapping[Bucket, int], number: int, seed: int) -> None:
    """Adds `number` evenly, one each in turn: first to well filled cells, and in an order shuffled by the seed so that a small count is no corner."""
    ring = list(buckets)
    Random(f"{seed}:{len(ring)}").shuffle(ring)
    ring.sort(key=lambda bucket: capacity[bucket] < WELL_FILLED)
    while number > 0:
        open_ = [bucket for bucket in ring if wanted[bucket] < capacity[bucket]]
        if not open_:
            return
        for bucket in open_[:number]:
            wanted[bucket] += 1
        number -= min(number, len(open_))


def _with_reserve(wanted: int, capacity: int, config: TasksConfig) -> int:
    return min(capacity, wanted + max(1, round(wanted * config.reserve_share)))
