"""What happens to clusters happens to a run: its dataset does not change, and no one has to do anything."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_pipeline import laptop, parts, pods_of

from conftest import RUN, Cluster, Read

MODEL = {"base_url": "http://writ-model-scripted:8000/v1"}
CONFIG = {
    "dataset": {"count": 16, "min_kept_share": 0.0},
    "domains": {"users": 120},
    "simulation": {"concurrency": 2},
}
SERVED = {**CONFIG, "simulation": {"concurrency": 2, "agent": MODEL, "user": MODEL}}
"""The same run, with the platform's model server, which takes its time: there is a while in which to harm a shard."""


def begin(cluster: Cluster, namespace: str, folder: Path, store: str, config: dict[str, Any], **parameters: str) -> str:
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump({"config": yaml.safe_dump(config), "store": store, "shards": "2", **parameters}))
    command = ("argo", "submit", "-n", namespace, "-o", "name", "--from", "workflowtemplate/writ-pipeline", "--parameter-file", str(file))
    return cluster.run(*command).strip().splitlines()[-1]


def until(cluster: Cluster, namespace: str, name: str, holds: Callable[[dict[str, Any]], bool], within_s: float) -> dict[str, Any]:
    end = time.monotonic() + within_s
    while not holds(workflow := cluster.get("workflow", name, "-n", namespace)):
        if time.monotonic() > end:
            pytest.fail(f"{name} did not get there in {within_s:.0f} s: {workflow['status'].get('phase')}")
        time.sleep(3)  # to ask takes a quarter of a second of CPU
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
    until(cluster, namespace, name, at_work("simulate"), 900)
    end = time.monotonic() + 300
    while not (shards := shards_at_work(read, prefix)):
        assert time.monotonic() < end, "no shard wrote into its journal"
        time.sleep(0.5)
    return shards


# ------------------------------------------------------------------------------------------------------------------------------ harms


def shards_deleted(cluster: Cluster, namespace: str, name: str) -> None:
    label = f"workflows.argoproj.io/workflow={name},writ/agent-pool=agent"
    cluster.kubectl("delete", "pod", "-n", namespace, "-l", label, "--grace-period=0", "--force")


def controller_killed(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.kubectl("delete", "pod", "-n", "argo", "-l", "app=workflow-controller", "--grace-period=0", "--force")


def shards_deleted_while_the_controller_is_away(cluster: Cluster, namespace: str, name: str) -> None:
    """The controller that comes back finds the pods gone."""
    controller_killed(cluster, namespace, name)
    shards_deleted(cluster, namespace, name)


def model_server_restarted(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.kubectl("delete", "pod", "-n", namespace, "-l", "writ/model=scripted", "--grace-period=0", "--force")


def node_drained(cluster: Cluster, namespace: str, name: str) -> None:
    """As `kubectl drain` does it, for the pods of this run; there is one node, so nothing of them can run until it is back."""
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    label = f"workflows.argoproj.io/workflow={name}"
    try:
        cluster.kubectl("drain", node, "--pod-selector", label, "--force", "--delete-emptydir-data", "--grace-period=15", "--timeout=120s")
        time.sleep(10)
    finally:
        cluster.kubectl("uncordon", node)


def s3_away_for_a_minute(cluster: Cluster, namespace: str, name: str) -> None:
    """Its process dies, and nothing leads to the one that the node starts in its place: neither old connections nor new ones."""
    here = ("-n", namespace)
    service = ("patch", "service", "writ-s3", *here, "--type=json", "-p")
    path = "/spec/selector/app.kubernetes.io~1component"
    cluster.kubectl(*service, json.dumps([{"op": "replace", "path": path, "value": "nowhere"}]))
    try:
        pod = cluster.get("pods", *here, "-l", "app.kubernetes.io/component=s3")["items"][0]
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        if cluster.enter:  # on a cluster of somebody else only new connections fail
            ctr = ("ctr", "-a", str(RUN / "containerd.sock"), "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", container)
            subprocess.run(ctr, check=True, capture_output=True)
        time.sleep(60)
    finally:
        cluster.kubectl(*service, json.dumps([{"op": "replace", "path": path, "value": "s3"}]))


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The dataset's manifest of the same run where nothing happens; made by the first test process that asks."""
    shared = tmp_path_factory.getbasetemp().parent / "calm" if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.mktemp("calm")
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "manifest.json").is_file():
            (shared / "manifest.json").write_text(json.dumps(laptop(yaml.safe_dump(CONFIG), shared)))
    found: dict[str, Any] = json.loads((shared / "manifest.json").read_text())
    return found


def assert_dataset_of_the_calm_run(read: Read, prefix: str, calm: dict[str, Any]) -> None:
    there = json.loads(read("text", f"{prefix}/dataset/{calm['key']}/manifest.json"))
    assert parts(there) == parts(calm)


def shard_pods(cluster: Cluster, namespace: str, name: str) -> set[str]:
    """The uids of the pods that are shards at work. Argo gives a pod that it makes again the name, and often the node, of the lost one."""
    label = f"workflows.argoproj.io/workflow={name},writ/agent-pool=agent"
    found = cluster.get("pods", "-n", namespace, "-l", label, "--field-selector=status.phase=Running")["items"]
    return {pod["metadata"]["uid"] for pod in found}


@pytest.mark.parametrize(
    ("harm", "lost"),
    [
        (shards_deleted, True),
        (controller_killed, False),
        (shards_deleted_while_the_controller_is_away, True),
        (model_server_restarted, False),
        (node_drained, True),
        (s3_away_for_a_minute, None),
    ],
)
def test_run_that_is_harmed_while_shards_are_at_work_makes_the_same_dataset(
    cluster: Cluster,
    dev: str,
    read: Read,
    tmp_path: Path,
    calm: dict[str, Any],
    harm: Callable[[Cluster, str, str], None],
    lost: bool | None,
) -> None:
    """`lost`: whether the pods of the shards are lost; None: either way."""
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'harmed-{int(time.time())}')}", SERVED)
    begun = until_at_work(cluster, dev, name, read, prefix)
    assert shards_at_work(read, prefix) & begun, "the shards were done before the harm"
    before = shard_pods(cluster, dev, name)
    harm(cluster, dev, name)
    if lost:
        assert before
        assert not before & shard_pods(cluster, dev, name)
    workflow = until(cluster, dev, name, finished, 1200)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    if lost is False:
        assert [n["phase"] for n in pods_of(workflow, "simulate")] == ["Succeeded"] * 2
    assert_dataset_of_the_calm_run(read, prefix, calm)


# --------------------------------------------------------------------------------------------------------------------- memory and GPUs


@pytest.fixture
def changed_stages(cluster: Cluster, dev: str) -> Iterator[Callable[[str, Callable[[dict[str, Any]], None]], None]]:
    """Changes a leaf template of this namespace, as the chart's `stages` values do; put back at the end."""
    place = ("-n", dev)
    before = cluster.get("workflowtemplate", "writ-stages", *place)
    for field in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation"):
        before["metadata"].pop(field, None)

    def change(name: str, how: Callable[[dict[str, Any]], None]) -> None:
        tree = copy.deepcopy(before)
        how(next(t for t in tree["spec"]["templates"] if t["name"] == name))
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=e2e", "-f", "-", *place, stdin=json.dumps(tree))

    yield change
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=e2e", "-f", "-", *place, stdin=json.dumps(before))


def test_shard_killed_for_memory_is_tried_again_with_more(
    cluster: Cluster,
    dev: str,
    read: Read,
    tmp_path: Path,
    calm: dict[str, Any],
    changed_stages: Callable[[str, Callable[[dict[str, Any]], None]], None],
) -> None:
    def starve(template: dict[str, Any]) -> None:
        template["podSpecPatch"] = template["podSpecPatch"].replace("=1024 *", "=70 *")
        template["container"]["resources"] = {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "70Mi"}}

    changed_stages("simulate", starve)
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'starved-{int(time.time())}')}", CONFIG)
    workflow = until(cluster, dev, name, finished, 1200)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    attempts = pods_of(workflow, "simulate")
    assert {n["phase"] for n in attempts} == {"Failed", "Succeeded"}
    assert {n["outputs"]["exitCode"] for n in attempts if n["phase"] == "Failed"} == {"137"}, [n.get("message") for n in attempts]
    assert_dataset_of_the_calm_run(read, prefix, calm)


def test_training_that_never_gets_its_gpu_fails_in_time_and_says_why(cluster: Cluster, dev: str, tmp_path: Path) -> None:
    store = f"s3://writ/waiting-{int(time.time())}"
    config = {**CONFIG, "training": {"allow_scripted": True}}
    name = begin(cluster, dev, tmp_path, store, config, train="true", **{"gpu-wait-s": "20"})
    launching = until(cluster, dev, name, lambda w: bool(pods_of(w, "launch")), 900)
    began = time.monotonic()
    workflow = until(cluster, dev, name, finished, 400)
    assert time.monotonic() - began < 300
    assert workflow["status"]["phase"] == "Failed", launching["status"].get("message")
    launch = next(n for n in pods_of(workflow, "launch") if n["phase"] == "Failed")
    assert launch["outputs"]["exitCode"] == "2"  # not tried again: waiting longer would not help
    pod = cluster.get("pods", "-n", dev, "-l", f"workflows.argoproj.io/workflow={name}")["items"]
    told = "".join(cluster.kubectl("logs", "-n", dev, p["metadata"]["name"], "-c", "main", check=False) for p in pod)
    assert "got no running pod within 20 s" in told
    assert "nvidia.com/gpu" in told
    assert [n["phase"] for n in pods_of(workflow, "dataset")] == ["Succeeded"]
    left = cluster.get("jobs", "-n", dev, "-l", "app.kubernetes.io/part-of=writ")["items"]
    assert [j["metadata"]["name"] for j in left if workflow["metadata"]["uid"] in j["metadata"]["labels"].values()] == []


# ------------------------------------------------------------------------------------------------------------------------------- ended


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
    calm: dict[str, Any],
    how: str,
) -> None:
    name = begin(cluster, dev, tmp_path, f"s3://writ/{(prefix := f'{how}-{int(time.time())}')}", SERVED)
    until_at_work(cluster, dev, name, read, prefix)
    cluster.run("argo", how, "-n", dev, name)
    workflow = until(cluster, dev, name, finished, 300)
    assert [n["phase"] for n in pods_of(workflow, "finish")] == (["Succeeded"] if how == "stop" else [])
    end = time.monotonic() + 300
    while left := at_work_now(cluster, dev, name):
        assert time.monotonic() < end, left
        time.sleep(1)
    lease = lease_of(read, prefix)  # no exit handler runs after `terminate`: the lease runs out, or the reaper takes it
    assert lease["expires_s"] == 0 if how == "stop" else lease["expires_s"] < time.time() + 600
    if how == "stop":  # what was finished is kept: the same run goes on to the same dataset
        again = begin(cluster, dev, tmp_path, f"s3://writ/{prefix}", SERVED)
        assert until(cluster, dev, again, finished, 1200)["status"]["phase"] == "Succeeded"
        assert_dataset_of_the_calm_run(read, prefix, calm)
