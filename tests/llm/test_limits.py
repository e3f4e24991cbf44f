"""The adaptive limit, backoff and budget, in virtual time."""

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import run_virtually

from writ.errors import BudgetReached
from writ.llm.limits import AdaptiveLimit, Backoff, Budget, Outcome


class _Server:
    """Serves up to `bears` requests at once and refuses the rest; refuses a share of all at random."""

    def __init__(self, bears: int, latency_s: float, noise: float = 0.0) -> None:
        self.bears = bears
        self.latency_s = latency_s
        self.noise = noise
        self.in_flight = 0
        self.refused = 0
        self.busy_s = 0.0
        self._random = random.Random(1)

    async def ask(self) -> Outcome:
        await asyncio.sleep(0.001)
        if self._random.random() < self.noise or self.in_flight >= self.bears:
            self.refused += 1
            return Outcome.REFUSED
        self.in_flight += 1
        took_s = self.latency_s * self._random.uniform(0.8, 1.2)
        await asyncio.sleep(took_s)
        self.in_flight -= 1
        self.busy_s += took_s
        return Outcome.SERVED


async def _converse(limit: AdaptiveLimit, server: _Server) -> None:
    """A conversation without end: requests one after the other, each retried with jitter."""
    backoff, retry = Backoff(0.5, 30, random.Random(2)), 0
    while True:
        window = await limit.acquire()
        outcome = await server.ask()
        limit.release(window, outcome)
        retry = 0 if outcome is Outcome.SERVED else retry + 1
        if retry:
            await asyncio.sleep(backoff.wait_s(retry, None))


def _watch(
    limit: AdaptiveLimit, server: _Server, *, seconds: int, conversations: int = 600, halfway: Callable[[], None] = lambda: None
) -> tuple[list[int], list[float]]:
    """The limit, and the share of the server's own limit in use, second by second."""

    async def scenario() -> tuple[list[int], list[float]]:
        tasks = [asyncio.create_task(_converse(limit, server)) for _ in range(conversations)]
        limits, used, busy_s = [], [], 0.0
        for second in range(seconds):
            if second == seconds // 2:
                halfway()
            await asyncio.sleep(1)
            limits.append(limit.limit)
            used.append((server.busy_s - busy_s) / server.bears)
            busy_s = server.busy_s
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return limits, used

    return run_virtually(scenario())


@pytest.mark.parametrize(("bears", "start"), [(100, 32), (160, 32), (40, 128), (10, 128)])
def test_limit_of_a_server_is_found_within_ten_percent_and_kept(bears: int, start: int) -> None:
    server = _Server(bears, latency_s=0.4)
    limits, used = _watch(AdaptiveLimit(start, 1024), server, seconds=60)
    settled = limits[20:]
    assert 0.9 * bears <= min(settled) <= max(settled) <= 1.1 * bears
    assert sum(used[20:]) / len(settled) > 0.93
    assert server.refused < 600


def test_limit_of_one_leaves_one_request_in_flight() -> None:
    limits, used = _watch(AdaptiveLimit(32, 1024), _Server(1, latency_s=0.2), seconds=60, conversations=40)
    assert set(limits[20:]) == {1}
    assert sum(used[20:]) / 40 > 0.9


def test_limit_follows_a_server_that_shrinks() -> None:
    server = _Server(200, latency_s=0.2)
    limits, _ = _watch(AdaptiveLimit(32, 1024), server, seconds=40, halfway=lambda: setattr(server, "bears", 80))
    assert 180 <= limits[18] <= 220
    assert all(72 <= limit <= 88 for limit in limits[30:])


def test_limit_follows_a_server_that_grows() -> None:
    server = _Server(40, latency_s=0.2)
    limits, _ = _watch(AdaptiveLimit(32, 1024), server, seconds=80, halfway=lambda: setattr(server, "bears", 100))
    assert 36 <= limits[38] <= 44
    assert limits[-1] >= 90


def test_limit_is_not_driven_down_by_refusals_that_have_nothing_to_do_with_it() -> None:
    limits, _ = _watch(AdaptiveLimit(32, 256), _Server(10_000, latency_s=0.2, noise=0.2), seconds=20)
    assert min(limits) >= 32
    assert limits[-1] >= 128


def test_limit_halves_at_most_once_per_window() -> None:
    async def scenario() -> int:
        limit = AdaptiveLimit(64, 64)
        windows = [await limit.acquire() for _ in range(64)]
        for window in windows:
            limit.release(window, Outcome.REFUSED)
        return limit.limit

    assert run_virtually(scenario()) == 32


def test_limit_does_not_grow_while_nobody_waits() -> None:
    limit = AdaptiveLimit(8, 64)
    _watch(limit, _Server(100, latency_s=0.1), seconds=20, conversations=3)
    assert limit.limit == 8


def test_limit_never_passes_its_most() -> None:
    limits, _ = _watch(AdaptiveLimit(8, 64), _Server(1000, latency_s=0.1), seconds=10)
    assert max(limits) == 64


def test_waiter_that_is_cancelled_takes_no_slot() -> None:
    async def scenario() -> int:
        limit = AdaptiveLimit(1, 1)
        held = await limit.acquire()
        waiters = [asyncio.create_task(limit.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        limit.release(held, Outcome.SERVED)
        waiters[1].cancel()
        await asyncio.gather(*waiters[:2], return_exceptions=True)
        limit.release(await waiters[2], Outcome.SERVED)
        return limit.in_flight

    assert run_virtually(scenario()) == 0


def test_waiters_are_served_in_order_of_arrival() -> None:
    async def scenario() -> list[int]:
        limit, order = AdaptiveLimit(1, 1), []

        async def enter(number: int) -> None:
            window = await limit.acquire()
            order.append(number)
            await asyncio.sleep(0.1)
            limit.release(window, Outcome.SERVED)

        await asyncio.gather(*map(enter, range(10)))
        return order

    assert run_virtually(scenario()) == list(range(10))


@given(st.integers(0, 1000), st.none() | st.floats(0, 1e6), st.integers())
def test_backoff_stays_between_what_the_server_asks_and_its_cap(retry: int, asked_s: float | None, seed: int) -> None:
    wait_s = Backoff(0.5, 30, random.Random(seed)).wait_s(retry, asked_s)
    if asked_s is None:
        assert 0 <= wait_s <= min(30, 0.5 * 2.0 ** min(retry, 10))
    else:
        assert asked_s <= wait_s <= asked_s + 0.5


def test_backoff_spreads_over_the_whole_range_and_doubles_it() -> None:
    backoff = Backoff(0.5, 30, random.Random(1))
    for retry, most_s in ((0, 0.5), (1, 1), (3, 4), (9, 30)):
        waits = [backoff.wait_s(retry, None) for _ in range(400)]
        assert min(waits) < 0.05 * most_s
        assert 0.95 * most_s < max(waits) <= most_s


def test_backoff_of_one_seed_repeats() -> None:
    first, second = (Backoff(0.5, 30, random.Random(7)) for _ in range(2))
    assert [first.wait_s(n, None) for n in range(9)] == [second.wait_s(n, None) for n in range(9)]


@pytest.mark.parametrize(("budget", "bound"), [(Budget(max_tokens=100), "max_tokens=100"), (Budget(max_cost_usd=0.5), "max_cost_usd=0.5")])
def test_budget_that_is_spent_says_which_bound_and_how_to_go_on(budget: Budget, bound: str) -> None:
    budget.spend(99, 0.49)
    budget.check()
    budget.spend(1, 0.01)
    with pytest.raises(BudgetReached, match=f"{bound} is spent.*larger bound"):
        budget.check()


def test_budget_counts_what_an_earlier_start_spent() -> None:
    assert Budget(max_tokens=100, spent_tokens=100).reached
    assert not Budget(max_tokens=101, spent_tokens=100).reached
    assert not Budget(spent_tokens=10**12, spent_usd=1e9).reached
