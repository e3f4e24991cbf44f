"""What happens to clusters happens to a run: its dataset does not change, and no one has to do anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_pipeline import CONFIG, laptop, parts, pods_of

from conftest import Cluster, Read

SLOW = yaml.safe_dump(
    {
        "dataset": {"count": 80, "min_kept_share": 0.0},
        "domains": {"users": 120},
        "simulation": {"concurrency": 1, "rollouts_per_task": 3},
    }
)
"""One conversation after the other, so that there is a while in which to harm a shard."""


def begin(cluster: Cluster, namespace: str, folder: Path, store: str, config: str) -> str:
    parameters = folder / "run.yaml"
    parameters.write_text(yaml.safe_dump({"config": config, "store": store, "shards": "2"}))
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


def shards_at_work(read: Read, prefix: str) -> set[str]:
    """Shards that hold finished conversations in their journal, and are not whole."""
    keys = [k.split("/") for k in read("keys", f"{prefix}/simulate/").split()]
    begun = {k[3] for k in keys if "journal" in k and k[3] != "journal"}
    return begun - {k[3] for k in keys if k[-1] == "manifest.json" and len(k) > 4}


def until_at_work(cluster: Cluster, namespace: str, name: str, read: Read, prefix: str) -> set[str]:
    until(cluster, namespace, name, at_work("simulate"), 600)
    end = time.monotonic() + 120
    while not (shards := shards_at_work(read, prefix)):
        assert time.monotonic() < end, "no shard wrote into its journal"
        time.sleep(0.5)
    return shards


def simulate_pods(cluster: Cluster, namespace: str, name: str) -> set[str]:
    pods = cluster.get("pods", "-n", namespace, "-l", f"workflows.argoproj.io/workflow={name},writ/agent-pool=agent")["items"]
    return {p["metadata"]["uid"] for p in pods}


def delete_shards(cluster: Cluster, namespace: str, name: str) -> None:
    label = f"workflows.argoproj.io/workflow={name},writ/agent-pool=agent"
    cluster.kubectl("delete", "pod", "-n", namespace, "-l", label, "--grace-period=0", "--force")


def kill_controller(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.kubectl("delete", "pod", "-n", "argo", "-l", "app=workflow-controller", "--grace-period=0", "--force")


def delete_shards_unseen(cluster: Cluster, namespace: str, name: str) -> None:
    """The controller that comes back finds the pods gone."""
    kill_controller(cluster, namespace, name)
    delete_shards(cluster, namespace, name)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The dataset's manifest of the same run where nothing happens."""
    return laptop(SLOW, tmp_path_factory.mktemp("calm"))


@pytest.mark.parametrize(("harm", "lost"), [(delete_shards, True), (kill_controller, False), (delete_shards_unseen, True)])
def test_run_that_is_harmed_while_shards_are_at_work_makes_the_same_dataset(
    cluster: Cluster,
    dev: str,
    read: Read,
    tmp_path: Path,
    calm: dict[str, Any],
    harm: Callable[[Cluster, str, str], None],
    lost: bool,
) -> None:
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'harmed-{int(time.time())}')}", SLOW)
    begun = until_at_work(cluster, dev, name, read, prefix)
    pods = simulate_pods(cluster, dev, name)
    harm(cluster, dev, name)
    assert shards_at_work(read, prefix) & begun, "the shards were done before the harm"
    workflow = until(cluster, dev, name, finished, 900)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    assert bool(simulate_pods(cluster, dev, name) - pods) == lost
    there = json.loads(read("text", f"{prefix}/dataset/{calm['key']}/manifest.json"))
    assert parts(there) == parts(calm)


def at_work_now(cluster: Cluster, namespace: str, name: str) -> list[str]:
    pods = cluster.get("pods", "-n", namespace, "-l", f"workflows.argoproj.io/workflow={name}")["items"]
    return [p["metadata"]["name"] for p in pods if p["status"]["phase"] in ("Running", "Pending")]


def lease_of(read: Read, prefix: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(read("text", read("keys", f"{prefix}/leases/").split()[-1]))
    return held


@pytest.mark.parametrize("how", ["stop", "terminate"])
def test_run_that_is_ended_leaves_no_pod_at_work_and_no_lease_for_long(
    cluster: Cluster,
    dev: str,
    read: Read,
    tmp_path: Path,
    how: str,
) -> None:
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'{how}-{int(time.time())}')}", CONFIG)
    until(cluster, dev, name, at_work("tasks"), 300)
    cluster.run("argo", how, "-n", dev, name)
    workflow = until(cluster, dev, name, finished, 180)
    assert [n["phase"] for n in pods_of(workflow, "finish")] == (["Succeeded"] if how == "stop" else [])
    end = time.monotonic() + 120
    while left := at_work_now(cluster, dev, name):
        assert time.monotonic() < end, left
        time.sleep(1)
    lease = lease_of(read, prefix)  # no exit handler runs after `terminate`: the lease runs out
    assert lease["expires_s"] == 0 if how == "stop" else lease["expires_s"] < time.time() + 600
