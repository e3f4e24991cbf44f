"""Injected faults arrive as what they are, and as often as planned."""

import asyncio
from typing import Any

import pytest
from loopback import always, hello, request, with_model

from writ.errors import WritError
from writ.llm import ChatModel, EndpointSettings, ModelFault
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.server import Reply


def _outcome(plan: FaultPlan) -> str:
    async def use(model: ChatModel, settings: EndpointSettings) -> str:
        try:
            return str((await model.complete(request(settings))).content)
        except ModelFault as fault:
            return f"{fault.cause} {fault.retry_after_s}"

    return with_model(Faulty(hello, plan), use, call_deadline_s=0.3 if plan.hang else 5.0)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("rate_limited", "rate_limited None"),
        ("rate_limited_with_hint", "rate_limited 3.0"),
        ("server_error", "server_error None"),
        ("overloaded", "overloaded None"),
        ("hang", "timeout None"),
        ("reset", "connection None"),
        ("truncated", "truncated None"),
        ("invalid_json", "invalid_reply None"),
        ("empty_choices", "empty_reply None"),
    ],
)
def test_fault_arrives_as_its_cause(fault: str, outcome: str) -> None:
    assert _outcome(FaultPlan(**{fault: 1.0, "retry_after_s": 3})) == outcome


def test_long_text_arrives_whole() -> None:
    assert 40_000 <= len(_outcome(FaultPlan(long_text=1.0))) < 41_000


def test_no_fault_gives_the_right_answer() -> None:
    assert _outcome(FaultPlan()) == "Hello!"


def _replies(plan: FaultPlan, count: int) -> tuple[list[Reply], Faulty]:
    async def scenario() -> tuple[list[Reply], Faulty]:
        faulty = Faulty(hello, plan)
        return await asyncio.gather(*(faulty({}) for _ in range(count))), faulty

    return asyncio.run(scenario())


def test_shares_of_faults_are_those_of_the_plan() -> None:
    _, faulty = _replies(FaultPlan(rate_limited=0.2, server_error=0.05, empty_choices=0.01), 10_000)
    assert faulty.injected["rate_limited"] == pytest.approx(2000, rel=0.1)
    assert faulty.injected["server_error"] == pytest.approx(500, rel=0.2)
    assert faulty.injected["empty_choices"] == pytest.approx(100, rel=0.5)
    assert faulty.served == 10_000 - faulty.injected.total()


def test_faults_of_one_seed_repeat() -> None:
    plan = FaultPlan(rate_limited=0.3, overloaded=0.3, seed=4)
    assert _replies(plan, 200)[0] == _replies(plan, 200)[0]
    assert _replies(plan, 200)[0] != _replies(plan.model_copy(update={"seed": 5}), 200)[0]


def test_requests_above_the_most_at_once_are_refused_and_counted() -> None:
    replies, faulty = _replies(FaultPlan(max_in_flight=3, latency_s=0.01), 10)
    assert [reply.status for reply in replies] == [200] * 3 + [429] * 7
    assert (faulty.injected["max_in_flight"], faulty.most_in_flight, faulty.in_flight) == (7, 3, 0)


def test_answer_function_that_fails_reaches_the_client_as_a_server_error() -> None:
    async def broken(_body: dict[str, Any]) -> Reply:
        raise WritError("the script has no such task")

    async def use(model: ChatModel, settings: EndpointSettings) -> None:
        with pytest.raises(ModelFault, match="server_error"):
            await model.complete(request(settings))

    with_model(broken, use)
    with_model(always(Reply(b"", 500)), use)
