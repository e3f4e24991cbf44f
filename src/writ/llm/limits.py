"""What keeps one process polite to one endpoint: how many requests are in flight, how long to wait, how much to spend."""

import asyncio
import random
from collections import deque
from enum import Enum

from writ.errors import BudgetReached

_RECOVERY = 0.1
"""Share of the ceiling that the limit grows by per window (as many served requests as the limit) after it was halved."""
_STEP = 0.05
"""Share of the ceiling that is tried beyond it."""
_MARGIN = 0.97
"""The ceiling as a share of the level at which refusals began."""
_MEMORY = 1 / 32
"""Weight of the newest outcome in the share of refusals."""
_REFUSED_SHARE = 0.5
"""Above this share of refusals the limit is too high; below it, refusals are the server's noise and the retries' business."""
_TRY_WINDOWS = 2
"""Windows that a step above the ceiling must survive to become the ceiling."""
_CALM_SHARE = 0.3
"""Below this share of refusals the present level counts as borne."""
_HOLD_WINDOWS = 20
"""Windows at the ceiling before one step more is tried; doubles with each failed try."""
_MAX_HOLD_WINDOWS = 640


class Outcome(Enum):
    SERVED = "served"
    REFUSED = "refused"
    """429 or overload."""
    NEITHER = "neither"
    """Any other end; it says nothing about concurrency."""


class AdaptiveLimit:
    """A semaphore whose size follows what the server bears: additive increase, multiplicative decrease, and a memory.

    It doubles per window until refusals first pile up, then halves, at most once per window, and grows back by a tenth per window to the
    level just below the one refused (the ceiling). There it holds, and tries a twentieth more only now and then, ever more rarely while
    that fails. So it stays at the limit of a server that has one, and finds a new one after the server was scaled.
    """

    def __init__(self, start: int, most: int) -> None:
        self._limit = float(min(start, most))
        self._most = most
        self._in_flight = 0
        self._waiters: deque[asyncio.Future[int]] = deque()
        self._window = 0
        self._refused_share = 0.0
        self._borne = self._limit
        self._ceiling: float | None = None
        self._held = 0
        self._hold_windows = _HOLD_WINDOWS

    @property
    def limit(self) -> int:
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def acquire(self) -> int:
        """Waits for a slot, first come first served. Give what it returns to `release`, exactly once."""
        if self._in_flight < int(self._limit):
            self._in_flight += 1
            return self._window
        slot: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiters.append(slot)
        try:
            return await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                self.release(slot.result(), Outcome.NEITHER)
            raise

    def release(self, window: int, outcome: Outcome) -> None:
        saturated = self._in_flight >= int(self._limit)
        self._in_flight -= 1
        if window == self._window and outcome is not Outcome.NEITHER:
            self._learn(outcome is Outcome.REFUSED, saturated)
        while self._waiters and self._in_flight < int(self._limit):
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._in_flight += 1
                waiter.set_result(self._window)

    def _learn(self, refused: bool, saturated: bool) -> None:
        self._refused_share += (refused - self._refused_share) * _MEMORY
        if self._refused_share > _REFUSED_SHARE:
            self._shrink()
        elif saturated and not refused:
            if self._refused_share < _CALM_SHARE:
                self._borne = self._limit
            self._grow()

    def _grow(self) -> None:
        if self._ceiling is None:
            self._limit += 1
        elif self._limit < self._ceiling:
            self._limit = min(self._ceiling, self._limit + max(1.0, self._ceiling * _RECOVERY) / self._limit)
        else:
            self._held += 1
            if self._held >= self._limit * (_TRY_WINDOWS if self._trying else self._hold_windows):
                self._step_up()
        self._limit = min(self._limit, float(self._most))

    @property
    def _trying(self) -> bool:
        return self._ceiling is not None and self._limit > self._ceiling

    def _step_up(self) -> None:
        """Goes one step above the ceiling. A step that was borne is the new ceiling, and the next one follows soon."""
        self._held = 0
        if self._trying:
            self._ceiling, self._hold_windows = self._limit, 1
        else:
            self._limit += max(1.0, self._limit * _STEP)

    def _shrink(self) -> None:
        """A failed step goes back to the ceiling; refusals out of the blue halve."""
        if self._ceiling is not None and self._trying:
            self._limit = self._ceiling
            self._hold_windows = min(max(_HOLD_WINDOWS, 2 * self._hold_windows), _MAX_HOLD_WINDOWS)
        else:
            self._limit = max(1.0, self._limit / 2)
            self._ceiling = max(self._limit, float(int(self._borne * _MARGIN)))
            self._hold_windows = _HOLD_WINDOWS
        self._window += 1
        self._refused_share = 0.0
        self._held = 0


class Backoff:
    """Full jitter: the wait before retry n is drawn evenly from 0 to `base_s * 2**n`, at most `cap_s`."""

    def __init__(self, base_s: float, cap_s: float, random_source: random.Random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._random = random_source

    def wait_s(self, retry: int, retry_after_s: float | None) -> float:
        """A server's Retry-After is a lower bound; the jitter goes on top, so that not all return in the same instant."""
        if retry_after_s is not None:
            return retry_after_s + self._random.uniform(0, self._base_s)
        return self._random.uniform(0, min(self._cap_s, self._base_s * 2.0 ** min(retry, 60)))


class Budget:
    """What a run may still spend, over all its endpoints. Counts what the servers report, so it is passed by what is then in flight."""

    def __init__(self, *, max_tokens: int | None = None, max_cost_usd: float | None = None, spent_tokens: int = 0, spent_usd: float = 0.0) -> None:
        self._max_tokens = max_tokens
        self._max_cost_usd = max_cost_usd
        self.spent_tokens = spent_tokens
        self.spent_usd = spent_usd

    @property
    def bounded(self) -> bool:
        return self._max_tokens is not None or self._max_cost_usd is not None

    def spend(self, tokens: int, usd: float) -> None:
        self.spent_tokens += tokens
        self.spent_usd += usd

    @property
    def reached(self) -> str | None:
        """The bound that is spent, with its figures; None while there is budget left."""
        if self._max_tokens is not None and self.spent_tokens >= self._max_tokens:
            return f"max_tokens={self._max_tokens} is spent ({self.spent_tokens} tokens)"
        if self._max_cost_usd is not None and self.spent_usd >= self._max_cost_usd:
            return f"max_cost_usd={self._max_cost_usd:g} is spent ({self.spent_usd:.2f} USD)"
        return None

    def check(self) -> None:
        """Raises: BudgetReached once a bound is spent."""
        if spent := self.reached:
            raise BudgetReached(f"budget: {spent}; what is finished is kept: start the same command again with a larger bound to go on")
