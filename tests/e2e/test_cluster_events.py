"""Argo Events: a request over HTTP starts a run, with argo/events as it is and its NetworkPolicies enforced (`make e2e-full`)."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cluster_faults import finished, until
from test_cluster_policies import enforced  # noqa: F401

from conftest import ROOT, Cluster

pytestmark = pytest.mark.slow

TOKEN = uuid.uuid4().hex
POST = """
import sys, time, urllib.error, urllib.request
url, token, body = sys.argv[1:]
for _ in range(60):
    asked = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json", "Authorization": "Bearer " + token})
    try:
        print(urllib.request.urlopen(asked, timeout=5).status)
        break
    except urllib.error.HTTPError as e:
        print(e.code)
        break
    except OSError:
        time.sleep(1)   # rules follow a new pod by some seconds
"""
STREAM = {"maxMsgs": 1000, "maxAge": "1h", "maxBytes": -1, "replicas": 1, "duplicates": "300s", "retention": 0, "discard": 0}
QUIET = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}


def pod(name: str, labels: dict[str, str], container: dict[str, Any], restart: str, *volumes: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "main", "imagePullPolicy": "IfNotPresent", "securityContext": QUIET, **container}
    spec = {"restartPolicy": restart, "containers": [container], "securityContext": RESTRICTED, "volumes": [*volumes]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def bus(folder: Path) -> list[dict[str, Any]]:
    """An EventBus on one NATS server, with TLS as Argo Events wants it; a real one would be three, which Argo Events makes by itself."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    made = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=nats",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    )
    subprocess.run(made, check=True, capture_output=True)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nats"}, "stringData": {f.name: f.read_text() for f in (key, certificate)}}
    container = {
        "image": "docker.io/library/nats:e2e",
        "args": ["-js", "-sd", "/data", "--tls", "--tlscert", "/tls/tls.crt", "--tlskey", "/tls/tls.key"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "tls", "mountPath": "/tls"}],
        "readinessProbe": {"tcpSocket": {"port": 4222}, "periodSeconds": 1},
    }
    labels = {"controller": "eventbus-controller", "eventbus-name": "default"}
    server = pod("nats", labels, container, "Always", {"name": "data", "emptyDir": {}}, {"name": "tls", "secret": {"secretName": "nats"}})
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nats"}, "spec": {"selector": labels, "ports": [{"port": 4222}]}}
    exotic = {"url": "nats://nats:4222", "streamConfig": yaml.safe_dump(STREAM)}
    event_bus = {"apiVersion": "argoproj.io/v1alpha1", "kind": "EventBus", "metadata": {"name": "default"}, "spec": {"jetstreamExotic": exotic}}
    return [secret, server, service, event_bus]


@pytest.fixture(scope="module")
def listening(cluster: Cluster, enforced: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: F811
    """The namespace of the platform, in which the event source listens and the sensor waits."""
    here = ("-n", enforced)
    if "NotFound" in cluster.kubectl("get", "deployment", "controller-manager", "-n", "argo-events", check=False):
        pytest.skip("the cluster has no Argo Events: tests/e2e/cluster/build.sh argo-events nats-server; tests/e2e/cluster/extras.sh events")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "writ-webhook"}, "stringData": {"token": TOKEN}}
    file = str(ROOT / "argo/events/writ-on-request.yaml")
    policies = [d for d in yaml.safe_load_all((ROOT / file).read_text()) if d["kind"] == "NetworkPolicy"]
    try:
        cluster.kubectl("apply", *here, "-f", "-", stdin=yaml.safe_dump_all([secret, *policies, *bus(tmp_path_factory.mktemp("bus"))]))
        cluster.kubectl("wait", *here, "--for=condition=Ready", "pod/nats", "--timeout=120s")
        cluster.kubectl("apply", *here, "-f", file)
        for kind, name in (("eventsource", "writ-requests"), ("sensor", "writ-on-request")):
            cluster.kubectl("wait", *here, "--for=condition=Deployed", f"{kind}/{name}", "--timeout=120s")
            cluster.kubectl("wait", *here, "--for=condition=Available", "deployment", "-l", f"{kind}-name={name}", "--timeout=240s")
        yield enforced
    finally:
        cluster.kubectl("delete", *here, "-f", file, "--ignore-not-found", "--timeout=60s", check=False)
        cluster.kubectl(
            "delete", *here, "eventbus/default", "service/nats", "pod/nats", "secret/nats", "secret/writ-webhook", "--ignore-not-found", check=False
        )


def posted(cluster: Cluster, namespace: str, listening: str, token: str, body: dict[str, str]) -> str:
    """The status that a pod of another namespace gets."""
    url = f"http://writ-requests-eventsource-svc.{listening}:12000/runs"
    command = ["/opt/writ/bin/python", "-c", POST, url, token, json.dumps(body)]
    name = f"caller-{uuid.uuid4().hex[:6]}"
    caller = pod(name, {}, {"image": "ghcr.io/writ-project/writ-tasks:0.1.0", "command": command}, "Never")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(caller))
    cluster.kubectl("wait", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=180s")
    return cluster.kubectl("logs", "-n", namespace, name).strip()


def test_request_with_the_token_starts_its_run_once_and_one_without_starts_none(cluster: Cluster, listening: str, empty_namespace: str) -> None:
    mark = uuid.uuid4().hex[:6]
    names = {word: f"{word}-{mark}" for word in ("asked", "forged")}
    bodies = {word: {"name": name, "config": yaml.safe_dump(small(mark))} for word, name in names.items()}
    assert posted(cluster, empty_namespace, listening, "another token", bodies["forged"]) == "401"
    assert posted(cluster, empty_namespace, listening, TOKEN, bodies["asked"]) == "200"
    end = time.monotonic() + 120
    while "NotFound" in cluster.kubectl("get", "workflow", names["asked"], "-n", listening, check=False):
        assert time.monotonic() < end, said(cluster, listening)
        time.sleep(1)
    workflow = until(cluster, listening, names["asked"], finished, 900)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    again = posted(cluster, empty_namespace, listening, TOKEN, bodies["asked"])
    assert again == "200", "the event is taken; what it asks for is there"
    while "already exists" not in said(cluster, listening):
        assert time.monotonic() < end + 900, said(cluster, listening)
        time.sleep(1)
    found = cluster.get("workflows", "-n", listening)["items"]
    assert sorted(w["metadata"]["name"] for w in found if w["metadata"]["name"].endswith(mark)) == [names["asked"]]
    assert cluster.get("workflow", names["asked"], "-n", listening)["metadata"]["uid"] == workflow["metadata"]["uid"]


def small(mark: str) -> dict[str, Any]:
    return {"dataset": {"count": 8, "min_kept_share": 0.0}, "domains": {"users": 100}, "seed": int(mark, 16)}


def said(cluster: Cluster, namespace: str) -> str:
    """The last words of the sensor."""
    return cluster.kubectl("logs", "-n", namespace, "-l", "sensor-name=writ-on-request", "--tail=200", check=False)
