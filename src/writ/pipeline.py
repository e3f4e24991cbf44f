"""THE stage table. Read this first.

    domain ──► tasks ──► instructions ──► trajectories ──► verdicts ──► rows ──► page

A stage is a function from records to records. It never knows where it runs, where its input came from, or which model answers. `STAGES` says of
each what it reads and writes, which settings it depends on and which image carries it; `plan` computes the keys of a whole run before anything
runs; `runners/` make the artifacts. Only this file composes stages: simulation verifies each rollout at once, by the function of the verify stage.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from writ import __version__
from writ.artifacts import artifact_key, run_id
from writ.domains.sources import fingerprint
from writ.schema import Batch, DomainSnapshot, Instruction, Record, Row, Score, StoredFile, Task, Trajectory, Verdict, semantic
from writ.settings import RunConfig, SimulationConfig, VerificationConfig
from writ.training.stage import weights_of

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the table."""

    name: str
    function: str
    """Dotted path `module:function`; imported when the stage runs, so that `writ --help` is instant and no task pod loads torch."""
    arguments: Callable[[RunConfig], Arguments]
    """The settings it depends on, as keyword arguments of the function."""
    writes: type[Record]
    reads: Mapping[str, str] = field(default_factory=dict)
    """Keyword argument of the function -> stage whose records it gets."""
    image: str = ""
    """Container image that carries it, `writ-<image>`; the stage's own name by default."""
    revision: int = 1
    """Rises when the stage's output changes for equal input; a golden test fails when one happens without the other."""
    files: tuple[str, ...] = ()
    """Files that it leaves beside its records, for people and for Argo's artifacts."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Keyword argument of the function -> `stage/file`: a JSON file that an earlier stage left beside its records."""
    names_run: bool = False
    """Its function is told the id of the run that makes it, as `run_id`: for what people read."""

    def load(self) -> Callable[..., Any]:
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function


STAGES: tuple[Stage, ...] = (
    Stage(
        "domain",
        "writ.domains.sources:snapshots",
        lambda c: {"config": c.domains, "seed": c.seed, "content": fingerprint(c.domains)},
        writes=DomainSnapshot,
        image="tasks",
    ),
    Stage(
        "tasks",
        "writ.tasks.stage:synthesize",
        lambda c: {"config": c.tasks, "count": c.dataset.count, "seed": c.seed},
        reads={"domain": "domain"},
        writes=Task,
        revision=5,
    ),
    Stage(
        "instructions",
        "writ.instructions.stage:write_instructions",
        lambda c: {"config": c.instructions, "seed": c.seed},
        reads={"domain": "domain", "tasks": "tasks"},
        writes=Instruction,
    ),
    Stage(
        "simulate",
        "writ.pipeline:simulate_and_verify",
        lambda c: {"config": c.simulation, "verification": c.verification, "seed": c.seed},
        reads={"domain": "domain", "tasks": "tasks", "instructions": "instructions"},
        writes=Trajectory,
        revision=3,
    ),
    Stage(
        "verify",
        "writ.verification.stage:verify",
        lambda c: {"config": c.verification},
        reads={"domain": "domain", "tasks": "tasks", "instructions": "instructions", "trajectories": "simulate"},
        writes=Verdict,
        revision=6,
    ),
    Stage(
        "dataset",
        "writ.dataset.stage:build",
        lambda c: {"config": c.dataset, "held_out": {"salt": c.tasks.salt, "share": c.tasks.held_out_share}},
        reads={"domain": "domain", "tasks": "tasks", "instructions": "instructions", "trajectories": "simulate", "verdicts": "verify"},
        writes=Row,
        revision=2,
        files=("README.md", "decontamination.json"),
    ),
    Stage(
        "report",
        "writ.report.stage:write_report",
        lambda c: {"config": c},
        reads={
            "domain": "domain",
            "tasks": "tasks",
            "instructions": "instructions",
            "trajectories": "simulate",
            "verdicts": "verify",
            "rows": "dataset",
        },
        writes=Record,
        revision=8,
        files=("report.html",),
        beside={"certificate": "dataset/decontamination.json"},
        names_run=True,
    ),
)

TRAIN = Stage(
    "train",
    "writ.training.stage:train",
    lambda c: {"config": c.training, "weights": weights_of(c.training)},
    reads={"rows": "dataset"},
    writes=StoredFile,
    files=("README.md", "curve.json", "loss.svg"),
)
ATTEMPTS = Stage(
    "attempts",
    "writ.pipeline:attempt",
    lambda c: {"config": c.simulation, "trials": c.evaluation.trials, "seed": c.seed},
    reads={"domain": "domain", "tasks": "tasks", "instructions": "instructions"},
    writes=Trajectory,
    image="simulate",
)
SCORES = Stage(
    "scores",
    "writ.pipeline:score",
    lambda c: {"verification": c.verification, "judge": c.evaluation.judge, "benchmark": bool(c.evaluation.picked)},
    reads={"domain": "domain", "tasks": "tasks", "instructions": "instructions", "trajectories": "attempts"},
    writes=Score,
    image="evaluate",
)

BY_NAME: Mapping[str, Stage] = {stage.name: stage for stage in (*STAGES, TRAIN, ATTEMPTS, SCORES)}


def exam(config: RunConfig) -> tuple[Stage, ...]:
    """The stages of an evaluation: the run's own tasks, or the benchmark's where any are picked; then attempts and scores."""
    tasks, instructions = BY_NAME["tasks"], BY_NAME["instructions"]
    if config.evaluation.picked:
        tasks = replace(tasks, function="writ.pipeline:benchmark_tasks", arguments=lambda c: {"picked": c.evaluation.picked})
        instructions = replace(
            instructions, function="writ.pipeline:benchmark_instructions", arguments=lambda c: {}, reads={"domain": "domain", "tasks": "tasks"}
        )
    return (BY_NAME["domain"], tasks, instructions, ATTEMPTS, SCORES)


@dataclass(frozen=True, slots=True)
class Plan:
    """The keys of a run's artifacts, known before anything runs."""

    keys: Mapping[str, str]
    """Stage -> key, in the order of the table."""

    @property
    def run_id(self) -> str:
        return run_id(self.keys)

    def inputs(self, stage: Stage) -> dict[str, str]:
        """Argument -> key of the artifact it reads."""
        return {argument: self.keys[source] for argument, source in stage.reads.items()}


def plan(config: RunConfig, stages: Iterable[Stage] = STAGES) -> Plan:
    """Computes all keys: each is the hash of a stage's name, revision, semantic settings and the keys of its inputs.

    Raises: ConfigError where domain data cannot be read.
    """
    keys: dict[str, str] = {}
    for stage in stages:
        if stage.name == "domain" and config.domains.artifact:
            keys[stage.name] = config.domains.artifact
            continue
        keys[stage.name] = key_of(stage, config, keys)
    return Plan(keys)


def key_of(stage: Stage, config: RunConfig, keys: Mapping[str, str]) -> str:
    """The key of what a stage makes of the artifacts with these keys."""
    inputs = {argument: keys[source] for argument, source in stage.reads.items()}
    return artifact_key(stage.name, stage.revision, identity(stage.arguments(config)), inputs)


def identity(arguments: Arguments) -> dict[str, Any]:
    """The semantic part of a stage's arguments."""
    return {name: semantic(value) if isinstance(value, BaseModel) else value for name, value in arguments.items()}


@dataclass(frozen=True, slots=True)
class Ports:
    """What the one stage that talks is handed: who answers, and where finished conversations are made durable."""

    agent: Any
    """`writ.llm.pool.Endpoint`, as `user`."""
    user: Any
    journal: Any
    """`writ.artifacts.Journal` of Trajectory."""
    source: Literal["scripted", "model", "playback"]
    """`scripted`, `model` or `playback`: who speaks."""
    listen: Callable[[Any], None]
    """Gets a `writ.simulation.engine.Event` for every conversation that ends."""
    stop: Any
    """An asyncio.Event that ends the stage within seconds."""
    shard: int = 0
    shards: int = 1


def simulate_and_verify(
    config: SimulationConfig,
    *,
    verification: VerificationConfig,
    seed: int,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    ports: Ports,
) -> AsyncIterator[Trajectory]:
    """The simulate stage: every rollout is verified at once, so that a batch ends when its quota is *kept*. Batches are dealt to shards in blocks."""
    from writ.domains.registry import open_domain
    from writ.simulation.engine import simulate
    from writ.simulation.finished import Selected
    from writ.verification.stage import judge, required_checks

    sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    required = required_checks(verification)
    mine, told = shard_of(tasks, instructions, ports.shard, ports.shards)
    journal = Selected(ports.journal, frozenset(task.id for task in mine)) if isinstance(mine, list) else ports.journal
    return simulate(
        config.model_copy(update={"seed": config.seed + seed}),
        tasks=mine,
        instructions=told,
        domains=sites,
        agent=ports.agent,
        user=ports.user,
        judge=lambda task, instruction, trajectory: judge(sites[task.domain], trajectory, task, instruction, required),
        journal=journal,
        source=ports.source,
        progress=ports.listen,
        stop=ports.stop,
    )


def shard_of(tasks: Iterable[Task], instructions: Iterable[Instruction], shard: int, shards: int) -> tuple[Iterable[Task], Iterable[Instruction]]:
    """The batches of one shard: a contiguous block, so that shards joined in order keep the order of the tasks. Streams unless there are several."""
    if shards == 1:
        return tasks, instructions
    everything = list(tasks)
    batches = list(dict.fromkeys(task.batch.id if task.batch else task.id for task in everything))
    block = set(batches[len(batches) * shard // shards : len(batches) * (shard + 1) // shards])
    mine = [task for task in everything if (task.batch.id if task.batch else task.id) in block]
    wanted = {task.id for task in mine}
    return mine, (instruction for instruction in instructions if instruction.task_id in wanted)


EVERY_TELLING = 1_000_000
"""Wanted conversations of a batch that is attempted whole, whatever comes of it."""


def attempt(
    config: SimulationConfig,
    *,
    trials: int,
    seed: int,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    ports: Ports,
) -> AsyncIterator[Trajectory]:
    """The attempts of an evaluation: every task, `trials` times, by the benchmark's bare protocol; judged later, so nothing is tried again."""
    from writ.domains.registry import open_domain
    from writ.simulation.engine import simulate

    bare = config.model_copy(update={"guards": False, "rollouts_per_task": trials, "seed": config.seed + seed})
    return simulate(
        bare,
        tasks=(task.model_copy(update={"batch": Batch(id=task.id, wanted=EVERY_TELLING)}) for task in tasks),
        instructions=instructions,
        domains={snapshot.name: open_domain(snapshot) for snapshot in domain},
        agent=ports.agent,
        user=ports.user,
        judge=lambda task, _, trajectory: Verdict(trajectory_id=trajectory.id, task_id=task.id, kept=True, reward=None, checks=()),
        journal=ports.journal,
        source=ports.source,
        progress=ports.listen,
        stop=ports.stop,
    )


def score(
    *,
    verification: VerificationConfig,
    judge: Any,
    benchmark: bool,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    judged: Mapping[str, bool | None] = MappingProxyType({}),
) -> Iterator[Score]:
    """One score per attempt; a benchmark's own tasks earn its own reward. `judged`: trajectory -> whether a judge found its assertions met."""
    from writ.domains.registry import open_domain
    from writ.scoring.benchmark import raw_tasks
    from writ.scoring.records import score as scored
    from writ.scoring.reward import benchmark_reward
    from writ.streams import conversations
    from writ.verification.stage import judge as verdict_on
    from writ.verification.stage import required_checks

    snapshots = list(domain)
    sites = {snapshot.name: open_domain(snapshot) for snapshot in snapshots}
    raws = raw_tasks(snapshots) if benchmark else {}
    required = frozenset(BENCHMARK_CHECKS) if benchmark else required_checks(verification)
    for trajectory, task, instruction in conversations(tasks, instructions, trajectories):
        site = sites[task.domain]
        told = None if benchmark else instruction
        verdict = verdict_on(site, trajectory, task, told, required, certified=not benchmark)
        earned = benchmark_reward(site, raws[task.id], trajectory, judged.get(trajectory.id)) if benchmark else None
        world = site.environment()
        yield scored(task, trajectory, verdict, earned, sum(world.writes(call.name) for call in task.writes))


BENCHMARK_CHECKS = ("termination", "transcript", "calls", "end_state", "told", "refusals")
"""What names the cause where a benchmark's task is failed: its tasks carry no certificates and no scripts."""


def benchmark_tasks(*, picked: Mapping[str, tuple[str, ...]], domain: Iterable[DomainSnapshot]) -> Iterator[Task]:
    """The benchmark's own tasks in the form of ours, in the order of its files."""
    from writ.domains.recordings import task_of
    from writ.scoring.benchmark import chosen, task_id

    for snapshot in domain:
        for raw in chosen(snapshot, picked):
            yield task_of(raw, snapshot.name, task_id(snapshot.name, str(raw["id"])))


def benchmark_instructions(*, domain: Iterable[DomainSnapshot], tasks: Iterable[Task]) -> Iterator[Instruction]:
    """Their scenarios, word for word."""
    from writ.scoring.benchmark import instruction, raw_tasks

    raws = raw_tasks(domain)
    return (instruction(raws[task.id], task.domain) for task in tasks)


def code_version() -> str:
    """Provenance that manifests carry; no part of any key."""
    return f"writ {__version__}"
