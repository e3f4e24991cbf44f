"""The engine over real loopback HTTP: quotas, order, determinism, limits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import pytest
from desk_world import MODEL, MemoryJournal, desk_answer, instruction, judged, open_desk, task

from writ.errors import ArtifactError, BudgetReached, Unavailable
from writ.llm import EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.server import Answer, serve
from writ.schema import Batch, Task, Trajectory, Verdict
from writ.settings import SimulationConfig
from writ.simulation.address import parsed
from writ.simulation.engine import Event, simulate


async def conversations(
    tasks: Iterable[Task],
    *,
    answer: Answer = desk_answer,
    judge: Callable[..., Verdict] = judged,
    journal: MemoryJournal | None = None,
    progress: Callable[[Event], None] = lambda event: None,
    stop: asyncio.Event | None = None,
    endpoint: dict[str, Any] | None = None,
    **config: Any,
) -> AsyncGenerator[Trajectory, None]:
    """The conversations of these tasks against one server that is both sides."""
    tasks = list(tasks)
    async with serve(answer, models=[MODEL]) as server:
        settings = EndpointSettings(model=MODEL, base_url=server.base_url, backoff_base_s=0.01, **(endpoint or {}))
        agent, user = open_endpoint(settings), open_endpoint(settings)
        made = simulate(
            SimulationConfig(agent=settings, user=settings, **config),
            tasks=tasks,
            instructions=[instruction(int(each.id[1:])) for each in tasks],
            domains={"desk": open_desk()},
            agent=agent,
            user=user,
            judge=judge,
            journal=journal or MemoryJournal(),
            progress=progress,
            stop=stop,
        )
        try:
            async with aclosing(made):
                async for trajectory in made:
                    yield trajectory
        finally:
            await agent.close()
            await user.close()


async def play(tasks: Iterable[Task], **options: Any) -> list[Trajectory]:
    """All of them."""
    return [trajectory async for trajectory in conversations(tasks, **options)]


def batches(count: int, wanted: int, size: int) -> list[Task]:
    return [task(batch * size + n, Batch(id=f"b{batch}", wanted=wanted)) for batch in range(count) for n in range(size)]


def keeps_even(task: Task, instruction: Any, trajectory: Trajectory) -> Verdict:
    verdict = judged(task, instruction, trajectory)
    return verdict.model_copy(update={"kept": verdict.kept and int(task.id[1:]) % 2 == 0})


def test_a_batch_whose_first_tasks_are_kept_leaves_its_reserve_alone():
    made = asyncio.run(play(batches(2, wanted=3, size=5)))
    assert [each.task_id for each in made] == ["t0", "t1", "t2", "t5", "t6", "t7"]


def test_a_batch_that_loses_tasks_goes_on_into_its_reserve_until_the_quota_is_kept():
    made = asyncio.run(play(batches(1, wanted=3, size=9), judge=keeps_even))
    assert [each.task_id for each in made] == ["t0", "t1", "t2", "t3", "t4"]


def test_a_batch_whose_reserve_is_spent_ends_short_of_its_quota():
    made = asyncio.run(play(batches(1, wanted=4, size=5), judge=keeps_even))
    assert [each.task_id for each in made] == ["t0", "t1", "t2", "t3", "t4"]


def test_rollouts_of_one_task_stand_together_and_count_once_against_the_quota():
    made = asyncio.run(play(batches(1, wanted=2, size=4), rollouts_per_task=3))
    assert [(each.task_id, each.rollout) for each in made] == [(f"t{n}", rollout) for n in range(2) for rollout in range(3)]
    assert len({each.id for each in made}) == 6


def test_conversations_are_the_same_whatever_the_concurrency():
    tasks = batches(8, wanted=5, size=12)
    alone, together = (asyncio.run(play(tasks, judge=keeps_even, concurrency=n)) for n in (1, 64))
    assert alone == together
    assert len(alone) == 8 * 9


def test_a_resumed_run_asks_no_model_and_makes_the_same():
    journal, asked = MemoryJournal(), []

    async def counted(body: dict[str, Any]) -> Any:
        asked.append(body["user"])
        return await desk_answer(body)

    tasks = batches(3, wanted=2, size=3)
    first = asyncio.run(play(tasks, answer=counted, journal=journal))
    count = len(asked)
    events: list[Event] = []
    assert asyncio.run(play(tasks, answer=counted, journal=journal, progress=events.append)) == first
    assert len(asked) == count > 0
    assert [event.kind for event in events] == ["resumed"] * 6


def test_a_run_that_is_told_to_stop_keeps_what_is_finished_and_goes_on_later():
    journal, tasks = MemoryJournal(), batches(10, wanted=4, size=4)

    async def stopped() -> None:
        stop = asyncio.Event()

        def progress(event: Event) -> None:
            if len(journal.records) >= 7:
                stop.set()

        await play(tasks, journal=journal, progress=progress, stop=stop, concurrency=4)

    with pytest.raises(Unavailable, match="start the same command again"):
        asyncio.run(stopped())
    finished = len(journal.records)
    assert 7 <= finished < 40
    assert len(asyncio.run(play(tasks, journal=journal))) == 40 == len({each.id for each in journal.records}) == len(journal.records)


def test_a_token_budget_ends_the_run_and_a_larger_one_finishes_it():
    journal, tasks = MemoryJournal(), batches(4, wanted=5, size=5)
    with pytest.raises(BudgetReached, match="max_tokens"):
        asyncio.run(play(tasks, journal=journal, max_tokens=9_000, concurrency=2))
    spent = sum(side.prompt_tokens + side.completion_tokens for each in journal.records for side in (each.agent_usage, each.user_usage))
    assert 9_000 * 0.7 < spent <= 9_000
    assert len(asyncio.run(play(tasks, journal=journal, max_tokens=10**9))) == 20 == len(journal.records)


@pytest.mark.parametrize(("concurrency", "requests"), [(1, range(16, 17)), (20, range(20, 41))])
def test_a_budget_wastes_few_requests_on_conversations_that_it_cannot_finish(concurrency: int, requests: range):
    """A conversation costs 8 requests of 110 tokens: two fit. Those that all begin at once are cut off before they spend much more."""
    asked = []

    async def counted(body: dict[str, Any]) -> Any:
        asked.append(body["user"])
        return await desk_answer(body)

    with pytest.raises(BudgetReached):
        asyncio.run(play(batches(4, wanted=5, size=5), answer=counted, max_tokens=int(2.5 * 880), concurrency=concurrency))
    assert len(asked) in requests


def test_a_dollar_budget_counts_by_the_prices_of_the_endpoints():
    journal, prices = MemoryJournal(), {"usd_per_million_prompt_tokens": 1_000.0, "usd_per_million_completion_tokens": 10_000.0}
    with pytest.raises(BudgetReached, match="max_cost_usd"):
        asyncio.run(play(batches(4, wanted=5, size=5), journal=journal, max_cost_usd=5.0, concurrency=1, endpoint=prices))
    assert len(journal.records) == 5 // (8 * 0.2)


def test_instructions_of_other_tasks_are_refused():
    async def mismatched() -> None:
        async for _ in simulate(
            SimulationConfig(),
            tasks=[task(1), task(2)],
            instructions=[instruction(2), instruction(1)],
            domains={"desk": open_desk()},
            agent=None,  # type: ignore[arg-type]
            user=None,  # type: ignore[arg-type]
            judge=judged,
            journal=MemoryJournal(),
        ):
            pass

    with pytest.raises(ArtifactError, match="t1"):
        asyncio.run(mismatched())


def test_conversations_in_flight_never_exceed_the_concurrency():
    open_now: set[str] = set()
    most = 0

    async def watched(body: dict[str, Any]) -> Any:
        nonlocal most
        name = body["user"].partition(":")[2]
        open_now.add(name)
        most = max(most, len(open_now))
        await asyncio.sleep(0)
        return await desk_answer(body)

    def progress(event: Event) -> None:
        open_now.discard(f"{event.trajectory.instruction_id}:{event.trajectory.rollout}")

    asyncio.run(play(batches(5, wanted=8, size=8), answer=watched, progress=progress, concurrency=6))
    assert most == 6


def test_finished_batches_leave_while_later_ones_are_still_at_work():
    first_left = asyncio.Event()

    async def later_waits(body: dict[str, Any]) -> Any:
        if int(parsed(body["user"]).instruction_id[1:]) >= 2:
            await first_left.wait()
        return await desk_answer(body)

    async def streamed() -> list[str]:
        left = []
        async for trajectory in conversations(batches(2, wanted=2, size=2), answer=later_waits):
            left.append(trajectory.task_id)
            first_left.set()
        return left

    assert asyncio.run(asyncio.wait_for(streamed(), 20)) == ["t0", "t1", "t2", "t3"]


def test_a_store_that_fails_ends_the_run_and_what_it_took_before_stays():
    class Full(MemoryJournal):
        def append(self, records: Iterable[Trajectory]) -> None:
            if len(self.records) >= 8:
                raise Unavailable("disk full")
            super().append(records)

    journal, tasks = Full(), batches(10, wanted=4, size=4)
    with pytest.raises(Unavailable, match="disk full"):
        asyncio.run(play(tasks, journal=journal, concurrency=4))
    kept_safe = MemoryJournal()
    kept_safe.append(journal.records)
    events: list[Event] = []
    assert len(asyncio.run(play(tasks, journal=kept_safe, progress=events.append))) == 40
    assert [event.kind for event in events].count("resumed") == len(journal.records) >= 8


def test_a_consumer_that_leaves_early_leaves_no_conversation_running():
    asked: list[str] = []

    async def counted(body: dict[str, Any]) -> Any:
        asked.append(body["user"])
        return await desk_answer(body)

    async def left() -> None:
        made = conversations(batches(20, wanted=5, size=5), answer=counted, concurrency=5)
        async for _ in made:
            break
        await made.aclose()
        count = len(asked)
        assert count < 20 * 5 * 8
        assert len(asyncio.all_tasks()) == 1
        assert len(asked) == count

    asyncio.run(left())


def test_a_judge_that_breaks_ends_the_run_with_its_own_error():
    def broken(*_: Any) -> Verdict:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(play(batches(2, wanted=2, size=2), judge=broken))
