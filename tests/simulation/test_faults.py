"""What goes wrong on the wire costs time or one conversation, never another one."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from desk_world import MODEL, MemoryJournal, desk_answer, instruction, judged, open_desk, task
from test_engine import play

from writ.errors import ConfigError
from writ.llm import EndpointSettings
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.pool import open_endpoint
from writ.llm.server import Answer, Delivery, Reply, chat_reply, error_reply, serve
from writ.schema import ToolCall, Trajectory
from writ.settings import SimulationConfig
from writ.simulation.address import parsed
from writ.simulation.engine import Event, simulate

TASKS = [task(n) for n in range(40)]
FAST: dict[str, Any] = {"retries": 1, "breaker_failures": 1_000}


@pytest.fixture(scope="module")
def clean() -> list[Trajectory]:
    """The same tasks where nothing goes wrong."""
    return asyncio.run(play(TASKS))


def bad_for(instruction_id: str, reply: Reply) -> Answer:
    """A server that answers every request of one conversation with this."""

    async def answer(body: dict[str, Any]) -> Reply:
        return reply if parsed(body["user"]).instruction_id == instruction_id else await desk_answer(body)

    return answer


def test_a_run_under_every_fault_of_the_wire_makes_what_an_undisturbed_run_makes(clean: list[Trajectory]):
    shares = {"rate_limited": 0.1, "rate_limited_with_hint": 0.05, "server_error": 0.05, "overloaded": 0.03, "hang": 0.01, "reset": 0.03}
    faulty = Faulty(desk_answer, FaultPlan(**shares, truncated=0.03, invalid_json=0.03, empty_choices=0.03, retry_after_s=0))
    made = asyncio.run(play(TASKS, answer=faulty, endpoint={"call_deadline_s": 0.5, "retries": 12, "backoff_cap_s": 0.1}))
    assert made == clean
    assert set(faulty.injected) == {*shares, "truncated", "invalid_json", "empty_choices"}


CUT_OFF = {
    "server_error": error_reply(500, "no"),
    "overloaded": error_reply(503, "no"),
    "timeout": Reply(b"{}", delivery=Delivery.HANG),
    "connection": Reply(b"{}", delivery=Delivery.RESET),
    "truncated": Reply(b'{"choices": []}', delivery=Delivery.CUT),
    "invalid_reply": Reply(b"{"),
    "empty_reply": Reply(b'{"choices": []}'),
    "context_length": error_reply(400, "this model's maximum context length is 10 tokens"),
    "rejected": error_reply(422, "no"),
}


@pytest.mark.parametrize("cause", CUT_OFF)
def test_one_conversations_loss_has_its_cause_and_takes_no_other_with_it(cause: str, clean: list[Trajectory]):
    journal, events, began = MemoryJournal(), list[Event](), time.monotonic()
    endpoint = {**FAST, "retries": 0, "call_deadline_s": 2.0} if cause == "timeout" else FAST
    made = asyncio.run(
        play(TASKS, answer=bad_for("i7", CUT_OFF[cause]), journal=journal, progress=events.append, endpoint=endpoint, conversation_attempts=2)
    )
    lost = made.pop(7)
    assert (lost.termination, lost.detail.partition(":")[0], lost.instruction_id) == ("infrastructure", cause, "i7")
    assert made == clean[:7] + clean[8:]
    assert len(journal.records) == 39
    permanent = cause in ("context_length", "rejected")
    assert Counter(event.kind for event in events) == Counter(finished=40, lost=0 if permanent else 1)
    assert time.monotonic() - began < 20


def test_an_infrastructure_loss_is_tried_again_on_resume(clean: list[Trajectory]):
    journal = MemoryJournal()
    asyncio.run(play(TASKS, answer=bad_for("i7", error_reply(500, "no")), journal=journal, endpoint=FAST, conversation_attempts=1))
    assert asyncio.run(play(TASKS, journal=journal)) == clean


def test_a_conversation_that_outlives_its_deadline_is_lost_alone():
    async def slow(body: dict[str, Any]) -> Reply:
        if parsed(body["user"]).instruction_id == "i1":
            await asyncio.Event().wait()
        return await desk_answer(body)

    made = asyncio.run(play(TASKS[:3], answer=slow, conversation_deadline_s=0.3, conversation_attempts=1))
    assert [each.termination for each in made] == ["user_stop", "infrastructure", "user_stop"]
    assert made[1].detail.startswith("conversation_deadline")


def test_a_key_that_is_refused_in_mid_run_ends_the_run_and_keeps_what_is_finished():
    journal = MemoryJournal()

    async def revoked(body: dict[str, Any]) -> Reply:
        return await desk_answer(body) if len(journal.records) < 10 else error_reply(401, "revoked")

    with pytest.raises(ConfigError, match="key"):
        asyncio.run(play(TASKS, answer=revoked, journal=journal, concurrency=4))
    assert 10 <= len(journal.records) < 40


@pytest.mark.parametrize(
    "bad", [ToolCall(id="x", name="no_such_tool", arguments="{}"), ToolCall(id="x", name="get_loan", arguments="{loan"), "All of this. " * 3_150]
)
def test_an_agent_that_says_something_odd_once_still_ends_its_conversation(bad: ToolCall | str):
    async def odd(body: dict[str, Any]) -> Reply:
        fresh = parsed(body["user"]).role == "agent" and len(body["messages"]) == 3
        if not fresh:
            return await desk_answer(_forgotten(body))
        return chat_reply(bad, model=MODEL) if isinstance(bad, str) else chat_reply(None, [bad], model=MODEL)

    made = asyncio.run(play(TASKS[:5], answer=odd))
    assert {each.termination for each in made} == {"user_stop"}


def _forgotten(body: dict[str, Any]) -> dict[str, Any]:
    """The request without refused calls and their answers."""
    refused = {m["tool_call_id"] for m in body["messages"] if m["role"] == "tool" and m["content"].startswith("Error")}
    return {**body, "messages": [m for m in body["messages"] if m.get("tool_call_id") not in refused]}


def test_a_server_that_restarts_in_mid_run_costs_no_conversation(clean: list[Trajectory]):
    async def restarted() -> list[Trajectory]:
        halfway = asyncio.Event()
        journal = MemoryJournal()

        def progress(event: Event) -> None:
            if len(journal.records) >= 10:
                halfway.set()

        async with serve(desk_answer, models=[MODEL]) as first:
            settings = EndpointSettings(
                model=MODEL, base_url=first.base_url, backoff_base_s=0.01, backoff_cap_s=0.1, breaker_failures=3, breaker_open_s=0.05
            )
            agent, user = open_endpoint(settings), open_endpoint(settings)
            made = simulate(
                SimulationConfig(agent=settings, user=settings, concurrency=4),
                tasks=TASKS,
                instructions=[instruction(n) for n in range(40)],
                domains={"desk": open_desk()},
                agent=agent,
                user=user,
                judge=judged,
                journal=journal,
                progress=progress,
            )
            running = asyncio.create_task(_collected(made))
            await halfway.wait()
        assert not running.done()
        async with serve(desk_answer, models=[MODEL], port=first.port):
            trajectories = await running
        assert agent.metrics.retries or user.metrics.retries
        await agent.close()
        await user.close()
        return trajectories

    assert asyncio.run(restarted()) == clean


async def _collected(made: Any) -> list[Trajectory]:
    return [each async for each in made]
