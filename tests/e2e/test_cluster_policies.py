"""The NetworkPolicies, enforced by kube-router: a run needs nothing that they forbid, and they forbid the rest (`make e2e-full`)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_faults import SERVED, assert_dataset_of_the_calm_run, begin, calm, finished, until  # noqa: F401

from conftest import CACHE, RUN, Cluster, Read

pytestmark = pytest.mark.slow

OTHER_S3 = "192.0.2.10:9000"
"""The node's own, which no policy of the platform names."""
PROBE = """
import socket, sys, time
def opens(place):
    host, port = place.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError:
        return False
    return True
end = time.monotonic() + 60
while opens(sys.argv[1]) and time.monotonic() < end:
    time.sleep(0.5)   # rules follow a new pod by some seconds
print(*(place for place in sys.argv[1:] if opens(place)))
"""


@pytest.fixture(scope="module")
def enforced(cluster: Cluster, dev: str) -> Iterator[str]:
    """The namespace of the platform, while kube-router enforces policies on this node."""
    router = CACHE / "bin/kube-router"
    if not cluster.enter or not router.is_file():
        pytest.skip("kube-router is not here, or the cluster is somebody else's: tests/e2e/cluster/build.sh kube-router")
    words = ["--run-router=false", "--run-service-proxy=false", "--run-firewall=true", "--hostname-override=node1", "--iptables-sync-period=1m"]
    command = [*cluster.enter, str(router), *words, "--service-cluster-ip-range=10.96.0.0/16", "--kubeconfig", str(RUN / "admin.conf")]
    with (RUN / "log/kube-router.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        end = time.monotonic() + 60
        while "KUBE-ROUTER-FORWARD" not in cluster.run("iptables", "-S", "FORWARD"):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail((RUN / "log/kube-router.log").read_text()[-2000:])
            time.sleep(0.5)
        yield dev
        process.terminate()
    cluster.run("iptables", "-F")
    cluster.run("iptables", "-X")


def reached(cluster: Cluster, namespace: str, labels: dict[str, str], *places: str) -> list[str]:
    """Those of `places` to which a pod with these labels can connect, once the first is refused, or a minute has passed."""
    container = {
        "name": "main",
        "image": "ghcr.io/writ-project/writ-tasks:0.1.0",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/writ/bin/python", "-c", PROBE, *places],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": labels}, "spec": spec}
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(pod))
    try:
        cluster.kubectl("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "pod/probe", "--timeout=240s")
        return cluster.kubectl("logs", "-n", namespace, "probe").split()
    finally:
        cluster.kubectl("delete", "-n", namespace, "pod/probe", "--grace-period=1")


def test_run_needs_nothing_that_the_policies_forbid(cluster: Cluster, enforced: str, read: Read, tmp_path: Path, calm: dict[str, Any]) -> None:  # noqa: F811
    name = begin(cluster, enforced, tmp_path, f"s3://writ/{(prefix := f'policed-{int(time.time())}')}", SERVED)
    workflow = until(cluster, enforced, name, finished, 900)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    assert_dataset_of_the_calm_run(read, prefix, calm)


def test_pod_of_a_workflow_reaches_the_store_the_models_and_the_api_server_alone(cluster: Cluster, enforced: str) -> None:
    allowed = ["writ-s3:7070", "writ-model-scripted:8000", "kubernetes.default.svc:443"]
    assert reached(cluster, enforced, {"workflows.argoproj.io/workflow": "probe"}, OTHER_S3, *allowed) == allowed


def test_any_other_pod_of_the_namespace_reaches_nothing(cluster: Cluster, enforced: str) -> None:
    assert reached(cluster, enforced, {"app": "probe"}, OTHER_S3, "writ-s3:7070", "writ-model-scripted:8000", "kubernetes.default.svc:443") == []


def test_pod_of_another_namespace_reaches_neither_models_nor_store(cluster: Cluster, enforced: str, empty_namespace: str) -> None:
    inside = [f"writ-model-scripted.{enforced}:8000", f"writ-s3.{enforced}:7070"]
    assert reached(cluster, empty_namespace, {"workflows.argoproj.io/workflow": "probe"}, *inside, OTHER_S3) == [OTHER_S3]
