"""What comes after the dataset in a pipeline: launch, weights and evaluate, as their containers run them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from library_world import FOLDER
from writ.artifacts import ArtifactWriter
from writ.commands.pod import pod
from writ.errors import ArtifactError, ConfigError
from writ.jobs.launch import Job, LastWords, Seen
from writ.jobs.thread import served
from writ.pipeline import TRAIN, Plan, key_of, plan
from writ.runners.launch import launch
from writ.runners.scripted import EveryRun
from writ.schema import StoredFile
from writ.settings import RunConfig
from writ.storage import open_store
from writ.storage.folders import put_file

SETTINGS = {
    "domains": {"names": ["library"], "code": {"library": FOLDER}, "users": 120},
    "dataset": {"count": 6},
    "tasks": {"workers": 1},
    "evaluation": {"trials": 1},
    "training": {"allow_scripted": True},
}
CONFIG = RunConfig.model_validate(SETTINGS)


def planned(settings: Mapping[str, Any] = SETTINGS) -> Plan:
    config = RunConfig.model_validate(settings)
    keys = plan(config).keys
    return Plan({**keys, TRAIN.name: key_of(TRAIN, config, keys)})


def model(folder: Path, settings: Mapping[str, Any] = SETTINGS) -> str:
    """A trained model's artifact in the store of `folder`; its key."""
    store, key = open_store(str(folder / "store")), planned(settings).keys[TRAIN.name]
    (folder / "config.json").write_text("{}")
    with ArtifactWriter(store, TRAIN.name, key, StoredFile) as writer:
        writer.add(put_file(store, f"{TRAIN.name}/{key}", folder / "config.json", "config.json"))
    return key


def run_pod(folder: Path, name: str, *more: str, settings: Mapping[str, Any] = SETTINGS) -> str:
    words = [name, "--config-text", yaml.safe_dump(settings), "--out", str(folder / "store"), "--outputs", str(folder / "out"), *more]
    done = CliRunner().invoke(pod, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


class Cluster:
    """One that trains in no time, or says that it did."""

    def __init__(self, folder: Path, works: bool = True) -> None:
        self.folder, self.works, self.jobs = folder, works, list[Job]()

    def start(self, job: Job) -> bool:
        self.jobs.append(job)
        if self.works:
            model(self.folder)
        return True

    def look(self, job: Job) -> Seen:
        return Seen("done")

    def last_words(self, job: Job) -> LastWords:
        return LastWords(0, ())

    def remove(self, job: Job) -> None:
        self.jobs.remove(job)


def launched(folder: Path, cluster: Cluster, said: list[str]) -> None:
    launch(CONFIG, planned(), open_store(str(folder / "store")), cluster, said.append, text="{}", owner="ns/uid", run="r", wait_s=5)


def test_the_launcher_leaves_a_model_and_no_job_and_what_stands_is_not_launched_again(tmp_path: Path) -> None:
    said: list[str] = []
    cluster = Cluster(tmp_path)
    launched(tmp_path, cluster, said)
    launched(tmp_path, cluster, said)
    assert said[-1].endswith("stands already: nothing to launch")
    assert cluster.jobs == []


def test_a_training_that_ended_well_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="same store"):
        launched(tmp_path, Cluster(tmp_path, works=False), [])


def test_the_weights_of_a_run_are_brought_to_the_pod_that_serves_them(tmp_path: Path) -> None:
    hub = {**SETTINGS, "training": {"allow_scripted": True, "model": "Org/Model"}}  # `tiny` also makes the model before training, with torch
    model(tmp_path, hub)
    run_pod(tmp_path, "weights", settings=hub)
    assert (tmp_path / "out/tuned/config.json").read_text() == "{}"


def test_evaluation_in_a_pod_leaves_its_manifest_and_its_page(tmp_path: Path) -> None:
    said = run_pod(tmp_path, "evaluate")
    assert "scripted" in said
    assert "<h1>Evaluation of scripted" in (tmp_path / "out/evaluation.html").read_text()
    assert '"stage": "scores"' in (tmp_path / "out/manifest.json").read_text()


@pytest.mark.long
def test_evaluation_in_a_pod_puts_the_models_of_its_sidecar_side_by_side(tmp_path: Path) -> None:
    with served(EveryRun(lambda folder: open_store(str(tmp_path / "store" / folder)), {}), models=("base", "tuned")) as url:
        run_pod(tmp_path, "evaluate", "--server", url)
    figures = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert [each["model"] for each in figures["models"]] == ["base", "tuned"]
    assert len(figures["comparisons"]) == 1


def test_evaluation_does_not_wait_for_ever_for_its_sidecar_and_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not ready within 0\.2 s .*read the log of its container"):
        run_pod(tmp_path, "evaluate", "--server", "http://127.0.0.1:1/v1", "--server-wait-s", "0.2")
