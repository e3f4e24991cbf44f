"""A function over many items on several cores, in order: each child inherits what the function holds instead of being sent it."""

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from writ.errors import OutOfMemory

A = TypeVar("A")
B = TypeVar("B")

_inherited: list[Callable[[Any], Any]] = []
"""The function of the call in progress: children are forked while it stands here."""


def in_parallel(function: Callable[[A], B], items: Sequence[A], workers: int) -> Iterator[B]:
    """`map(function, items)`, on `workers` processes where there are several and the system can fork. Results come in order.

    Raises: OutOfMemory when a child is killed.
    """
    if workers == 1 or len(items) < 2 * workers or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(function, items)
        return
    _inherited.append(function)
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _without_collection) as pool:
            yield from pool.map(_apply, items, chunksize=max(1, len(items) // (16 * workers)))
    except BrokenProcessPool as e:
        raise OutOfMemory(f"one of {workers} processes at work was killed, most likely for want of memory; give more, or set tasks.workers=1") from e
    finally:
        _inherited.pop()


def _without_collection() -> None:
    """A child lives for one call and makes next to no cycles: looking for them would take a tenth of its time."""
    gc.freeze()
    gc.disable()


def _apply(item: Any) -> Any:
    return _inherited[-1](item)
