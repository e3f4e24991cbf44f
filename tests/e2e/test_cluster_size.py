"""Large runs: 100,000 conversations planned, 256 shards run. The second takes a while, and is in `make e2e-full`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_faults import at_work, begin, finished, until
from test_cluster_pipeline import pods_of

from conftest import Cluster

LIMIT_BYTES = 512 * 1024
"""Of a Workflow object, as kubectl indents it, to more than twice what the API server holds. etcd takes 1.5 MB of the latter."""


def size(cluster: Cluster, namespace: str, name: str) -> int:
    return len(cluster.kubectl("get", "workflow", name, "-n", namespace, "-o", "json").encode())


def controller_restarts(cluster: Cluster) -> int:
    pods = cluster.get("pods", "-n", "argo", "-l", "app=workflow-controller")["items"]
    return sum(each["restartCount"] for pod in pods for each in pod["status"]["containerStatuses"])


def answer_s(cluster: Cluster) -> float:
    """Seconds until the API server says that it is ready."""
    started = time.monotonic()
    cluster.kubectl("get", "--raw", "/readyz")
    return time.monotonic() - started


def test_workflow_of_100000_conversations_is_planned_and_small(cluster: Cluster, dev: str, tmp_path: Path) -> None:
    config: dict[str, Any] = {"dataset": {"count": 100_000}, "domains": {"users": 20_000}}
    name = begin(cluster, dev, tmp_path, f"s3://writ/large-{int(time.time())}", config, shards="256")
    workflow = until(cluster, dev, name, at_work("tasks"), 600)
    plan = next(n for n in pods_of(workflow, "plan") if n["phase"] == "Succeeded")
    shards = next(p["value"] for p in plan["outputs"]["parameters"] if p["name"] == "shards")
    assert json.loads(shards) == list(range(256))
    assert size(cluster, dev, name) < LIMIT_BYTES
    cluster.run("argo", "terminate", "-n", dev, name)
    until(cluster, dev, name, finished, 300)


@pytest.mark.slow
def test_256_shards_run_and_their_workflow_stays_small(cluster: Cluster, dev: str, tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "dataset": {"count": 256, "min_kept_share": 0.0},
        "domains": {"users": 200},
        "tasks": {"batch_size": 1},
    }
    before = controller_restarts(cluster)
    name = begin(cluster, dev, tmp_path, f"s3://writ/wide-{int(time.time())}", config, shards="256")
    largest, slowest_s, end = 0, 0.0, time.monotonic() + 5400
    while not finished(workflow := cluster.get("workflow", name, "-n", dev)):
        assert time.monotonic() < end, "the run of 256 shards took more than 90 minutes"
        largest, slowest_s = max(largest, size(cluster, dev, name)), max(slowest_s, answer_s(cluster))
        time.sleep(5)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    assert len([n for n in pods_of(workflow, "simulate") if n["phase"] == "Succeeded"]) == 256
    assert max(largest, size(cluster, dev, name)) < LIMIT_BYTES
    assert slowest_s < 20
    assert controller_restarts(cluster) == before
    print(yaml.safe_dump({"largest_bytes": largest, "slowest_answer_s": round(slowest_s, 2), "took": workflow["status"]["resourcesDuration"]}))
