"""The pipeline itself, by `argo submit`: the same dataset as on a laptop, and nothing made twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import CODE, Cluster, Read
from writ.runners.workflows import nodes_of

CONFIG = yaml.safe_dump({"dataset": {"count": 400}})
SHARDS = 8
PREFIX = f"pipeline-{int(time.time())}"
"""In the bucket, new with each session: the first submit must find nothing."""


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("e2e") / "run.yaml"
    path.write_text(yaml.safe_dump({"config": CONFIG, "store": f"s3://writ/{PREFIX}", "shards": str(SHARDS)}))
    return str(path)


@pytest.fixture(scope="module")
def first(cluster: Cluster, dev: str, parameters: str) -> dict[str, Any]:
    return cluster.submit(dev, "--from", "workflowtemplate/writ-pipeline", "--parameter-file", parameters, timeout_s=1800)


def pods_of(workflow: dict[str, Any], template: str) -> list[dict[str, Any]]:
    """Pods of a leaf template, be it called by name or by reference."""
    return [n for n in nodes_of(workflow["status"]).values() if n["type"] == "Pod" and template_of(n) == template]


def template_of(node: dict[str, Any]) -> str:
    return str(node.get("templateName") or node["templateRef"]["template"])


def laptop(config: str, folder: Path) -> dict[str, Any]:
    """The dataset's manifest of a local run with the same configuration."""
    (folder / "config.yaml").write_text(config)
    command = [sys.executable, "-m", "writ", "run", "--plain", "--config", str(folder / "config.yaml"), "--out", str(folder / "store")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(CODE)})
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(next((folder / "store/dataset").glob("*/manifest.json")).read_text())
    return found


def parts(manifest: dict[str, Any]) -> list[tuple[int, str]]:
    return [(p["records"], p["sha256"]) for p in manifest["parts"]]


def test_submitted_run_succeeds_with_one_pod_per_shard(first: dict[str, Any]) -> None:
    assert first["status"]["phase"] == "Succeeded", first["status"].get("message")
    assert len([n for n in pods_of(first, "simulate") if n["phase"] == "Succeeded"]) == SHARDS
    assert [n["phase"] for n in pods_of(first, "finish")] == ["Succeeded"]


def test_submitted_run_shows_manifests_card_and_report_as_artifacts(first: dict[str, Any], read: Read) -> None:
    artifacts = {
        (template_of(n), a["name"]): a["s3"]["key"]
        for n in first["status"]["nodes"].values()
        if n["type"] == "Pod"
        for a in n.get("outputs", {}).get("artifacts", [])
        if a["name"] != "main-logs"
    }
    assert {("plan", "plan"), ("tasks", "manifest"), ("verify", "manifest"), ("dataset", "card"), ("report", "report")} <= set(artifacts)
    assert "<html" in read("text", artifacts["report", "report"]).lower()


def test_dataset_of_the_cluster_is_that_of_a_laptop(first: dict[str, Any], read: Read, tmp_path: Path) -> None:
    here = laptop(CONFIG, tmp_path)
    there = json.loads(read("text", f"{PREFIX}/dataset/{here['key']}/manifest.json"))
    assert parts(there) == parts(here)
    assert there["records"] == 400


def test_second_submit_makes_nothing_and_is_done_within_a_minute(
    cluster: Cluster, dev: str, first: dict[str, Any], parameters: str, read: Read
) -> None:
    before = read("keys", f"{PREFIX}/")
    again = cluster.submit(dev, "--from", "workflowtemplate/writ-pipeline", "--parameter-file", parameters)
    assert again["status"]["phase"] == "Succeeded"
    assert {template_of(n) for n in again["status"]["nodes"].values() if n["type"] == "Pod"} == {"plan", "finish"}
    after = read("keys", f"{PREFIX}/")
    assert {k for k in after.split() if "/leases/" not in k} == {k for k in before.split() if "/leases/" not in k}
    took = datetime.fromisoformat(again["status"]["finishedAt"]) - datetime.fromisoformat(again["status"]["startedAt"])
    assert took.total_seconds() < 60


def test_submit_with_one_knob_changed_makes_only_what_depends_on_it(
    cluster: Cluster, dev: str, first: dict[str, Any], read: Read, tmp_path: Path
) -> None:
    def made(stage: str) -> set[str]:
        return {k.split("/")[2] for k in read("keys", f"{PREFIX}/{stage}/").split()}

    stages = ("domain", "tasks", "instructions", "simulate", "verify", "dataset", "report")
    before = {stage: made(stage) for stage in stages}
    changed = yaml.safe_load(CONFIG)
    changed["dataset"]["near_duplicate"] = 0.95
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump({"config": yaml.safe_dump(changed), "store": f"s3://writ/{PREFIX}", "shards": str(SHARDS)}))
    again = cluster.submit(dev, "--from", "workflowtemplate/writ-pipeline", "--parameter-file", str(path))
    assert again["status"]["phase"] == "Succeeded", again["status"].get("message")
    assert {stage: len(made(stage) - before[stage]) for stage in stages} == dict.fromkeys(stages, 0) | {"dataset": 1, "report": 1}
    assert pods_of(again, "simulate") == []


def test_workflow_object_of_a_small_run_is_small(cluster: Cluster, dev: str, first: dict[str, Any]) -> None:
    assert len(cluster.kubectl("get", "workflow", first["metadata"]["name"], "-n", dev, "-o", "json")) < 200_000
