"""Git drives runs, with a real repository and a real Argo CD: k8s/gitops as it is, but for the repository's address and the namespace."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from argocd import running, until
from test_cluster_pipeline import template_of

from conftest import ROOT, Cluster

pytestmark = pytest.mark.slow
RUN = {"out": "s3://writ/gitops", "dataset": {"count": 8, "min_kept_share": 0.0}, "domains": {"users": 100}}
Tree = dict[str, Any]


class Site:
    """A Git repository, and what Argo CD makes of it."""

    def __init__(self, cluster: Cluster, folder: Path, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self._bare, self.work = folder / "repo.git", folder / "work"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self._bare)], check=True)
        subprocess.run(["git", "clone", "-q", str(self._bare), str(self.work)], check=True, stderr=subprocess.DEVNULL)
        for name in ("argo", "k8s"):
            shutil.copytree(ROOT / name, self.work / name)
        (self.work / "platform").mkdir()
        platform = {"resources": ["../k8s/overlays/dev"], "namespace": namespace}
        (self.work / "platform/kustomization.yaml").write_text(yaml.safe_dump(platform))

    def commit(self, run: Tree) -> str:
        (self.work / "k8s/gitops/runs/run.yaml").write_text(yaml.safe_dump(run))
        return self.push()

    def push(self) -> str:
        """Commits what the working copy holds; returns the commit."""
        git = ["git", "-C", str(self.work), "-c", "user.name=e2e", "-c", "user.email=e2e@example.org"]
        for words in (["add", "-A"], ["commit", "-qm", "a run"], ["push", "-q", "origin", "HEAD:main"]):
            subprocess.run([*git, *words], check=True)
        return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    def application(self, file: str, path: str) -> None:
        """The file of k8s/gitops, for this repository and namespace."""
        tree = yaml.safe_load((ROOT / "k8s/gitops" / file).read_text())
        tree["spec"]["source"] |= {"repoURL": f"file://{self._bare}", "path": path}
        tree["spec"]["destination"]["namespace"] = self.namespace
        tree["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
        self.cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(tree))

    def application_set(self, file: str) -> None:
        tree = yaml.safe_load((ROOT / "k8s/gitops" / file).read_text())
        for source in (tree["spec"]["generators"][0]["git"], tree["spec"]["template"]["spec"]["source"]):
            source["repoURL"] = f"file://{self._bare}"
        annotations = {"argocd.argoproj.io/application-set-refresh": "true"}  # what a webhook of Git does; without it: three minutes
        self.cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(tree | {"metadata": {**tree["metadata"], "annotations": annotations}}))

    def operation(self, name: str = "writ-runs") -> Tree:
        """Empty where the Application is not there yet."""
        found = self.cluster.get("applications", "-n", "argocd", f"--field-selector=metadata.name={name}")["items"]
        state: Tree = found[0].get("status", {}).get("operationState", {}) if found else {}
        return state

    def synced(self, revision: str, name: str = "writ-runs") -> None:
        """Waits for the end of the sync to a commit, and wants it to have succeeded."""

        def holds() -> bool:
            state = self.operation(name)
            return state.get("syncResult", {}).get("revision") == revision and state["phase"] in ("Succeeded", "Failed", "Error")

        until(f"{name} is synced to {revision[:8]}", holds, 600)
        assert self.operation(name)["phase"] == "Succeeded", self.operation(name).get("message")

    def until_it_is(self, health: str) -> None:
        """The Application of the runs, whose health is that of the Job that hands them in."""
        status = ("application", "writ-runs", "-n", "argocd")
        until(f"the runs are {health}", lambda: self.cluster.get(*status)["status"]["health"]["status"] == health, 300)

    def said(self) -> str:
        """The last line of the Job that handed in the run."""
        self.cluster.kubectl("wait", "-n", self.namespace, "--for=condition=Complete", "job/writ-submit", "--timeout=240s")
        return self.cluster.kubectl("logs", "-n", self.namespace, "job/writ-submit").splitlines()[-1]

    def refreshed(self) -> None:
        annotation = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}}
        self.cluster.kubectl("patch", "application", "writ-runs", "-n", "argocd", "--type=merge", "-p", json.dumps(annotation))

        def done() -> bool:
            return "argocd.argoproj.io/refresh" not in self.cluster.get("application", "writ-runs", "-n", "argocd")["metadata"].get("annotations", {})

        until("the refresh is done", done, 120)

    def synced_again(self, revision: str) -> None:
        before = self.operation()["finishedAt"]
        operation = {"operation": {"initiatedBy": {"username": "e2e"}, "sync": {"revision": revision}}}
        self.cluster.kubectl("patch", "application", "writ-runs", "-n", "argocd", "--type=merge", "-p", json.dumps(operation))
        until("the second sync is done", lambda: self.operation().get("finishedAt", before) not in (before, None), 300)
        self.synced(revision)

    def workflows(self) -> list[Tree]:
        found: list[Tree] = self.cluster.get("workflows", "-n", self.namespace, "--sort-by=.metadata.creationTimestamp")["items"]
        return found

    def finished(self, count: int) -> list[Tree]:
        """Waits until so many Workflows are there and over."""
        until(
            f"{count} Workflows are over",
            lambda: [bool(w.get("status", {}).get("finishedAt")) for w in self.workflows()] == [True] * count,
            900,
        )
        return self.workflows()


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("gitops")
    made = Site(cluster, folder, f"gitops-{uuid.uuid4().hex[:6]}")
    try:
        with running(cluster, folder):
            first = made.commit(RUN)
            made.application("platform.yaml", "platform")
            made.synced(first, "writ")
            made.application("runs.yaml", "k8s/gitops/runs")
            made.synced(first)
            yield made
    finally:
        for name in ("writ-runs", "writ"):
            nothing = json.dumps({"metadata": {"finalizers": None}})
            cluster.kubectl("patch", "application", name, "-n", "argocd", "--type=merge", "-p", nothing, check=False)
        cluster.kubectl("delete", "namespace", made.namespace, "argocd", "--ignore-not-found", "--wait=false", check=False)


def pods(workflow: Tree) -> set[str]:
    return {template_of(node) for node in workflow["status"]["nodes"].values() if node["type"] == "Pod"}


def test_a_commit_starts_its_run(site: Site) -> None:
    workflow = site.finished(1)[0]
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    assert {"plan", "tasks", "simulate", "dataset", "report"} <= pods(workflow)
    assert "argocd.argoproj.io/tracking-id" not in workflow["metadata"].get("annotations", {})


def test_the_same_commit_refreshed_and_synced_again_starts_none(site: Site) -> None:
    site.finished(1)
    revision = site.operation()["syncResult"]["revision"]
    site.refreshed()
    site.synced_again(revision)
    assert site.said() == "every artifact stands: there is nothing to submit"
    assert len(site.workflows()) == 1


def test_a_changed_knob_makes_only_what_depends_on_it(site: Site) -> None:
    site.synced(site.commit({**RUN, "dataset": {**RUN["dataset"], "near_duplicate": 0.95}}))
    second = site.finished(2)[1]
    assert second["status"]["phase"] == "Succeeded", second["status"].get("message")
    plan = next(n for n in second["status"]["nodes"].values() if n["type"] == "Pod" and template_of(n) == "plan")
    assert next(p["value"] for p in plan["outputs"]["parameters"] if p["name"] == "shards") == "[]"
    assert "simulate" not in pods(second)


def test_a_run_that_is_refused_does_not_block_the_next_commit(site: Site) -> None:
    site.synced(site.commit({**RUN, "dataset": {"cuont": 8}}))
    site.until_it_is("Degraded")
    assert "there is no key 'dataset.cuont'" in site.cluster.kubectl("logs", "-n", site.namespace, "job/writ-submit")
    site.synced(site.commit({**RUN, "dataset": {**RUN["dataset"], "near_duplicate": 0.85}}))
    assert len(site.finished(3)) == 3
    site.until_it_is("Healthy")


def test_deleting_the_application_leaves_finished_runs_and_data(site: Site) -> None:
    before = [w["metadata"]["name"] for w in site.finished(3)]
    site.cluster.kubectl("delete", "application", "writ-runs", "-n", "argocd", "--timeout=120s")
    assert "NotFound" in site.cluster.kubectl("get", "job", "writ-submit", "-n", site.namespace, check=False)
    assert [w["metadata"]["name"] for w in site.workflows()] == before
    site.application("runs.yaml", "k8s/gitops/runs")
    until("the Application is back", lambda: site.operation().get("phase") == "Succeeded", 300)
    assert site.said() == "every artifact stands: there is nothing to submit", "the data is still there"


def test_tenant_is_a_folder_in_git_and_outlives_it(site: Site) -> None:
    """A folder more: a tenant more. A folder that is lost takes no namespace, and no run in it, along."""
    overlays, names = site.work / "k8s/overlays", [f"tenant-{uuid.uuid4().hex[:6]}" for _ in range(2)]
    for name in names:
        shutil.copytree(overlays / "tenant-example", overlays / name)
        for file in (overlays / name).iterdir():
            file.write_text(file.read_text().replace("tenant-example", name))
    shutil.rmtree(overlays / "tenant-example")
    shutil.move(overlays / names[1], site.work / "later")
    revision = site.push()
    site.application_set("tenants.yaml")
    try:
        site.synced(revision, f"writ-{names[0]}")
        found = site.cluster.get("applications", "-n", "argocd")["items"]
        assert f"writ-{names[1]}" not in {application["metadata"]["name"] for application in found}
        shutil.move(site.work / "later", overlays / names[1])
        revision = site.push()
        site.application_set("tenants.yaml")
        site.synced(revision, f"writ-{names[1]}")
        for name in names:
            namespace = site.cluster.get("namespace", f"writ-{name}")
            assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
            assert "writ-pipeline" in site.cluster.kubectl("get", "workflowtemplates", "-n", f"writ-{name}", "-o", "name")
            assert site.cluster.get("resourcequota", "writ", "-n", f"writ-{name}")["spec"]["hard"]["pods"] == "60"
        shutil.rmtree(overlays / names[1])
        site.push()
        site.application_set("tenants.yaml")
        gone = ("get", "application", f"writ-{names[1]}", "-n", "argocd")
        until("the Application of the folder is gone", lambda: "NotFound" in site.cluster.kubectl(*gone, check=False), 300)
        assert site.cluster.get("namespace", f"writ-{names[1]}")["status"]["phase"] == "Active"
        assert "writ-pipeline" in site.cluster.kubectl("get", "workflowtemplates", "-n", f"writ-{names[1]}", "-o", "name")
    finally:
        site.cluster.kubectl("delete", "applicationset", "writ-tenants", "-n", "argocd", "--timeout=60s", check=False)
        for name in names:
            site.cluster.kubectl("delete", "namespace", f"writ-{name}", "--wait=false", check=False)
