"""The circuit breaker, in virtual time."""

import asyncio

import pytest
from virtual_time import LoopClock, run_virtually

from writ.errors import Unavailable
from writ.llm.breaker import Breaker


def _breaker(patience_s: float = 600.0) -> Breaker:
    return Breaker("model 'm'", failures=3, open_s=1.0, open_cap_s=8.0, patience_s=patience_s, clock=LoopClock())


async def _fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.leave(await breaker.enter(), alive=False)


def test_breaker_opens_after_failures_in_a_row_only() -> None:
    async def scenario() -> list[bool]:
        breaker, seen = _breaker(), []
        await _fail(breaker, 2)
        breaker.leave(await breaker.enter(), alive=True)
        await _fail(breaker, 2)
        seen.append(breaker.is_open)
        await _fail(breaker, 1)
        return [*seen, breaker.is_open]

    assert run_virtually(scenario()) == [False, True]


def test_open_breaker_lets_one_request_probe_and_the_rest_follow_its_success() -> None:
    async def scenario() -> list[tuple[float, bool]]:
        breaker, entered = _breaker(), []
        await _fail(breaker, 3)

        async def ask() -> None:
            probe = await breaker.enter()
            entered.append((asyncio.get_running_loop().time(), probe))
            await asyncio.sleep(0.5)
            breaker.leave(probe, alive=True)

        await asyncio.gather(*(ask() for _ in range(20)))
        return entered

    entered = run_virtually(scenario())
    assert entered[0] == (pytest.approx(1.0), True)
    assert entered[1:] == [(pytest.approx(1.5), False)] * 19


def test_failing_probes_come_ever_more_slowly() -> None:
    async def scenario() -> list[float]:
        breaker, probes = _breaker(), []
        await _fail(breaker, 3)
        for _ in range(6):
            probe = await breaker.enter()
            assert probe
            probes.append(asyncio.get_running_loop().time())
            breaker.leave(probe, alive=False)
        return probes

    assert run_virtually(scenario()) == pytest.approx([1, 3, 7, 15, 23, 31])


def test_wait_starts_small_again_after_a_recovery() -> None:
    async def scenario() -> float:
        breaker = _breaker()
        await _fail(breaker, 6)
        breaker.leave(await breaker.enter(), alive=True)
        await _fail(breaker, 3)
        opened_s = asyncio.get_running_loop().time()
        await breaker.enter()
        return asyncio.get_running_loop().time() - opened_s

    assert run_virtually(scenario()) == pytest.approx(1.0)


def test_probe_that_is_cancelled_hands_the_probing_on() -> None:
    async def scenario() -> bool:
        breaker = _breaker()
        await _fail(breaker, 3)
        first = await breaker.enter()
        second = asyncio.create_task(breaker.enter())
        await asyncio.sleep(2)
        assert not second.done()
        breaker.leave(first, alive=None)
        return await second

    assert run_virtually(scenario()) is True


def test_late_failures_of_others_do_not_end_a_probe() -> None:
    async def scenario() -> bool:
        breaker = _breaker()
        others = [await breaker.enter() for _ in range(5)]
        await _fail(breaker, 3)
        await breaker.enter()
        waiting = asyncio.create_task(breaker.enter())
        for other in others:
            breaker.leave(other, alive=False)
        await asyncio.sleep(5)
        return waiting.cancel()

    assert run_virtually(scenario()) is True


def test_late_failures_of_others_do_not_put_the_probe_off() -> None:
    async def scenario() -> float:
        breaker = _breaker()
        others = [await breaker.enter() for _ in range(5)]
        await _fail(breaker, 3)
        await asyncio.sleep(0.9)
        for other in others:
            breaker.leave(other, alive=False)
        await breaker.enter()
        return asyncio.get_running_loop().time()

    assert run_virtually(scenario()) == pytest.approx(1.0)


def test_server_that_stays_away_ends_the_waiting_of_all() -> None:
    async def scenario() -> float:
        breaker = _breaker(patience_s=60)
        await _fail(breaker, 3)

        async def ask() -> None:
            while True:
                breaker.leave(await breaker.enter(), alive=False)

        results = await asyncio.gather(*(ask() for _ in range(10)), return_exceptions=True)
        assert all(isinstance(result, Unavailable) and "away for 60 s" in str(result) for result in results)
        return asyncio.get_running_loop().time()

    assert 60 <= run_virtually(scenario()) <= 70
