"""The chart on a real cluster: installed, tested, upgraded, removed; and each scenario as the API server judges it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from test_cluster_faults import SERVED, at_work, begin, finished, until

from conftest import ROOT, Cluster

CHART = ROOT / "helm/writ"
SCENARIOS = sorted(p.name for p in (CHART / "ci").glob("*-values.yaml"))
OF_OTHERS = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication", "LocalQueue"}
"""Kinds whose CRDs a cluster need not have."""


@pytest.fixture
def values(dev: str, tmp_path: Path) -> str:
    """Values that point at the S3 of the dev overlay."""
    tree = {
        "store": {"url": "s3://writ/chart", "endpointUrl": f"http://writ-s3.{dev}:7070", "addressingStyle": "path"},
        "credentials": {"existingSecret": "writ-credentials"},
        "artifactRepository": {"endpoint": f"writ-s3.{dev}:7070", "insecure": True, "prefix": "chart/"},
        "networkPolicy": {"extraEgress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": 7070}, {"port": 8000}]}]},
    }
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(tree))
    return str(path)


def left(cluster: Cluster, namespace: str) -> set[str]:
    kinds = cluster.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    wanted = [k for k in kinds if not k.startswith("events") and k not in ("pods.metrics.k8s.io",)]
    found = json.loads(cluster.kubectl("get", ",".join(wanted), "-n", namespace, "-o", "json"))["items"]
    return {f"{d['kind']}/{d['metadata']['name']}" for d in found}


def test_chart_installed_tested_upgraded_under_a_run_and_removed_leaves_what_was_there(
    cluster: Cluster, dev: str, empty_namespace: str, values: str
) -> None:
    before = left(cluster, empty_namespace)
    folder = Path(values).parent
    here = ("--namespace", empty_namespace)
    cluster.run("helm", "install", "w", str(CHART), *here, "--values", values, "--wait", "--timeout", "4m")
    cluster.run("helm", "test", "w", *here, "--timeout", "4m", "--logs")
    model = {"base_url": f"http://writ-model-scripted.{dev}:8000/v1"}
    config = {**SERVED, "simulation": {"concurrency": 2, "agent": model, "user": model}}
    run = begin(cluster, empty_namespace, folder, f"s3://writ/chart-{int(time.time())}", config)
    until(cluster, empty_namespace, run, at_work("simulate"), 900)
    upgraded = ("--set", "pools.agent=3", "--set", "stages.report.resources.requests.memory=300Mi")
    cluster.run("helm", "upgrade", "w", str(CHART), *here, "--values", values, *upgraded, "--wait", "--timeout", "4m")
    assert cluster.get("configmap", "writ-pools", *here)["data"]["agent"] == "3"
    ended = until(cluster, empty_namespace, run, finished, 1200)
    assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
    cluster.kubectl("delete", "workflow", run, *here)
    cluster.run("helm", "uninstall", "w", *here, "--wait", "--timeout", "4m")
    end = time.monotonic() + 120
    while rest := left(cluster, empty_namespace) - before:
        assert time.monotonic() < end, rest
        time.sleep(2)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_passes_the_strict_validation_of_the_api_server(cluster: Cluster, empty_namespace: str, scenario: str) -> None:
    text = cluster.run("helm", "template", "w", str(CHART), "-n", empty_namespace, "--values", str(CHART / "ci" / scenario))
    cluster.kubectl("create", "serviceaccount", "writ-runner", "-n", empty_namespace)  # the pod of `helm test` is judged with its account
    known = yaml.safe_dump_all([d for d in yaml.safe_load_all(text) if d and d["kind"] not in OF_OTHERS])
    strict = ("apply", "-n", empty_namespace, "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    cluster.kubectl(*strict, stdin=known)
    assert "would violate PodSecurity" not in cluster.kubectl(*strict, stdin=known, check=False)  # said of Deployments and Jobs on standard error
