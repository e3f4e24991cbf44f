"""Model servers of the chart: weights fetched onto a volume, a GPU asked for, asleep while nobody needs them (KEDA; `make e2e-full`).

The GPU is one that the node merely advertises, and the server is the scripted model behind vLLM's words; all else is as on GPU nodes.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_faults import begin, finished, until
from test_cluster_pipeline import pods_of

from conftest import ROOT, RUN, Cluster

pytestmark = pytest.mark.slow

COOLDOWN_S = 60
WEIGHTS = {"config.json": b"{}", "model.safetensors": b"the weights" * 1000}
SUMS = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in WEIGHTS.items()).encode()
UPLOAD = """
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="writ-dev", aws_secret_access_key="writ-dev-secret")
for name, text in json.load(sys.stdin).items():
    s3.put_object(Bucket="writ", Key=sys.argv[2] + "/" + name, Body=text.encode())
"""
SERVER = """
import json, os, sys
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert json.load(open(sys.argv[1] + "/_COMPLETE")), "the weights are whole"
own = ["--host", "0.0.0.0", "--port", words["--port"], "--name", words["--served-model-name"], "--latency-s", "0.5", "--out", "s3://writ"]
os.execv("/opt/writ/bin/writ", ["writ", "model", "serve", *own, "--s3", os.environ["S3"]])
"""
"""Takes the words that the chart gives to `vllm serve`."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A model server in one namespace, and another whose runs use it too."""

    cluster: Cluster
    servers: str
    runs: str

    def pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cluster.get("pods", "-n", self.servers, "-l", "writ/model=agent")["items"]
        return found

    def until_asleep(self) -> None:
        end = time.monotonic() + 240
        while self.pods():
            assert time.monotonic() < end, self.told()
            time.sleep(2)

    def told(self) -> str:
        """What KEDA and the server say."""
        here = ("-n", self.servers)
        return self.cluster.kubectl("describe", "scaledobject", *here, check=False) + self.cluster.kubectl(
            "get", "pods", *here, "-o", "wide", check=False
        )


def values(dev: str, servers: str) -> dict[str, Any]:
    """What both releases say: where S3 is, and that runs speak to the server in `servers`."""
    side = {"base_url": f"http://writ-model-agent.{servers}:8000/v1", "model": "sleeper"}
    return {
        "store": {"url": "s3://writ/sleepers", "endpointUrl": f"http://writ-s3.{dev}:7070", "addressingStyle": "path"},
        "credentials": {"existingSecret": "writ-credentials"},
        "artifactRepository": {"endpoint": f"writ-s3.{dev}:7070", "insecure": True, "prefix": "sleepers/"},
        "networkPolicy": {"extraEgress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 7070}]}]},
        "platform": {"settings": {"simulation": {"agent": side, "user": side}}},
        "reaper": {"enabled": False},
        "stages": {"all": {"resources": {"requests": {"cpu": "50m"}}}},
    }


def server(dev: str) -> dict[str, Any]:
    s3 = {"endpoint_url": f"http://writ-s3.{dev}:7070", "region": "us-east-1", "addressing_style": "path"}
    secret = [
        {"name": k, "valueFrom": {"secretKeyRef": {"name": "writ-credentials", "key": k}}} for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ]
    return {
        "image": "ghcr.io/writ-project/writ-model-server:0.1.0",
        "command": ["/opt/writ/bin/python", "-c", SERVER],
        "servedName": "sleeper",
        "env": [*secret, {"name": "S3", "value": json.dumps(s3)}],
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"memory": "1Gi"},
        "shmSize": "64Mi",
        "weights": {
            "existingClaim": "models",
            "subPath": "sleeper",
            "fetch": {"source": "s3://writ/weights/sleeper", "revision": hashlib.sha256(SUMS).hexdigest()[:12]},
        },
        "scaleToZero": {"pools": ["writ/agent-pool=agent"], "cooldownS": COOLDOWN_S},
    }


def volume(name: str, namespace: str, folder: Path) -> list[dict[str, Any]]:
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    claim = {**spec, "resources": {"requests": {"storage": "1Gi"}}, "volumeName": name}
    host = {**spec, "capacity": {"storage": "1Gi"}, "hostPath": {"path": str(folder)}}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": host},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "models", "namespace": namespace}, "spec": claim},
    ]


@pytest.fixture(scope="module")
def pool(cluster: Cluster, dev: str, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    if "NotFound" in cluster.kubectl("get", "deployment", "keda-operator", "-n", "keda", check=False):
        pytest.skip("the cluster has no KEDA: tests/e2e/cluster/build.sh keda; tests/e2e/cluster/extras.sh keda")
    if not cluster.enter:
        pytest.skip("a GPU is advertised, and a folder of the node made, on a cluster of our own alone")
    mark, folder = uuid.uuid4().hex[:6], tmp_path_factory.mktemp("pool")
    made = Pool(cluster, f"models-{mark}", f"team-{mark}")
    weights = RUN / f"weights-{mark}"
    weights.mkdir(mode=0o777)
    weights.chmod(0o777)
    texts = {**{name: data.decode() for name, data in WEIGHTS.items()}, "SHA256SUMS": SUMS.decode()}
    cluster.run(sys.executable, "-c", UPLOAD, endpoint, "weights/sleeper", stdin=json.dumps(texts))
    advertise(cluster, "1")
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    credentials = {"AWS_ACCESS_KEY_ID": "writ-dev", "AWS_SECRET_ACCESS_KEY": "writ-dev-secret"}
    documents: list[dict[str, Any]] = []
    for name in (made.servers, made.runs):
        documents += [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "writ-credentials", "namespace": name}, "stringData": credentials},
        ]
    documents += volume(f"models-{mark}", made.servers, weights)
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
    both = values(dev, made.servers)
    trees = {
        made.servers: {**both, "models": {"agent": server(dev)}, "sharing": {"with": [made.runs], "tokenSecret": "pool-reader-token"}},
        made.runs: {**both, "sharing": {"from": made.servers}},
    }
    try:
        for name, tree in trees.items():
            (file := folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
            cluster.run("helm", "install", "w", str(ROOT / "helm/writ"), "--namespace", name, "--values", str(file))
        account = {"kubernetes.io/service-account.name": "writ-pool-reader"}
        token = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token"}
        token["metadata"] = {"name": "pool-reader-token", "namespace": made.servers, "annotations": account}  # type: ignore[assignment]
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(token))
        yield made
    finally:
        cluster.kubectl("delete", "scaledobject", "--all", "-n", made.servers, "--timeout=60s", check=False)
        cluster.kubectl("delete", "namespace", made.servers, made.runs, "--wait=false", check=False)
        cluster.kubectl("delete", "pv", f"models-{mark}", "--wait=false", check=False)
        advertise(cluster, None)


def advertise(cluster: Cluster, gpus: str | None) -> None:
    """Writes so many GPUs into the node's capacity, as a device plugin does; None takes them away."""
    node = cluster.get("nodes")["items"][0]["metadata"]["name"]
    patch = {"status": {"capacity": {"nvidia.com/gpu": gpus}, "allocatable": {"nvidia.com/gpu": gpus}}}
    cluster.kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", json.dumps(patch))


@pytest.mark.parametrize("where", ["servers", "runs"], ids=["its-own-namespace", "another-namespace"])
def test_server_that_sleeps_wakes_for_a_run_stays_while_shards_work_and_sleeps_again(
    cluster: Cluster, pool: Pool, tmp_path: Path, where: str
) -> None:
    pool.until_asleep()
    namespace = getattr(pool, where)
    config = {"dataset": {"count": 24, "min_kept_share": 0.0}, "domains": {"users": 120}, "simulation": {"concurrency": 1}, "seed": int(time.time())}
    run = begin(cluster, namespace, tmp_path, f"s3://writ/sleepers-{int(time.time())}", config)
    servers: set[str] = set()

    def over(workflow: dict[str, Any]) -> bool:
        servers.update(pod["metadata"]["uid"] for pod in pool.pods())
        return finished(workflow)

    workflow = until(cluster, namespace, run, over, 1200)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message", "") + pool.told()
    shards = [n for n in pods_of(workflow, "simulate") if n["phase"] == "Succeeded"]
    worked_s = max(seconds(n["finishedAt"]) for n in shards) - min(seconds(n["startedAt"]) for n in shards)
    assert worked_s > COOLDOWN_S, "a server that is taken away too early would not have been seen"
    assert len(servers) == 1, "one server from the first shard to the last"
    fetched = cluster.kubectl("logs", "-n", pool.servers, "-l", "writ/model=agent", "-c", "fetch")
    assert "stand" in fetched
    assert where == "servers" or "model.safetensors" not in fetched, "the second start finds the weights on the volume"
    pool.until_asleep()


def seconds(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
