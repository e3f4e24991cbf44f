"""A circuit breaker: when a server is away, one request at a time asks for it and all others wait, instead of failing one by one."""

import asyncio

from writ.errors import Unavailable
from writ.llm.clock import Clock


class Breaker:
    """Closed: all pass. Open after `failures` in a row: nobody passes until the next probe is due; then one request does.

    A probe that fails doubles the wait, one that succeeds lets everybody go on.
    """

    def __init__(self, subject: str, *, failures: int, open_s: float, open_cap_s: float, patience_s: float, clock: Clock) -> None:
        """`patience_s`: how long the server may be away before waiting becomes an error."""
        self._subject = subject
        self._failures = failures
        self._first_open_s = open_s
        self._open_cap_s = open_cap_s
        self._patience_s = patience_s
        self._clock = clock
        self._in_a_row = 0
        self._opened_at_s: float | None = None
        self._open_s = open_s
        self._probe_at_s = 0.0
        self._probing = False
        self._changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._opened_at_s is not None

    async def enter(self) -> bool:
        """Returns when this request may go; True if it is the probe. Give that to `leave`, exactly once.

        Raises: Unavailable once the server has been away for `patience_s`.
        """
        while self._opened_at_s is not None:
            now_s = self._clock.now()
            if now_s - self._opened_at_s >= self._patience_s:
                raise Unavailable(f"{self._subject} has been away for {self._patience_s:g} s; start it, then the same command goes on")
            if self._probing:
                await self._changed.wait()
            elif now_s < self._probe_at_s:
                await self._clock.sleep(self._probe_at_s - now_s)
            else:
                self._probing = True
                return True
        return False

    def leave(self, probe: bool, alive: bool | None) -> None:
        """`alive`: whether the server answered at all; None if that is not known (the request was cancelled)."""
        if probe:
            self._probing = False
        if alive:
            self._in_a_row = 0
            self._opened_at_s = None
            self._open_s = self._first_open_s
        elif alive is False:
            self._fail(probe)
        if probe or alive:
            self._changed.set()
            self._changed = asyncio.Event()

    def _fail(self, probe: bool) -> None:
        self._in_a_row += 1
        if probe:
            self._open_s = min(2 * self._open_s, self._open_cap_s)
        elif self.is_open or self._in_a_row < self._failures:
            return
        now_s = self._clock.now()
        self._opened_at_s = now_s if self._opened_at_s is None else self._opened_at_s
        self._probe_at_s = now_s + self._open_s
