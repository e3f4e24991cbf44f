"""Pairwise covering arrays over the axes of a behavior: a short list of behaviors in which all pairs of values occur.

Greedy, after AETG (Cohen et al. 1997): each row starts from an uncovered pair and takes, axis by axis, the value that covers most.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, product
from types import MappingProxyType
from typing import Any, TypeAlias, get_args

from writ.schema import Behavior

Axes: TypeAlias = tuple[tuple[str, tuple[Any, ...]], ...]
"""Name and values of each axis; one value where the task leaves no choice."""

Setting: TypeAlias = tuple[int, Any]
"""An axis by its place, and a value."""


def all_values() -> dict[str, tuple[Any, ...]]:
    """Every axis of `Behavior` with all of its values."""
    return {name: get_args(field.annotation) or (False, True) for name, field in Behavior.model_fields.items()}


def axes(fixed: Mapping[str, Any], allowed: Mapping[str, tuple[Any, ...]] = MappingProxyType({})) -> Axes:
    """All axes; those in `fixed` have that one value only, others in `allowed` no values but those."""
    return tuple((name, (fixed[name],) if name in fixed else allowed.get(name, values)) for name, values in all_values().items())


@lru_cache(maxsize=1024)
def behaviors(over: Axes) -> tuple[Behavior, ...]:
    """Behaviors in which each pair of values of each two axes occurs at least once; the first has the first value of each axis."""
    values = [options for _, options in over]
    rows = [[options[0] for options in values]]
    open_pairs = dict.fromkeys(_pairs(values)) if len(values) > 1 else {}
    _cover(rows[0], open_pairs)
    while open_pairs:
        row = _row(values, next(iter(open_pairs)), open_pairs)
        _cover(row, open_pairs)
        rows.append(row)
    return tuple(Behavior(**{name: value for (name, _), value in zip(over, row, strict=True)}) for row in rows)


def _pairs(values: Sequence[tuple[Any, ...]]) -> list[tuple[Setting, Setting]]:
    """Largest axes first, so that rows begin where most must be covered."""
    places = sorted(combinations(range(len(values)), 2), key=lambda pair: -len(values[pair[0]]) * len(values[pair[1]]))
    return [((one, a), (other, b)) for one, other in places for a, b in product(values[one], values[other])]


def _row(values: Sequence[tuple[Any, ...]], seed: tuple[Setting, Setting], open_pairs: Mapping[tuple[Setting, Setting], None]) -> list[Any]:
    """A row with the seed's two values, and for every other axis the value that covers most of what is open."""
    chosen: dict[int, Any] = dict(seed)
    for place in sorted(range(len(values)), key=lambda place: (-len(values[place]), place)):
        if place not in chosen:
            chosen[place] = max(values[place], key=lambda value: (_gain(place, value, chosen, open_pairs), value != values[place][0]))
    return [chosen[place] for place in range(len(values))]


def _gain(place: int, value: Any, chosen: Mapping[int, Any], open_pairs: Mapping[tuple[Setting, Setting], None]) -> int:
    return sum(_ordered((other, chosen[other]), (place, value)) in open_pairs for other in chosen)


def _ordered(one: Setting, other: Setting) -> tuple[Setting, Setting]:
    return (one, other) if one[0] < other[0] else (other, one)


def _cover(row: Sequence[Any], open_pairs: dict[tuple[Setting, Setting], None]) -> None:
    for one, other in combinations(range(len(row)), 2):
        open_pairs.pop(((one, row[one]), (other, row[other])), None)
