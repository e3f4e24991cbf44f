"""What happens without a person: a schedule starts a run, and the reaper clears up after one that was ended by force."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from test_cluster_faults import SERVED, at_work, begin, finished, lease_of, until

from conftest import ROOT, Cluster, Read

pytestmark = pytest.mark.slow


@pytest.fixture
def collector(cluster: Cluster, dev: str) -> Iterator[str]:
    """The name of a Service, and of its pod, that says what traces arrive."""
    labels = {"app": "collector"}
    container = {
        "name": "main",
        "image": "ghcr.io/writ-project/writ-tasks:0.1.0",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/writ/bin/python", "-c", (ROOT / "tests/e2e/collector.py").read_text()],
        "readinessProbe": {"httpGet": {"path": "/", "port": 4318}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {"containers": [container], "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "collector", "labels": labels}, "spec": spec}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "collector"}, "spec": {"selector": labels, "ports": [{"port": 4318}]}}
    cluster.kubectl("apply", "-n", dev, "-f", "-", stdin=yaml.safe_dump_all([pod, service]))
    cluster.kubectl("wait", "-n", dev, "--for=condition=Ready", "pod/collector", "--timeout=120s")
    yield "collector"
    cluster.kubectl("delete", "-n", dev, "pod/collector", "service/collector", "--wait=false", "--grace-period=1")


def test_schedule_that_fires_starts_a_run_by_the_same_template_and_the_run_is_one_trace(
    cluster: Cluster, dev: str, read: Read, collector: str
) -> None:
    cron = yaml.safe_load((ROOT / "argo/cron/writ-nightly.yaml").read_text())
    prefix = f"cron-{int(time.time())}"
    cron["spec"]["schedules"] = ["* * * * *"]
    small = {"dataset": {"count": 8, "min_kept_share": 0.0}, "domains": {"users": 100}, "traces_url": f"http://{collector}:4318/v1/traces"}
    parameters = {"config": yaml.safe_dump(small), "store": f"s3://writ/{prefix}", "shards": "2"}
    cron["spec"]["workflowSpec"]["arguments"]["parameters"] = [{"name": name, "value": value} for name, value in parameters.items()]
    cluster.kubectl("apply", "-n", dev, "-f", "-", stdin=yaml.safe_dump(cron))
    try:
        label = ("-l", "workflows.argoproj.io/cron-workflow=writ-nightly")
        end = time.monotonic() + 180
        while not (found := cluster.get("workflows", "-n", dev, *label)["items"]):
            assert time.monotonic() < end, "the schedule did not fire within three minutes"
            time.sleep(2)
        run = until(cluster, dev, found[0]["metadata"]["name"], finished, 900)
    finally:
        cluster.kubectl("delete", "cronworkflow", "writ-nightly", "-n", dev)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert "manifest.json" in read("keys", f"{prefix}/dataset/")
    spans = [json.loads(line) for line in cluster.kubectl("logs", "-n", dev, collector).splitlines()]
    assert len({span["trace"] for span in spans}) == 1
    stages = sorted(span["name"] for span in spans if span["name"].startswith("stage "))
    assert stages.count("stage simulate") == 2
    assert {"stage tasks", "stage verify", "stage dataset", "stage report"} <= set(stages)
    assert sum(span["name"] == "conversation" for span in spans) >= 8
    assert not any(span["failed"] for span in spans)


@pytest.fixture(scope="module")
def running(cluster: Cluster, dev: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Name and prefix of a run whose shards are at work, with the platform's model server."""
    name = begin(cluster, dev, tmp_path_factory.mktemp("running"), f"s3://writ/{(prefix := f'reaped-{int(time.time())}')}", SERVED)
    until(cluster, dev, name, at_work("simulate"), 900)
    return name, prefix


def test_shard_and_model_server_at_work_show_prometheus_what_they_do(cluster: Cluster, dev: str, running: tuple[str, str]) -> None:
    label = f"workflows.argoproj.io/workflow={running[0]},writ/agent-pool=agent"
    pods = cluster.get("pods", "-n", dev, "-l", label, "--field-selector=status.phase=Running")["items"]
    shard = f"/api/v1/namespaces/{dev}/pods/{pods[0]['metadata']['name']}:9464/proxy/metrics"
    server = f"/api/v1/namespaces/{dev}/services/writ-model-scripted:http/proxy/metrics"
    end = time.monotonic() + 120
    while 'writ_model_replies_total{model="scripted",side="agent"}' not in (text := cluster.kubectl("get", "--raw", shard, check=False)):
        assert time.monotonic() < end, text[-2000:]
        time.sleep(1)
    assert 'writ_server_requests_total{model="scripted",status="200"}' in cluster.kubectl("get", "--raw", server)


def test_reaper_frees_the_lease_and_removes_the_jobs_of_a_run_that_was_terminated(
    cluster: Cluster, dev: str, read: Read, running: tuple[str, str]
) -> None:
    name, prefix = running
    job = made_outside(name, cluster.get("workflow", name, "-n", dev)["metadata"]["uid"])
    cluster.kubectl("apply", "-n", dev, "-f", "-", stdin=yaml.safe_dump(job))
    assert lease_of(read, prefix)["expires_s"] > time.time()
    cluster.run("argo", "terminate", "-n", dev, name)
    until(cluster, dev, name, finished, 180)
    reaper = ("patch", "cronjob", "writ-reaper", "-n", dev, "--type=merge", "-p")
    cluster.kubectl(*reaper, '{"spec": {"suspend": false}}')
    try:
        end = time.monotonic() + 400
        while lease_of(read, prefix)["expires_s"] or "NotFound" not in cluster.kubectl("get", "job", name, "-n", dev, check=False):
            assert time.monotonic() < end, json.dumps(lease_of(read, prefix))
            time.sleep(3)
    finally:
        cluster.kubectl(*reaper, '{"spec": {"suspend": true}}')


def made_outside(name: str, uid: str) -> dict[str, Any]:
    """A Job as a launcher makes it for a Workflow; suspended, as its pod does not matter here."""
    container = {"name": "main", "image": "localhost/python:3.13-trixie", "command": ["python3", "-c", ""]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"writ/workflow-uid": uid}},
        "spec": {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    }
