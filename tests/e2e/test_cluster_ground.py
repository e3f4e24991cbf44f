"""What the pipeline's templates stand on: a real Argo in a restricted namespace, with S3."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from conftest import ROOT, Cluster


@pytest.fixture(scope="module")
def ground(cluster: Cluster, dev: str) -> dict[str, Any]:
    return cluster.submit(dev, "tests/e2e/workflows/ground.yaml")


def nodes(workflow: dict[str, Any], template: str) -> list[dict[str, Any]]:
    found = [n for n in workflow["status"]["nodes"].values() if n.get("templateName") == template and n["type"] == "Pod"]
    return sorted(found, key=lambda n: n["startedAt"])


def test_ground_workflow_in_a_restricted_namespace_succeeds(ground: dict[str, Any]) -> None:
    assert ground["status"]["phase"] == "Succeeded", ground["status"].get("message")


def test_pod_that_says_try_again_is_tried_again(ground: dict[str, Any]) -> None:
    assert [n["outputs"]["exitCode"] for n in nodes(ground, "give")] == ["75", "0"]


def test_pod_killed_for_memory_gets_more_and_succeeds(ground: dict[str, Any]) -> None:
    assert [n["phase"] for n in nodes(ground, "hungry")] == ["Failed", "Succeeded"]
    assert nodes(ground, "hungry")[0]["message"] == "main: OOMKilled (exit code 137)"


def test_fan_out_reads_the_artifact_of_the_step_before(ground: dict[str, Any]) -> None:
    assert [n["phase"] for n in nodes(ground, "take")] == ["Succeeded"] * 6


def test_pod_without_a_security_context_is_refused(cluster: Cluster, dev: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose"}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}}
    assert "violates PodSecurity" in cluster.kubectl("create", "-n", dev, "-f", "-", stdin=yaml.safe_dump(pod), check=False)


def test_accounts_of_the_platform_may_do_their_job_and_no_more(cluster: Cluster, dev: str) -> None:
    assert cluster.may(f"{dev}:writ-runner", dev, "create", "workflowtaskresults.argoproj.io")
    assert cluster.may(f"{dev}:writ-submitter", dev, "create", "workflows.argoproj.io")
    forbidden = [("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("get", "configmaps"), ("delete", "workflows.argoproj.io")]
    allowed = [
        (a, v, r)
        for a in ("writ-runner", "writ-launcher", "writ-submitter", "writ-model")
        for v, r in forbidden
        if cluster.may(f"{dev}:{a}", dev, v, r)
    ]
    assert allowed == []


def test_argo_lint_accepts_every_file(cluster: Cluster) -> None:
    folders = [str(ROOT / "argo" / f) for f in ("workflows", "cron")]
    templates = [str(ROOT / "argo/templates" / f"{name}.yaml") for name in ("writ-stages", "writ-pipeline")]
    cluster.run("argo", "lint", "--offline", "--kinds=workflows,workflowtemplates,cronworkflows", *templates, *folders)
