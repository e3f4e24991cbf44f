"""An Endpoint against real servers that misbehave."""

import asyncio
import time
from typing import Any

import pytest
from loopback import MODEL, SkippingClock, always, endpoint, hello, in_turn, request, settings_for, with_endpoint

from writ.errors import BudgetReached, ConfigError, Unavailable
from writ.llm import Cause, ChatReply, ModelFault, open_model
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.limits import Budget
from writ.llm.pool import Endpoint
from writ.llm.server import Delivery, Reply, chat_reply, error_reply, serve

RIGHT = chat_reply("Hello!", model=MODEL, prompt_tokens=7, completion_tokens=2)
REFUSED = error_reply(429, "slow down")


async def _complete(opened: Endpoint) -> ChatReply:
    return await opened.complete(request(opened.settings))


async def _many(opened: Endpoint, count: int) -> list[ChatReply | BaseException]:
    return await asyncio.gather(*(_complete(opened) for _ in range(count)), return_exceptions=True)


def test_request_that_fails_in_every_way_is_answered_in_the_end() -> None:
    async def use(opened: Endpoint) -> None:
        assert (await _complete(opened)).content == "Hello!"
        assert opened.metrics.retries == {"rate_limited": 1, "overloaded": 1, "server_error": 1, "connection": 1, "truncated": 1, "empty_reply": 1}
        assert (opened.metrics.requests, opened.metrics.replies, dict(opened.metrics.given_up)) == (1, 1, {})

    failures = [error_reply(status, "no") for status in (429, 503, 500)] + [
        Reply(RIGHT.body, delivery=Delivery.RESET),
        Reply(RIGHT.body, delivery=Delivery.CUT),
        Reply(b'{"choices": []}'),
    ]
    with_endpoint(in_turn(*failures, RIGHT), use)


def test_request_is_given_up_after_its_retries_with_the_last_cause() -> None:
    async def use(opened: Endpoint) -> None:
        with pytest.raises(ModelFault) as caught:
            await _complete(opened)
        assert caught.value.cause is Cause.SERVER_ERROR
        assert opened.metrics.given_up == {"server_error": 1}
        assert opened.metrics.retries == {"rate_limited": 1, "server_error": 1}

    with_endpoint(in_turn(REFUSED, error_reply(500, "no")), use, retries=2)


def test_permanent_fault_is_not_tried_again() -> None:
    async def use(opened: Endpoint) -> None:
        with pytest.raises(ModelFault, match="context_length"):
            await _complete(opened)
        assert not opened.metrics.retries

    with_endpoint(in_turn(error_reply(400, "maximum context length is 10"), RIGHT), use)


def test_refused_key_ends_at_once() -> None:
    with pytest.raises(ConfigError):
        with_endpoint(in_turn(error_reply(401, "no"), RIGHT), _complete)


def test_retry_after_is_honoured() -> None:
    clock = SkippingClock()
    with_endpoint(in_turn(error_reply(429, "no", headers=(("Retry-After", "7"),)), RIGHT), _complete, clock=clock, backoff_base_s=0.5)
    assert 7 <= sum(clock.slept_s) <= 7.5


def test_retry_after_beyond_all_patience_ends_the_run() -> None:
    answer = always(error_reply(429, "no", headers=(("Retry-After", "86400"),)))
    with pytest.raises(Unavailable, match="come back in 86400 s") as caught:
        with_endpoint(answer, _complete, clock=SkippingClock())
    assert not isinstance(caught.value, ModelFault)


def test_hanging_requests_are_cut_and_answered_by_a_retry() -> None:
    async def use(opened: Endpoint) -> None:
        started_s = time.monotonic()
        replies = await _many(opened, 100)
        assert all(isinstance(reply, ChatReply) for reply in replies)
        assert opened.metrics.retries["timeout"] > 0
        assert time.monotonic() - started_s < 8

    with_endpoint(Faulty(hello, FaultPlan(hang=0.1)), use, call_deadline_s=0.5)


def test_conversations_survive_a_server_that_fails_in_all_ways_at_once() -> None:
    plan = FaultPlan(rate_limited=0.1, rate_limited_with_hint=0.1, server_error=0.05, hang=0.01, reset=0.02, truncated=0.02, retry_after_s=0)
    faulty = Faulty(hello, plan.model_copy(update={"invalid_json": 0.02, "empty_choices": 0.02}))

    async def use(opened: Endpoint) -> None:
        assert all(isinstance(reply, ChatReply) for reply in await _many(opened, 400))
        retried = opened.metrics.retries
        assert retried["rate_limited"] == faulty.injected["rate_limited"] + faulty.injected["rate_limited_with_hint"]
        assert (retried["server_error"], retried["connection"]) == (faulty.injected["server_error"], faulty.injected["reset"])
        assert (retried["truncated"], retried["timeout"]) == (faulty.injected["truncated"], faulty.injected["hang"])
        assert (retried["invalid_reply"], retried["empty_reply"]) == (faulty.injected["invalid_json"], faulty.injected["empty_choices"])

    with_endpoint(faulty, use, call_deadline_s=2.0, retries=20)


def test_real_server_is_not_asked_for_much_more_than_it_bears_for_long() -> None:
    """Wide bounds: on a busy machine a request in flight here may not have reached the server. `test_limits.py` has the exact ones."""
    faulty = Faulty(hello, FaultPlan(max_in_flight=12, latency_s=0.05))

    async def use(opened: Endpoint) -> None:
        replies = await _many(opened, 700)
        assert all(isinstance(reply, ChatReply) for reply in replies)
        assert 5 <= opened.concurrency_limit <= 20
        assert faulty.injected["max_in_flight"] < 700

    with_endpoint(faulty, use, start_concurrency=64, retries=50)


def test_server_that_restarts_loses_no_request() -> None:
    async def scenario() -> None:
        settings = settings_for("http://127.0.0.1:0/v1")
        async with serve(hello, models=[MODEL]) as first:
            settings = settings_for(first.base_url, breaker_failures=3, breaker_open_s=0.05, backoff_cap_s=0.2, retries=1)
            opened = Endpoint(open_model(settings), settings)
            assert (await _complete(opened)).content == "Hello!"
        waiting = [asyncio.create_task(_complete(opened)) for _ in range(50)]
        await asyncio.wait(waiting, timeout=0.5)
        gone = [task for task in waiting if task.done()]
        async with serve(hello, models=[MODEL], port=first.port):
            replies = await asyncio.gather(*waiting, return_exceptions=True)
        await opened.close()
        assert not gone
        assert all(isinstance(reply, ChatReply) for reply in replies)

    asyncio.run(scenario())


def test_server_that_stays_away_ends_the_run() -> None:
    async def scenario() -> None:
        settings = settings_for("http://127.0.0.1:1/v1", breaker_failures=5, ready_within_s=60)
        opened = Endpoint(open_model(settings), settings, clock=SkippingClock())
        replies = await _many(opened, 20)
        await opened.close()
        assert {type(reply) for reply in replies} == {Unavailable}

    asyncio.run(scenario())


def test_budget_is_shared_and_stops_the_next_request() -> None:
    budget = Budget(max_tokens=20)

    async def use(opened: Endpoint) -> None:
        await _complete(opened)
        budget.spend(20 - 9, 0)
        with pytest.raises(BudgetReached):
            await _complete(opened)
        assert opened.in_flight == 0

    with_endpoint(always(RIGHT), use, budget=budget)


def test_tokens_and_money_are_counted_by_price() -> None:
    budget = Budget()

    async def use(opened: Endpoint) -> None:
        await _many(opened, 200)
        assert (opened.metrics.prompt_tokens, opened.metrics.completion_tokens) == (1400, 400)
        assert opened.metrics.cost_usd == pytest.approx(1400 * 2 / 1e6 + 400 * 10 / 1e6)
        assert (budget.spent_tokens, budget.spent_usd) == (1800, pytest.approx(opened.metrics.cost_usd))

    with_endpoint(always(RIGHT), use, budget=budget, usd_per_million_prompt_tokens=2, usd_per_million_completion_tokens=10)


def test_requests_in_flight_never_pass_the_configured_most() -> None:
    faulty = Faulty(hello, FaultPlan(latency_s=0.005))

    async def use(opened: Endpoint) -> None:
        await _many(opened, 200)

    with_endpoint(faulty, use, start_concurrency=8, max_concurrency=8)
    assert faulty.most_in_flight == 8


def test_conversation_that_is_cancelled_frees_its_slot() -> None:
    async def scenario() -> None:
        async with endpoint(in_turn(*[Reply(b"", delivery=Delivery.HANG)] * 2, RIGHT), start_concurrency=2, max_concurrency=2) as opened:
            stuck = [asyncio.create_task(_complete(opened)) for _ in range(2)]
            await asyncio.wait(stuck, timeout=0.2)
            assert opened.in_flight == 2
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            assert opened.in_flight == 0
            assert (await _complete(opened)).content == "Hello!"

    asyncio.run(scenario())


def test_latency_is_that_of_the_server_without_the_queue() -> None:
    faulty: Any = Faulty(hello, FaultPlan(latency_s=0.1))

    async def use(opened: Endpoint) -> None:
        await _many(opened, 6)
        assert opened.metrics.latency.count == 6
        assert 0.1 <= opened.metrics.latency.quantile_s(0.5) < 0.2
        assert opened.metrics.summary()["replies"] == 6

    with_endpoint(faulty, use, start_concurrency=2, max_concurrency=2)
