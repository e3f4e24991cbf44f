"""Runs an evaluation: tasks, attempts by the models' endpoints, what a judge says, scores. What stands is skipped, as in a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from writ.artifacts import Manifest, read_manifest
from writ.domains.recordings import RawTask
from writ.domains.registry import open_domain
from writ.errors import ConfigError
from writ.jobs.thread import served
from writ.llm import Cause, ChatRequest, EndpointSettings, request_prefix
from writ.llm.pool import open_endpoint
from writ.llm.questions import ask_each
from writ.pipeline import ATTEMPTS, SCORES, Plan, exam, plan
from writ.runners.execute import Listener, Progress, counted, execute, read_input, read_stage, write
from writ.runners.simulate import Keys, answered, talk
from writ.runners.traces import traced
from writ.schema import DomainSnapshot, Score, Task, Trajectory
from writ.scoring import assertions
from writ.scoring.benchmark import GOLD, raw_tasks, task_id
from writ.scoring.chance import chance
from writ.scoring.gold import JUDGE, Gold
from writ.scoring.reward import assertions as asserted
from writ.settings import RunConfig
from writ.storage import Store, open_store


@dataclass(frozen=True, slots=True)
class Examined:
    """A finished evaluation of one model."""

    store: Store
    plan: Plan
    scores: tuple[Score, ...]

    def trajectories(self) -> Iterator[Trajectory]:
        return read_stage(self.store, self.plan.keys, ATTEMPTS.name)

    def snapshots(self) -> Iterator[DomainSnapshot]:
        return read_stage(self.store, self.plan.keys, "domain")

    def chance(self) -> float:
        """What guessing among a person's own records would earn, over all tasks."""
        sites = {snapshot.name: open_domain(snapshot) for snapshot in self.snapshots()}
        tasks: list[Task] = list(read_stage(self.store, self.plan.keys, "tasks"))
        return sum(chance(sites[task.domain], [task]) for task in tasks) / len(tasks) if tasks else 0.0


def examine(config: RunConfig, listen: Listener, keys: Keys, judge_key: SecretStr | None = None) -> Examined:
    """The scores of the model that `simulation.agent` names. Raises whatever a stage raises; what is finished then stays."""
    store = open_store(config.out, s3=config.s3)
    store.probe()
    config = named(config)
    stages = exam(config)
    planned = plan(config, stages)
    for stage in stages:
        if stage is ATTEMPTS:
            _attempt(config, planned, store, listen, keys)
        elif stage is SCORES:
            _score(config, planned, store, listen, judge_key)
        else:
            execute(stage, config, planned, store, listen)
    return Examined(store, planned, tuple(read_stage(store, planned.keys, SCORES.name)))


def named(config: RunConfig) -> RunConfig:
    """The settings as keys see them: over a benchmark's tasks, who has no URL replays gold, and is called so.

    Raises: ConfigError for a model without anybody to talk to: only a model can play a benchmark's scenario.
    """
    if not config.evaluation.picked:
        return config
    agent, user = config.simulation.agent, config.simulation.user
    if agent.base_url and not user.base_url:
        raise ConfigError("the benchmark's scenarios need a model as the user; set simulation.user.base_url and simulation.user.model")
    gold = EndpointSettings(model=GOLD)
    sides = {"agent": agent if agent.base_url else gold, "user": user if user.base_url else gold}
    return config.model_copy(update={"simulation": config.simulation.model_copy(update=sides)})


def _attempt(config: RunConfig, planned: Plan, store: Store, listen: Listener, keys: Keys) -> Manifest:
    key = planned.keys[ATTEMPTS.name]
    standing = read_manifest(store, ATTEMPTS.name, key)
    if standing is not None:
        listen(Progress(ATTEMPTS.name, standing.records, finished=True, reused=True))
        return standing
    answering = gold_answered if config.evaluation.picked else answered
    return talk(ATTEMPTS, config, planned, store, listen, keys, answering)


@contextmanager
def gold_answered(config: RunConfig, planned: Plan, store: Store) -> Iterator[RunConfig]:
    """The settings with a URL for both endpoints: gold is replayed where one has none."""
    sides = config.simulation
    if sides.agent.base_url and sides.user.base_url:
        yield config
        return
    with served(Gold(raw_tasks(read_stage(store, planned.keys, "domain"))), models=(GOLD,)) as url:
        filled = {name: getattr(sides, name).model_copy(update={"base_url": getattr(sides, name).base_url or url}) for name in ("agent", "user")}
        yield config.model_copy(update={"simulation": sides.model_copy(update=filled)})


@contextmanager
def gold_at_hand(config: RunConfig, tasks: Mapping[str, Sequence[RawTask]]) -> Iterator[RunConfig]:
    """The settings with one address for agent, user and judge, where gold is played for whoever asks: this program, and the benchmark's runner.

    `tasks`: domain -> its benchmark's tasks.
    """
    raws = {task_id(domain, str(raw["id"])): raw for domain, found in tasks.items() for raw in found}
    with served(Gold(raws), models=(GOLD, JUDGE)) as url:
        gold = EndpointSettings(model=GOLD, base_url=url)
        sides = config.simulation.model_copy(update={"agent": gold, "user": gold})
        judging = config.evaluation.model_copy(update={"judge": EndpointSettings(model=JUDGE, base_url=url)})
        yield config.model_copy(update={"simulation": sides, "evaluation": judging})


def _score(config: RunConfig, planned: Plan, store: Store, listen: Listener, judge_key: SecretStr | None) -> Manifest:
    standing = read_manifest(store, SCORES.name, planned.keys[SCORES.name])
    if standing is not None:
        listen(Progress(SCORES.name, standing.records, finished=True, reused=True))
        return standing
    with traced(config.traces_url, planned.run_id, SCORES.name) as trace:
        judged = _judged(config, planned, store, judge_key)
        arguments = dict(SCORES.arguments(config)) | {name: read_input(store, planned, SCORES, name) for name in SCORES.reads}
        records = SCORES.load()(**arguments, judged=judged)
        made = write(SCORES, planned, store, counted(SCORES, records, listen), listen)
        trace.note(records=made.records)
        return made


def _judged(config: RunConfig, planned: Plan, store: Store, judge_key: SecretStr | None) -> Mapping[str, bool | None]:
    """Trajectory -> whether its assertions are met, by the configured judge; empty without one."""
    settings = config.evaluation.judge
    if settings is None or not config.evaluation.picked:
        return {}
    raws, prefix = raw_tasks(read_stage(store, planned.keys, "domain")), request_prefix(settings)
    trajectories: Iterator[Trajectory] = read_stage(store, planned.keys, ATTEMPTS.name)
    wanted = ((each.id, asserted(raws[each.task_id]), each.messages) for each in trajectories)
    questions = (
        ((name, len(expected)), ChatRequest(prefix, assertions.messages(expected, spoken), user=f"judge:{name}"))
        for name, expected, spoken in wanted
        if expected
    )
    return {
        name: None if isinstance(answer, Cause) else assertions.all_met(answer, number)  # the judge's failure is not the model's
        for (name, number), answer in ask_each(open_endpoint(settings, judge_key), questions)
    }


def pick(split: Mapping[str, list[str]], name: str, domain: str) -> tuple[str, ...]:
    """The ids of one split. Raises: ConfigError where the file has no such split."""
    if name not in split:
        raise ConfigError(f"domain '{domain}' has no split '{name}'; there are {', '.join(split)}")
    return tuple(str(number) for number in split[name])
