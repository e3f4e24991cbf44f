"""What happens to clusters happens to a run: its dataset does not change, and no one has to do anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_pipeline import CONFIG, Read, pods_of, read  # noqa: F401 - a fixture

from conftest import Cluster


def begin(cluster: Cluster, namespace: str, folder: Path, store: str) -> str:
    parameters = folder / "run.yaml"
    parameters.write_text(yaml.safe_dump({"config": CONFIG, "store": store, "shards": "2"}))
    command = ("argo", "submit", "-n", namespace, "-o", "name", "--from", "workflowtemplate/writ-pipeline", "--parameter-file", str(parameters))
    return cluster.run(*command).strip().splitlines()[-1]


def until(cluster: Cluster, namespace: str, name: str, holds: Callable[[dict[str, Any]], bool], within_s: float) -> dict[str, Any]:
    end = time.monotonic() + within_s
    while not holds(workflow := cluster.get("workflow", name, "-n", namespace)):
        if time.monotonic() > end:
            pytest.fail(f"{name} did not get there in {within_s:.0f} s: {workflow['status'].get('phase')}")
        time.sleep(1)
    return workflow


def at_work(template: str) -> Callable[[dict[str, Any]], bool]:
    return lambda workflow: any(n["phase"] == "Running" for n in pods_of(workflow, template))


def finished(workflow: dict[str, Any]) -> bool:
    return workflow["status"].get("phase") in ("Succeeded", "Failed", "Error")


def dataset(read: Read, prefix: str) -> list[str]:  # noqa: F811
    manifest = next(k for k in read("keys", f"{prefix}/dataset/").split() if k.endswith("/manifest.json"))
    return [part["sha256"] for part in json.loads(read("text", manifest))["parts"]]


def test_run_whose_shard_is_deleted_and_whose_controller_dies_makes_the_same_dataset(
    cluster: Cluster,
    dev: str,
    read: Read,  # noqa: F811
    tmp_path: Path,
) -> None:
    calm = begin(cluster, dev, tmp_path, "s3://writ/calm")
    until(cluster, dev, calm, finished, 900)
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'rough-{int(time.time())}')}")
    until(cluster, dev, name, at_work("simulate"), 600)
    deleted = cluster.kubectl(
        "delete", "pod", "-n", dev, "-l", f"workflows.argoproj.io/workflow={name},writ/agent-pool=agent", "--grace-period=0", "--force"
    )
    assert " deleted" in deleted or "force deleted" in deleted, "no shard was interrupted"  # Argo makes it again, or tries it again
    cluster.kubectl("delete", "pod", "-n", "argo", "-l", "app=workflow-controller", "--grace-period=0", "--force")
    workflow = until(cluster, dev, name, finished, 900)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    assert dataset(read, prefix) == dataset(read, "calm")


def at_work_now(cluster: Cluster, namespace: str, name: str) -> list[str]:
    pods = cluster.get("pods", "-n", namespace, "-l", f"workflows.argoproj.io/workflow={name}")["items"]
    return [p["metadata"]["name"] for p in pods if p["status"]["phase"] in ("Running", "Pending")]


@pytest.mark.parametrize("how", ["stop", "terminate"])
def test_run_that_is_ended_leaves_no_pod_at_work(cluster: Cluster, dev: str, tmp_path: Path, how: str) -> None:
    name = begin(cluster, dev, tmp_path, f"s3://writ/{how}-{int(time.time())}")
    until(cluster, dev, name, at_work("tasks"), 300)
    cluster.run("argo", how, "-n", dev, name)
    workflow = until(cluster, dev, name, finished, 120)
    assert [n["phase"] for n in pods_of(workflow, "finish")] == (["Succeeded"] if how == "stop" else [])
    end = time.monotonic() + 60
    while left := at_work_now(cluster, dev, name):
        assert time.monotonic() < end, left
        time.sleep(1)
