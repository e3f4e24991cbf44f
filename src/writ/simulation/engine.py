"""The engine of a worker: many conversations in one asyncio loop, batch by batch, each on disk before it counts.

A batch's tasks are attempted in order: first as many as are wanted, then, round by round, as many of the reserve as are still missing. So what
a batch makes follows from its tasks and the answers alone, not from concurrency, the order of completion, or where the process was killed.
Conversations leave in the order of their batches, and within a batch in the order of tasks and rollouts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from writ.domains.registry import OpenDomain
from writ.errors import Unavailable
from writ.schema import Instruction, Task, Trajectory, Verdict
from writ.settings import SimulationConfig
from writ.simulation.batches import Pool, Telling, pools
from writ.simulation.finished import Journal, Recorder, Shelf
from writ.simulation.play import Endpoint, Player, Source, trajectory_id

Judge = Callable[[Task, Instruction, Trajectory], Verdict]


class Event(NamedTuple):
    """What progress is told of: a conversation that ended, one found in the journal, or one that was lost and is begun again."""

    kind: Literal["finished", "resumed", "lost"]
    task: Task
    trajectory: Trajectory
    verdict: Verdict | None
    """None for a lost one."""
    seconds: float
    """From its first request to its end; 0 for a resumed one."""


async def simulate(
    config: SimulationConfig,
    *,
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    domains: Mapping[str, OpenDomain],
    agent: Endpoint,
    user: Endpoint,
    judge: Judge,
    journal: Journal,
    source: Source = "model",
    progress: Callable[[Event], None] = lambda event: None,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[Trajectory]:
    """Plays every batch until its quota is kept or its reserve is spent.

    A telling counts as kept if the judge keeps any of its rollouts. `stop` ends the run within seconds, and so does closing the generator;
    what is finished by then is in the journal, and the same call goes on from there.

    Raises: BudgetReached; Unavailable (stopped, endpoint or store away, disk full); ConfigError (the endpoint refuses us); ArtifactError.
    """
    player = Player(config, domains, agent, user, source)
    worker = _Worker(config, player, judge, journal, progress)
    try:
        await worker.resume()
        worker.start(pools(tasks, instructions), stop or asyncio.Event())
        while (batch := await worker.next_batch()) is not None:
            for made in batch:
                yield worker.shelf.take(made)
    finally:
        await worker.close()


class _Worker:
    """The state of one call of `simulate`."""

    def __init__(self, config: SimulationConfig, player: Player, judge: Judge, journal: Journal, progress: Callable[[Event], None]) -> None:
        self.shelf = Shelf()
        self._config = config
        self._player = player
        self._judge = judge
        self._journal = journal
        self._recorder = Recorder(journal)
        self._progress = progress
        self._allowance = player.allowance
        self._slots = asyncio.Semaphore(config.concurrency)
        self._queued = 0
        self._room = asyncio.Event()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._batches: asyncio.Queue[asyncio.Task[list[str]] | None] = asyncio.Queue()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running: set[asyncio.Task[Any]] = set()

    # ------------------------------------------------------------------------------------------------------------- life

    async def resume(self) -> None:
        """Takes up what earlier starts of this run have finished."""
        for trajectory in self._journal.load():
            self.shelf.put(trajectory)
            self._allowance.resume(trajectory)

    def start(self, source: Iterable[Pool], stop: asyncio.Event) -> None:
        self._spawn(self._feed(source))
        self._spawn(self._watch(stop))

    async def next_batch(self) -> list[str] | None:
        """Ids of the next batch's conversations once it is done; None after the last one. Raises the first failure of any part."""
        if self._batches.empty():
            batch = await self._or_failure(self._spawn(self._batches.get()))
        else:
            batch = self._batches.get_nowait()
        return batch if batch is None else await self._or_failure(batch)

    async def close(self) -> None:
        """Ends what still runs; what finished stays durable."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._recorder.flush()
        if not self._failure.cancel():
            self._failure.exception()
        self.shelf.close()

    async def _or_failure(self, task: "asyncio.Task[Any]") -> Any:
        if not task.done():
            await asyncio.wait((task, self._failure), return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            self._failure.result()
        return task.result()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        raise Unavailable("simulation was told to stop; what is finished is kept: start the same command again")

    # ---------------------------------------------------------------------------------------------------------- batches

    async def _feed(self, source: Iterable[Pool]) -> None:
        """Opens batches as long as fewer conversations wait than may be in flight."""
        for pool in source:
            self._batches.put_nowait(self._spawn(self._batch(pool)))
            await asyncio.sleep(0)
            while self._queued >= self._config.concurrency:
                self._room.clear()
                await self._room.wait()
        self._batches.put_nowait(None)

    async def _batch(self, pool: Pool) -> list[str]:
        made: list[str] = []
        kept = begun = 0
        while kept < pool.batch.wanted and begun < len(pool.tellings):
            round_ = pool.tellings[begun : begun + pool.batch.wanted - kept]
            rollouts = [(each, rollout) for each in round_ for rollout in range(self._config.rollouts_per_task)]
            keeps = await asyncio.gather(*(self._spawn(self._rollout(*each)) for each in rollouts))
            made += [trajectory_id(self._config, telling.instruction, rollout) for telling, rollout in rollouts]
            kept += len({telling.instruction.id for (telling, _), keep in zip(rollouts, keeps, strict=True) if keep})
            begun += len(round_)
        return made

    # ---------------------------------------------------------------------------------------------------- conversations

    async def _rollout(self, telling: Telling, rollout: int) -> bool:
        """Whether the judge keeps it. When this returns, the conversation is durable and on the shelf."""
        known = self.shelf.get(trajectory_id(self._config, telling.instruction, rollout))
        if known is not None:
            return self._judged("resumed", telling, known, 0.0)
        self._queued += 1
        async with self._slots:
            self._queued -= 1
            self._room.set()
            await self._admission()
            try:
                return await self._played(telling, rollout)
            finally:
                self._in_flight -= 1
                self._idle.set()

    async def _admission(self) -> None:
        """Waits, where the budget may not bear one more, until those in flight are over. Raises: BudgetReached if it does not bear it then."""
        while not self._allowance.admits(self._in_flight):
            if not self._in_flight:
                raise self._allowance.reached()
            self._idle.clear()
            await self._idle.wait()
        self._in_flight += 1

    async def _played(self, telling: Telling, rollout: int) -> bool:
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._config.conversation_attempts + 1):
            began = loop.time()
            played = await self._player.play(telling.instruction, rollout)
            self._allowance.end(played.trajectory)
            if not played.lost or not played.again or attempt == self._config.conversation_attempts:
                break
            self._progress(Event("lost", telling.task, played.trajectory, None, loop.time() - began))
        if not played.lost:
            await self._recorder.save(played.trajectory)
        self.shelf.put(played.trajectory)
        return self._judged("finished", telling, played.trajectory, loop.time() - began)

    def _judged(self, kind: Literal["finished", "resumed"], telling: Telling, trajectory: Trajectory, seconds: float) -> bool:
        verdict = self._judge(telling.task, telling.instruction, trajectory)
        self._progress(Event(kind, telling.task, trajectory, verdict, seconds))
        return verdict.kept
