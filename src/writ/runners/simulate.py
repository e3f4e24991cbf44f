"""Runs the one stage that talks: endpoints, the embedded model's server, the journal, signals and shards around it."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from writ.artifacts import Manifest, join_manifests, read_manifest
from writ.errors import ArtifactError
from writ.jobs.local import serving
from writ.llm import EMBEDDED, EndpointSettings
from writ.llm.pool import Endpoint, open_endpoint
from writ.pipeline import BY_NAME, Plan, Ports, Stage
from writ.runners.dealings import Dealing, place
from writ.runners.execute import Listener, Progress, open_writer, read_input
from writ.runners.ready import await_ready
from writ.runners.traces import Trace, traced
from writ.schema import Trajectory
from writ.scoring.benchmark import GOLD
from writ.settings import RunConfig
from writ.storage import Store

if TYPE_CHECKING:
    from writ.runners.metrics import StageMetrics

STAGE = BY_NAME["simulate"]


@dataclass(frozen=True, slots=True)
class Keys:
    """API keys of the endpoints, read by the command line."""

    agent: SecretStr | None = None
    user: SecretStr | None = None
    paraphraser: SecretStr | None = None
    judge: SecretStr | None = None
    """Of `verification.judge`."""


def simulate(config: RunConfig, plan: Plan, store: Store, listen: Listener, keys: Keys, *, shard: int = 0, shards: int = 1) -> Manifest:
    """The trajectories of a run, or of one shard of it (`<key>/<shard>-of-<shards>`). Skips what stands; resumes what was begun.

    Raises: ArtifactError, ConfigError (endpoint), BudgetReached, Unavailable (told to stop, endpoint or store away).
    """
    key = place(plan.keys["simulate"], shard, shards)
    standing = read_manifest(store, "simulate", plan.keys["simulate"]) or read_manifest(store, "simulate", key)
    if standing is not None:
        listen(Progress("simulate", standing.records, finished=True, reused=True))
        return standing
    return talk(STAGE, config, plan, store, listen, keys, answered, shard=shard, shards=shards)


Answering = Callable[[RunConfig, Plan, Store], AbstractContextManager[RunConfig]]
"""Gives the settings with a URL for both endpoints, as long as its block is open."""


def talk(
    stage: Stage,
    config: RunConfig,
    plan: Plan,
    store: Store,
    listen: Listener,
    keys: Keys,
    answering: Answering,
    *,
    shard: int = 0,
    shards: int = 1,
) -> Manifest:
    """Makes the artifact of a stage that talks, or of a shard of it, while `answering` sees to it that somebody answers. Raises as `simulate`."""
    with ExitStack() as stack:
        config = stack.enter_context(answering(config, plan, store))
        trace = stack.enter_context(traced(config.traces_url, plan.run_id, stage.name, shard=shard, shards=shards))
        runner = _Runner(stage, config, plan, store, listen, keys, trace, shard, shards)
        with asyncio.Runner() as loop:
            made = loop.run(runner.run())
        trace.note(records=made.records)
        return made


def join(plan: Plan, store: Store, shards: int) -> Manifest:
    """Makes the whole artifact of its shards, once all stand. Raises: ArtifactError where one does not."""
    key = plan.keys["simulate"]
    standing = read_manifest(store, "simulate", key)
    if standing is not None:
        return standing
    parts = []
    for shard in range(shards):
        part = read_manifest(store, "simulate", place(key, shard, shards))
        if part is None:
            raise ArtifactError(f"shard {shard} of {shards} of {store.url}/simulate/{key} is unfinished; run 'writ stage simulate --shard {shard}'")
        parts.append(part)
    whole = join_manifests(store, "simulate", key, parts, inputs=plan.inputs(STAGE))
    Dealing(store, "simulate", key, 0, 1).clear(all_dealings=True)
    return whole


@contextmanager
def answered(config: RunConfig, plan: Plan, store: Store) -> Iterator[RunConfig]:
    """The settings with a URL for both endpoints: the embedded scripted model is started for those without one."""
    if config.simulation.agent.base_url and config.simulation.user.base_url:
        yield config
        return
    with serving(_scripted_command(config, plan, store), leave_s=EMBEDDED_LEAVES_S) as url:
        filled = {role: _with_url(getattr(config.simulation, role), url) for role in ("agent", "user")}
        yield config.model_copy(update={"simulation": config.simulation.model_copy(update=filled)})


def _scripted_command(config: RunConfig, plan: Plan, store: Store) -> list[str]:
    faults = [part for name, rate in sorted(config.simulation.faults.items()) for part in ("--fault", f"{name}={rate:g}")]
    s3 = ["--s3", config.s3.model_dump_json()] if store.url.startswith("s3://") else []
    keys = ["--domain", plan.keys["domain"], "--instructions", plan.keys["instructions"]]
    return [sys.executable, "-m", "writ", "model", "serve", "--out", store.url, "--port", "0", "--with-input", *keys, *faults, *s3]


FLUSH_WITHIN_S = 3.0
"""After SIGTERM; ten seconds are promised in all."""

EMBEDDED_LEAVES_S = 1.0
"""The embedded model has nothing to save, and may be waiting for a store that is away; the ten seconds are its starter's."""

EMBEDDED_WITHIN_S = 60.0
"""Nobody starts the embedded model again: away for so long, it is gone, and the run says why."""


def _with_url(settings: EndpointSettings, url: str) -> EndpointSettings:
    if settings.base_url:
        return settings
    return settings.model_copy(update={"base_url": url, "ready_within_s": min(settings.ready_within_s, EMBEDDED_WITHIN_S)})


def source_of(config: RunConfig) -> Literal["scripted", "model", "playback"]:
    """`scripted` if either side is the embedded model, `playback` if either replays gold actions."""
    endpoints = (config.simulation.agent, config.simulation.user)
    if any(each.model == GOLD for each in endpoints):
        return "playback"
    return "scripted" if any(not each.base_url or each.model in EMBEDDED for each in endpoints) else "model"


class _Runner:
    """One start of the stage."""

    def __init__(
        self, stage: Stage, config: RunConfig, plan: Plan, store: Store, listen: Listener, keys: Keys, trace: Trace, shard: int, shards: int
    ) -> None:
        self._stage, self._config, self._plan, self._store, self._listen, self._keys = stage, config, plan, store, listen, keys
        self._trace = trace
        self._shard, self._shards = shard, shards
        self._done = 0
        self._losses: dict[str, int] = {}
        self._speaking: tuple[Endpoint, ...] = ()
        self._metrics: StageMetrics | None = None

    async def run(self) -> Manifest:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end, stop)
        agent = open_endpoint(self._config.simulation.agent, self._keys.agent)
        user = open_endpoint(self._config.simulation.user, self._keys.user)
        self._speaking = (agent, user)
        try:
            with self._exported({"agent": agent, "user": user}):
                await await_ready(agent, user, stop, tools=self._stage is STAGE)  # a model that calls no tool can still be measured
                return await self._write(agent, user, stop)
        finally:
            await agent.close()
            await user.close()

    def _exported(self, sides: Mapping[str, Endpoint]) -> AbstractContextManager[None]:
        """Metrics, where a port is set for them. Raises: ConfigError where it is taken."""
        if self._config.metrics_port is None:
            return nullcontext()
        from writ.runners.metrics import StageMetrics  # a tenth of a run's start, and few read them on a laptop

        self._metrics = StageMetrics(self._stage.name, sides)
        return self._metrics.exported(self._config.metrics_port)

    def _end(self, stop: asyncio.Event) -> None:
        """What is finished is flushed; a store that is away may not hold the process longer than who sent SIGTERM waits."""
        stop.set()
        self._store.hurry(FLUSH_WITHIN_S)

    async def _write(self, agent: Endpoint, user: Endpoint, stop: asyncio.Event) -> Manifest:
        key = self._plan.keys[self._stage.name]
        journal = Dealing(self._store, self._stage.name, key, self._shard, self._shards)
        journal.begin()
        self._listen(Progress(self._stage.name, 0, wanted=self._wanted()))
        ports = Ports(agent, user, journal, source_of(self._config), self._event, stop, self._shard, self._shards)
        inputs = {name: read_input(self._store, self._plan, self._stage, name) for name in self._stage.reads}
        arguments = dict(self._stage.arguments(self._config)) | inputs
        made: AsyncGenerator[Trajectory, None] = self._stage.load()(**arguments, ports=ports)
        writer = open_writer(self._stage, self._plan, self._store, key=place(key, self._shard, self._shards))
        async with aclosing(made):
            async for trajectory in made:
                await asyncio.to_thread(writer.add, trajectory)
        manifest = await asyncio.to_thread(writer.commit)
        self._listen(Progress(self._stage.name, manifest.records, finished=True, losses=dict(self._losses)))
        journal.clear(all_dealings=self._shards == 1)
        return manifest

    def _event(self, event: Any) -> None:
        if self._metrics:
            self._metrics.event(event)
        self._trace.event(event)
        if event.verdict is not None:
            self._done += 1
            if not event.verdict.kept:
                self._losses[event.verdict.cause] = self._losses.get(event.verdict.cause, 0) + 1
            busy = sum(endpoint.in_flight for endpoint in self._speaking)
            self._listen(Progress(self._stage.name, self._done, losses=dict(self._losses), wanted=self._wanted(), in_flight=busy))

    def _wanted(self) -> int:
        """Kept conversations of a run's shard; of an evaluation nobody knows it here."""
        return self._config.dataset.count // self._shards if self._stage is STAGE else 0
