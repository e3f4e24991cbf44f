"""Runs a whole pipeline in this process and its workers. The same stages, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from writ.artifacts import Manifest, Run, read_manifest, write_run
from writ.llm.pool import open_endpoint
from writ.pipeline import STAGES, Plan, Stage, code_version, plan
from writ.runners.execute import Listener, execute
from writ.runners.ready import refuse_early
from writ.runners.simulate import Keys, simulate
from writ.settings import RunConfig
from writ.storage import Store, open_store


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is whole."""

    store: Store
    plan: Plan
    manifests: dict[str, Manifest]


def run(config: RunConfig, listen: Listener, keys: Keys = Keys()) -> Finished:  # noqa: B008 - frozen
    """Every stage in the order of the table; what stands is skipped. Raises whatever a stage raises; what is finished then stays."""
    store = open_store(config.out, s3=config.s3)
    store.probe()
    planned = plan(config)
    if read_manifest(store, "simulate", planned.keys["simulate"]) is None:
        refuse_early(config, keys.agent, keys.user)
    write_run(store, Run(run_id=planned.run_id, keys=dict(planned.keys), config=config.model_dump(mode="json"), code_version=code_version()))
    manifests = {stage.name: run_stage(stage, config, planned, store, listen, keys) for stage in STAGES}
    return Finished(store, planned, manifests)


def run_stage(
    stage: Stage, config: RunConfig, planned: Plan, store: Store, listen: Listener, keys: Keys, *, shard: int = 0, shards: int = 1
) -> Manifest:
    """One stage: the one that talks has a runner of its own."""
    if stage.name == "simulate":
        return simulate(config, planned, store, listen, keys, shard=shard, shards=shards)
    ports: dict[str, Callable[[], Any]] = {}
    if stage.name == "instructions" and config.instructions.paraphrase:
        ports["rewording"] = lambda: _rewording(config, keys)
    if stage.name == "verify" and config.verification.judge is not None:
        ports["tone"] = lambda: _tone_judge(config, keys)
    return execute(stage, config, planned, store, listen, ports)


def _tone_judge(config: RunConfig, keys: Keys) -> Any:
    """A model that judges tone. Raises: ConfigError where its endpoint is not set."""
    from writ.verification.tone import ToneJudge

    settings = config.verification.judge
    assert settings is not None
    return ToneJudge(open_endpoint(settings, keys.judge), settings)


def _rewording(config: RunConfig, keys: Keys) -> Any:
    """A model that rewords scenarios. Raises: ConfigError where its endpoint is not set."""
    from writ.instructions.paraphrase import Rewording

    settings = config.instructions.paraphraser
    return Rewording(open_endpoint(settings, keys.paraphraser), settings, seed=config.seed)
