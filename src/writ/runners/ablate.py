"""Runs an ablation: conversations of every arm, models of every arm and seed at an equal budget, and two exams for each. What stands is reused."""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from writ.artifacts import read_manifest
from writ.errors import ArtifactError
from writ.pipeline import ATTEMPTS, TRAIN, Plan, exam, key_of, plan
from writ.runners import local
from writ.runners.evaluate import Examined, examine
from writ.runners.execute import Listener, read_stage
from writ.runners.serving import served_weights
from writ.runners.simulate import Keys
from writ.runners.train import fetch, train
from writ.schema import Row
from writ.scoring.arms import ArmFigures, figures
from writ.scoring.summary import Resampling
from writ.settings import RunConfig
from writ.storage import Store, open_store

UNSEEN, SEEN = "unseen cells", "seen cells"


class Model(NamedTuple):
    """A trained model of an arm."""

    arm: str
    seed: int
    rows: int
    tokens: int
    steps: int
    key: str
    """Of its train artifact."""


@dataclass(frozen=True, slots=True)
class Ablated:
    """A finished ablation."""

    models: tuple[Model, ...]
    figures: tuple[ArmFigures, ...]
    chance: Mapping[str, float]
    """Exam -> what guessing would earn."""


def ablate(config: RunConfig, arms: Mapping[str, RunConfig], about: Mapping[str, str], listen: Listener, say: Callable[[str], None]) -> Ablated:
    """`arms`: the settings of each, whole; `say` hears what begins. Raises whatever a stage raises; what is finished then stays."""
    store = open_store(config.out, s3=config.s3)
    without = config.ablation.unseen_cells
    made = {name: _with_tasks(arm, without_cells=(*arm.tasks.without_cells, *without)) for name, arm in arms.items()}
    plans: dict[str, Plan] = {}
    for name, arm in made.items():
        say(f"arm {name}: conversations")
        plans[name] = local.run(arm, listen).plan
    budget = _budget(config, made, plans, store)
    models, scores, tasks = list[Model](), dict[str, dict[str, dict[int, Examined]]](), dict[str, Examined]()
    for name, arm in made.items():
        for seed in config.ablation.seeds:
            say(f"arm {name}, seed {seed}: training and exams")
            trained = arm.model_copy(update={"training": arm.training.model_copy(update={**budget, "seed": seed})})
            model = _trained(name, seed, trained, plans[name], store, about, listen)
            models.append(model)
            for title, one in _examined(config, model, store, listen).items():
                scores.setdefault(title, {}).setdefault(name, {})[seed] = one
                tasks[title] = one
    how = Resampling(config.seed, config.evaluation.resamples, config.evaluation.confidence)
    found = [
        each
        for title, by_arm in scores.items()
        for each in figures(title, {arm: {seed: one.scores for seed, one in seeds.items()} for arm, seeds in by_arm.items()}, how)
    ]
    return Ablated(tuple(models), tuple(found), {title: one.chance() for title, one in tasks.items()})


def exams(config: RunConfig) -> dict[str, RunConfig]:
    """Two exams over another database, both of held-out persons: cells that no arm saw, and the others."""
    asked = config.ablation
    shared = config.model_copy(
        update={"seed": asked.exam_seed, "dataset": config.dataset.model_copy(update={"count": asked.exam_tasks})},
    )
    held_out = {"split": "held_out", "reserve_share": 0.0}
    return {
        UNSEEN: _with_tasks(shared, cells=asked.unseen_cells, **held_out),
        SEEN: _with_tasks(shared, without_cells=(*config.tasks.without_cells, *asked.unseen_cells), **held_out),
    }


def _with_tasks(config: RunConfig, **update: object) -> RunConfig:
    return config.model_copy(update={"tasks": config.tasks.model_copy(update=update)})


def _budget(config: RunConfig, arms: Mapping[str, RunConfig], plans: Mapping[str, Plan], store: Store) -> dict[str, int]:
    """What the smallest arm has, in the words of the training settings. Raises: ArtifactError for an arm without rows."""
    rows = {name: _rows(store, plans[name]) for name in arms}
    for name, each in rows.items():
        if not each:
            raise ArtifactError(f"arm '{name}' has no row to train on; give it cells that its database can fill")
    if config.ablation.budget == "conversations":
        return {"most_rows": min(map(len, rows.values()))}
    from writ.training.checks import prepare
    from writ.training.sft import open_tokenizer

    return {
        "most_tokens": min(prepare(open_tokenizer(arms[name].training, each), each, arms[name].training)[1].tokens for name, each in rows.items())
    }


def _rows(store: Store, planned: Plan) -> list[Row]:
    return [row for row in read_stage(store, planned.keys, "dataset") if row.split == "train"]


def _trained(name: str, seed: int, config: RunConfig, made: Plan, store: Store, about: Mapping[str, str], listen: Listener) -> Model:
    from writ.training.checks import prepare
    from writ.training.sft import open_tokenizer

    planned = Plan({**made.keys, TRAIN.name: key_of(TRAIN, config, made.keys)})
    key = planned.keys[TRAIN.name]
    with tempfile.TemporaryDirectory(prefix="writ-ablate-") as scratch:
        train(config, planned, store, listen, about, Path(scratch))
    rows = _rows(store, made)
    report = prepare(open_tokenizer(config.training, rows), rows, config.training)[1]
    steps = json.loads(store.get(f"{TRAIN.name}/{key}/curve.json"))[-1]["step"]
    return Model(name, seed, report.rows, report.tokens, steps, key)


def _examined(config: RunConfig, model: Model, store: Store, listen: Listener) -> dict[str, Examined]:
    """Both exams. The model is served only where an exam is still to be taken."""
    asked = {}
    for title, each in exams(config).items():
        agent = each.simulation.agent.model_copy(update={"model": f"{model.arm}-{model.seed}", "revision": model.key, "temperature": 0.0})
        asked[title] = each.model_copy(update={"simulation": each.simulation.model_copy(update={"agent": agent})})
    with ExitStack() as stack:
        url = "http://127.0.0.1:9/v1"  # whoever has been asked already is not asked again
        if any(read_manifest(store, ATTEMPTS.name, plan(each, exam(each)).keys[ATTEMPTS.name]) is None for each in asked.values()):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="writ-serve-")))
            fetch(store, model.key, folder)
            url = stack.enter_context(served_weights(folder, f"{model.arm}-{model.seed}"))
        return {title: examine(_at(each, url), listen, Keys()) for title, each in asked.items()}


def _at(config: RunConfig, url: str) -> RunConfig:
    agent = config.simulation.agent.model_copy(update={"base_url": url})
    return config.model_copy(update={"simulation": config.simulation.model_copy(update={"agent": agent})})
