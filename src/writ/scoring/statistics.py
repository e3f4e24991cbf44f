"""The statistics of an evaluation: pass^k, intervals by resampling tasks, and paired tests over tasks.

Trials of one task resemble each other, so the task is what is resampled and what is compared, never the single trial.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from writ.errors import ConfigError


class Interval(NamedTuple):
    """A figure and the bounds that its confidence interval has."""

    value: float
    low: float
    high: float


class Tally(NamedTuple):
    """Judged trials of one task, and how many of them succeeded."""

    successes: int
    trials: int

    @property
    def rate(self) -> float:
        return self.successes / self.trials


def pass_hat_k(tally: Tally, k: int) -> float:
    """Chance that k trials of one task, drawn without replacement, all succeed; unbiased: C(c, k) / C(G, k).

    Raises: ConfigError where the task has fewer than k trials. Source: tau-bench (arXiv 2406.12045).
    """
    if not 1 <= k <= tally.trials:
        raise ConfigError(f"pass^{k} needs {k} judged trials of each task, and one has {tally.trials}; raise evaluation.trials or lower k")
    return math.comb(tally.successes, k) / math.comb(tally.trials, k)


def mean(values: Sequence[float]) -> float:
    """0 for none."""
    return sum(values) / len(values) if values else 0.0


def bootstrap(values: Sequence[float], *, seed: int, resamples: int = 2000, confidence: float = 0.95) -> Interval:
    """The mean over tasks with a percentile interval by resampling tasks.

    `values`: one per task; of a single task nothing can be resampled, and the interval is the value. Equal seed, equal interval.
    """
    centre = mean(values)
    if len(values) < 2:
        return Interval(centre, centre, centre)
    return _percentiles(centre, lambda drawn: mean([values[index] for index in drawn]), len(values), seed, resamples, confidence)


def paired_bootstrap(ours: Sequence[float], theirs: Sequence[float], *, seed: int, resamples: int = 2000, confidence: float = 0.95) -> Interval:
    """Mean difference `ours - theirs` over the same tasks, in the same order, with its interval by resampling tasks."""
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    return bootstrap(differences, seed=seed, resamples=resamples, confidence=confidence)


def _percentiles(centre: float, statistic: Callable[[Sequence[int]], float], size: int, seed: int, resamples: int, confidence: float) -> Interval:
    draw = random.Random(seed)
    figures = sorted(statistic(draw.choices(range(size), k=size)) for _ in range(resamples))
    tail = (1 - confidence) / 2
    low = figures[math.floor(tail * (resamples - 1))]
    high = figures[math.ceil((1 - tail) * (resamples - 1))]
    return Interval(centre, low, high)


def sign_test(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Two-sided exact p-value that neither model is better on more tasks; ties say nothing.

    With one trial per task this is McNemar's exact test.
    """
    better = sum(one > other for one, other in zip(ours, theirs, strict=True))
    worse = sum(one < other for one, other in zip(ours, theirs, strict=True))
    differing = better + worse
    if not differing:
        return 1.0
    tail = sum(math.comb(differing, count) for count in range(min(better, worse) + 1))
    return min(1.0, 2.0 * tail / float(2**differing))
