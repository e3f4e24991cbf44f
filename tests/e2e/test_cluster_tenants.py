"""Two tenants at once: a namespace, a quota and a bucket prefix each, one of them over an Argo Server with a token. Neither sees the other."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import CODE, ROOT, Cluster, place

pytestmark = pytest.mark.slow
ACCOUNTS = ("writ-runner", "writ-launcher", "writ-submitter", "writ-operator", "writ-reaper", "writ-model")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One team: its namespace is also its S3 account and its prefix in the bucket."""

    name: str
    secret: str
    canary: str
    """The key of a model endpoint, in its Secret. It must be nowhere else."""

    @property
    def store(self) -> str:
        return f"s3://writ/{self.name}"

    def config(self, endpoint: str, seed: int) -> dict[str, Any]:
        return {
            "s3": {"endpoint_url": endpoint, "addressing_style": "path"},
            "dataset": {"count": 12, "min_kept_share": 0.0},
            "domains": {"users": 100},
            "simulation": {"agent": {"api_key_env": "MODEL_KEY"}},
            "seed": seed,
        }


def overlay(cluster: Cluster, tenant: Tenant, s3: str) -> Iterator[dict[str, Any]]:
    """k8s/overlays/tenant-example, for this tenant and this cluster's S3."""
    text = cluster.kubectl("kustomize", "k8s/overlays/tenant-example").replace("s3://writ/tenant-example", tenant.store)
    for document in yaml.safe_load_all(text.replace("tenant-example/argo", f"{tenant.name}/argo")):
        place(document, tenant.name)
        if document["metadata"]["name"] == "writ-settings":
            settings = {"s3": {"endpoint_url": f"http://{s3}", "region": "us-east-1", "addressing_style": "path"}, "metrics_port": 9464}
            document["data"]["platform.yaml"] = yaml.safe_dump(settings)
        if document["metadata"]["name"] == "artifact-repositories":
            repository = yaml.safe_load(document["data"]["default-v1"])
            repository["s3"] |= {"endpoint": s3, "insecure": True, "region": "us-east-1"}
            document["data"]["default-v1"] = yaml.safe_dump(repository)
        yield document
    secret = {"AWS_ACCESS_KEY_ID": tenant.name, "AWS_SECRET_ACCESS_KEY": tenant.secret, "MODEL_KEY": tenant.canary}
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "writ-credentials", "namespace": tenant.name}, "stringData": secret}


def store_tool(cluster: Cluster, endpoint: str, *words: str) -> list[str]:
    return cluster.run(sys.executable, str(ROOT / "tests/e2e/tenant_store.py"), endpoint, *words).splitlines()


@pytest.fixture(scope="module")
def tenants(cluster: Cluster, dev: str, endpoint: str) -> Iterator[tuple[Tenant, Tenant]]:
    pair = tuple(Tenant(f"tenant-{uuid.uuid4().hex[:6]}", f"secret-{uuid.uuid4().hex}", f"canary-{uuid.uuid4().hex}") for _ in range(2))
    policy = (ROOT / "k8s/overlays/tenant-example/bucket-policy.json").read_text()
    for tenant in pair:
        store_tool(cluster, endpoint, "admit", tenant.name, tenant.secret, policy.replace("tenant-example", tenant.name))
        documents = list(overlay(cluster, tenant, f"writ-s3.{dev}:7070"))
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(documents))
    yield pair
    for tenant in pair:
        cluster.kubectl("delete", "namespace", tenant.name, "--wait=false")


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[str]:
    """The URL of an Argo Server that gives each caller the rights of its own token."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [*cluster.enter, "argo", "server", "-n", "argo", "--auth-mode", "client", "--secure=false", "--port", str(port)]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        ready = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}/api/v1/version', timeout=5)"
        end = time.monotonic() + 120
        while "HTTP Error 401" not in cluster.run(sys.executable, "-c", ready, check=False):  # it is there, and wants a token
            assert time.monotonic() < end, "the Argo Server did not answer within two minutes"
            time.sleep(1)
        yield f"http://127.0.0.1:{port}"
        running.kill()


class Client:
    """`writ` on the laptop of somebody of one tenant."""

    def __init__(self, cluster: Cluster, tenant: Tenant, folder: Path, endpoint: str, token: str = "") -> None:
        self._cluster, self._tenant = cluster, tenant
        self.file = folder / f"{tenant.name}.yaml"
        self.file.write_text(yaml.safe_dump(tenant.config(endpoint, seed=int(time.time()))))
        own = (f"AWS_ACCESS_KEY_ID={tenant.name}", f"AWS_SECRET_ACCESS_KEY={tenant.secret}", f"PYTHONPATH={CODE}")
        self._environment = (*own, f"ARGO_TOKEN={token}") if token else own

    def writ(self, *words: str, check: bool = True) -> str:
        namespace = () if "-n" in words else ("-n", self._tenant.name)
        return self._cluster.run("env", *self._environment, sys.executable, "-m", "writ", *words, *namespace, check=check, timeout_s=1500)

    def submit(self, *words: str, check: bool = True) -> str:
        return self.writ("submit", "--config", str(self.file), "--out", self._tenant.store, "--shards", "2", *words, check=check)


@pytest.fixture(scope="module")
def clients(cluster: Cluster, tenants: tuple[Tenant, Tenant], endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Client, Client]:
    """The first over the Kubernetes API, the second with a token of its service account."""
    folder = tmp_path_factory.mktemp("tenants")
    token = cluster.kubectl("create", "token", "writ-operator", "-n", tenants[1].name, "--duration=1h").strip()
    return Client(cluster, tenants[0], folder, endpoint), Client(cluster, tenants[1], folder, endpoint, token)


@pytest.fixture(scope="module")
def runs(cluster: Cluster, tenants: tuple[Tenant, Tenant], clients: tuple[Client, Client], server: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both submitted, then both waited for: their Workflows."""
    clients[0].submit("--no-wait")
    clients[1].submit("--no-wait", "--server", server)
    clients[1].submit("--server", server)
    clients[0].submit()
    found = [cluster.get("workflows", "-n", tenant.name)["items"] for tenant in tenants]
    assert [len(each) for each in found] == [1, 1]
    return found[0][0], found[1][0]


def test_two_tenants_run_at_once_under_quota(cluster: Cluster, tenants: tuple[Tenant, Tenant], runs: tuple[dict[str, Any], dict[str, Any]]) -> None:
    first, second = (run["status"] for run in runs)
    assert [first["phase"], second["phase"]] == ["Succeeded", "Succeeded"]
    assert first["startedAt"] < second["finishedAt"]
    assert second["startedAt"] < first["finishedAt"]
    for tenant in tenants:
        quota = cluster.get("resourcequota", "writ", "-n", tenant.name)["status"]
        assert quota["used"]["count/workflows.argoproj.io"] == "1"
        assert quota["hard"]["pods"] == "60"


def test_client_over_an_argo_server_joins_lists_reads_logs_and_cancels(
    cluster: Cluster, tenants: tuple[Tenant, Tenant], clients: tuple[Client, Client], server: str, runs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    over_server = ("--server", server)
    assert clients[1].submit(*over_server).splitlines()[-1] == "every artifact stands: there is nothing to submit"
    run_id = runs[1]["metadata"]["labels"]["writ/run-id"]
    assert f"{run_id}  succeeded" in clients[1].writ("runs", *over_server)
    assert "plan: " in clients[1].writ("logs", run_id, *over_server)
    again = clients[1].submit("--no-wait", *over_server, "--set", "seed=1")
    assert "submitted: Workflow" in again
    name = again.splitlines()[-1].split()[2]
    assert clients[1].writ("cancel", name, *over_server) == f"stopping Workflow {name}\n"
    assert "Workflow" in clients[1].writ("watch", name, *over_server, check=False)
    assert cluster.get("workflow", name, "-n", tenants[1].name)["spec"]["shutdown"] == "Stop"


def test_token_of_one_tenant_opens_nothing_of_the_other_at_the_argo_server(
    tenants: tuple[Tenant, Tenant], clients: tuple[Client, Client], server: str, runs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    theirs = ("--server", server, "-n", tenants[0].name)
    assert "ConfigError" in clients[1].writ("runs", *theirs, check=False)
    assert "ConfigError" in clients[1].submit(*theirs, "--set", "seed=2", check=False)


def test_no_account_of_a_tenant_reads_workflows_or_secrets_of_the_other(
    cluster: Cluster, tenants: tuple[Tenant, Tenant], runs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    allowed = []
    for mine, theirs in (tenants, tenants[::-1]):
        for account in ACCOUNTS:
            me = ("--as", f"system:serviceaccount:{mine.name}:{account}")
            for what in ("workflows", "secrets", "configmaps", "pods"):
                answer = cluster.kubectl("get", what, "-n", theirs.name, *me, check=False)
                allowed += [] if "Forbidden" in answer else [(account, what, answer)]
            answer = cluster.kubectl("get", "secret", "writ-credentials", "-n", mine.name, *me, check=False)
            allowed += [] if "Forbidden" in answer else [(account, "its own secret", answer)]
    assert allowed == []


def test_credentials_of_a_tenant_reach_its_own_prefix_and_no_other(cluster: Cluster, tenants: tuple[Tenant, Tenant], endpoint: str) -> None:
    def tried(who: Tenant, prefix: str) -> dict[str, str]:
        return dict(line.split() for line in store_tool(cluster, endpoint, "tries", who.name, who.secret, prefix))

    everything = ("write", "read", "list", "delete")
    for mine, theirs in (tenants, tenants[::-1]):
        assert tried(mine, mine.name) == dict.fromkeys(everything, "allowed")
        assert tried(mine, theirs.name) == dict.fromkeys(everything, "AccessDenied")


def test_planted_secret_is_in_no_log_artifact_manifest_parameter_or_object(
    cluster: Cluster, tenants: tuple[Tenant, Tenant], endpoint: str, runs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    *keys, count = store_tool(cluster, endpoint, "holding", *(word for tenant in tenants for word in (tenant.canary, tenant.secret)))
    assert keys == []
    assert int(count.split()[1]) > 50, "the bucket was read"
    for tenant in tenants:
        for word in (tenant.canary, tenant.secret):
            kinds = "workflows,workflowtaskresults,pods,configmaps,events,jobs,workflowtemplates"
            assert word not in cluster.kubectl("get", kinds, "-n", tenant.name, "-o", "json")
            for pod in cluster.get("pods", "-n", tenant.name)["items"]:
                said = cluster.kubectl("logs", "-n", tenant.name, pod["metadata"]["name"], "--all-containers", check=False)
                assert word not in said
    assert json.dumps(runs).count("MODEL_KEY") > 0, "the configuration names the variable, and only its name"
