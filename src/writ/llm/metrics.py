"""What an endpoint did, counted. Plain numbers; who shows or exports them (`runners/metrics.py`) decides how."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_BOUNDS_S = tuple(0.001 * 2 ** (step / 2) for step in range(40))
"""Upper bounds of the latency buckets: from 1 ms up, each 1.41 times the one before, to 12 minutes."""


class Histogram:
    """Seconds in buckets that grow by the square root of two, so that a quantile is right within 41 %."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    @property
    def count(self) -> int:
        return sum(self.counts)

    def cumulative(self) -> list[tuple[float, int]]:
        """Every fourth bound and how many were at or below it, the last one infinity."""
        upto = [*range(3, len(_BOUNDS_S), 4), len(_BOUNDS_S)]
        return [((*_BOUNDS_S, float("inf"))[last], sum(self.counts[: last + 1])) for last in upto]

    def quantile_s(self, share: float) -> float:
        """Upper bound of the bucket that holds this quantile; 0 for an empty histogram, the last bound for anything above it."""
        left = share * self.count
        for bound_s, count in zip((*_BOUNDS_S, _BOUNDS_S[-1]), self.counts, strict=True):
            left -= count
            if count and left <= 0:
                return bound_s
        return 0.0


@dataclass(slots=True)
class Metrics:
    """Counters of one endpoint since it was opened."""

    requests: int = 0
    """Calls of `Endpoint.complete`."""
    replies: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    """Attempts that failed and were followed by another, by cause."""
    given_up: Counter[str] = field(default_factory=Counter)
    """Requests without a reply, by cause of the last attempt."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    latency: Histogram = field(default_factory=Histogram)
    """Of attempts that brought a reply, from sending to the last byte; waiting for a slot is not in it."""

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "requests": self.requests,
            "replies": self.replies,
            "retries": dict(self.retries),
            "given_up": dict(self.given_up),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": self.cost_usd,
            "latency_p50_s": self.latency.quantile_s(0.5),
            "latency_p99_s": self.latency.quantile_s(0.99),
            "latency_total_s": self.latency.total_s,
        }
