"""The kustomize base and its overlays, rendered by kubectl."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from argo_lint import lint
from deploy_files import ROOT, parse, pods, run, tool
from test_chart import pod_findings

OVERLAYS = sorted(p.name for p in (ROOT / "k8s/overlays").iterdir())


@pytest.fixture(params=OVERLAYS, scope="module")
def overlay(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return parse(run(tool("kubectl"), "kustomize", str(ROOT / "k8s/overlays" / request.param)).stdout)


def test_overlay_puts_everything_into_one_restricted_namespace(overlay: list[dict[str, Any]]) -> None:
    namespace = next(d for d in overlay if d["kind"] == "Namespace")["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {d["metadata"].get("namespace") for d in overlay if d["kind"] != "Namespace"} == {namespace["name"]}


def test_overlay_pods_pass_pod_security_restricted(overlay: list[dict[str, Any]]) -> None:
    assert [f for d in overlay for pod in pods(d) for f in pod_findings(pod)] == []


def test_overlay_workflow_templates_pass_the_linter(overlay: list[dict[str, Any]]) -> None:
    assert lint(overlay) == []


def test_overlay_settings_are_settings_that_writ_knows(overlay: list[dict[str, Any]]) -> None:
    from writ.settings import RunConfig

    settings = next(d for d in overlay if d["kind"] == "ConfigMap" and d["metadata"]["name"] == "writ-settings")
    RunConfig.model_validate(yaml.safe_load(settings["data"]["platform.yaml"]))


def test_artifact_repository_leaves_it_to_the_workflow_whose_logs_are_kept(overlay: list[dict[str, Any]]) -> None:
    """One that says so itself overrules the templates: a shard then needs the store to end, and every node of a fan-out grows."""
    texts = [d["data"]["default-v1"] for d in overlay if d["kind"] == "ConfigMap" and d["metadata"]["name"] == "artifact-repositories"]
    assert texts
    assert not any("archiveLogs" in text for text in texts)


def test_overlay_has_no_cluster_role_and_no_role_that_reads_secrets(overlay: list[dict[str, Any]]) -> None:
    assert not {d["kind"] for d in overlay} & {"ClusterRole", "ClusterRoleBinding"}
    assert not [r for d in overlay if d["kind"] == "Role" for r in d["rules"] if "secrets" in r["resources"]]


def test_only_the_dev_overlay_carries_credentials() -> None:
    holders = []
    for name in OVERLAYS:
        rendered = parse(run(tool("kubectl"), "kustomize", str(ROOT / "k8s/overlays" / name)).stdout)
        holders += [name for d in rendered if d["kind"] == "Secret"]
    assert holders == ["dev"]


def test_digests_set_by_kustomize_reach_the_workflow_templates() -> None:
    folder = ROOT / "k8s/overlays/prod"
    rendered = parse(run(tool("kubectl"), "kustomize", str(folder)).stdout)
    stages = next(d for d in rendered if d["metadata"]["name"] == "writ-stages")
    wanted = {i["name"]: i for i in yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]}
    plan = next(t for t in stages["spec"]["templates"] if t["name"] == "plan")["container"]["image"]
    pinned = wanted["ghcr.io/writ-project/writ-plan"]
    assert plan == f"{pinned['name']}@{pinned['digest']}"


def test_rights_and_policies_are_synced_before_what_needs_them(overlay: list[dict[str, Any]]) -> None:
    waves = {(d["kind"], d["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")) for d in overlay}
    assert {kind for kind, wave in waves if wave == "-2"} == {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"}
    assert {kind for kind, wave in waves if wave == "0"} >= {"WorkflowTemplate"}


def test_reaper_of_a_tenant_reads_the_tenants_store(overlay: list[dict[str, Any]]) -> None:
    pipeline = next(d for d in overlay if d["metadata"]["name"] == "writ-pipeline")["spec"]["arguments"]["parameters"]
    reaper = next(d for d in overlay if d["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert reaper["args"][-1] == next(p["value"] for p in pipeline if p["name"] == "store")


def test_gitops_applications_point_at_folders_that_exist() -> None:
    platform, runs, tenants = (yaml.safe_load((ROOT / "k8s/gitops" / f"{name}.yaml").read_text())["spec"] for name in ("platform", "runs", "tenants"))
    assert all((ROOT / each["source"]["path"] / "kustomization.yaml").is_file() for each in (platform, runs))
    assert list(ROOT.glob(tenants["generators"][0]["git"]["directories"][0]["path"]))
    for spec in (platform, runs, tenants["template"]["spec"]):
        assert spec["syncPolicy"]["retry"] == {"limit": 0}


def test_gitops_run_is_handed_in_by_a_job_that_changes_with_it_and_is_made_anew(tmp_path: Path) -> None:
    from writ.settings import RunConfig

    def rendered(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        documents = parse(run(tool("kubectl"), "kustomize", str(folder)).stdout)
        job, config = (next(d for d in documents if d["kind"] == kind) for kind in ("Job", "ConfigMap"))
        return job, config

    job, config = rendered(ROOT / "k8s/gitops/runs")
    shutil.copytree(ROOT / "k8s/gitops/runs", tmp_path / "runs")
    (tmp_path / "runs/run.yaml").write_text("out: s3://writ\nseed: 9\n")
    assert rendered(tmp_path / "runs")[0]["spec"] != job["spec"], "else a new configuration would be no change of the Job"
    options = job["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert options == "Replace=true,Force=true", "what is in a Job cannot be changed"
    assert RunConfig.model_validate(yaml.safe_load(config["data"]["run.yaml"])).out.startswith("s3://")
    assert [f for pod in pods(job) for f in pod_findings(pod)] == []
