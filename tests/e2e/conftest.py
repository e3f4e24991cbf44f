"""The end-to-end tests run against any cluster that KUBECONFIG names, or the one that tests/e2e/cluster/up.sh started on this machine.

Each process of `pytest -n` has a platform in a namespace of its own: `writ`, `writ-1`, `writ-2`. What waits here waits long: the machine may be busy.

make e2e                                              builds, starts and removes a cluster of its own
KUBECONFIG=… python -m pytest -o addopts= tests/e2e   a cluster of yours, with Argo >= 4.0.7; images must be pullable there
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(os.environ.get("WRIT_CLUSTER_RUN", "/var/tmp/writ-e2e"))
CACHE = Path(os.environ.get("WRIT_CLUSTER_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "writ/cluster")
CODE = ROOT / "src" if os.environ.get("KUBECONFIG") else CACHE / "context/src"
"""The code that the images hold: what a laptop runs is compared with it, though someone edits the checkout meanwhile."""
NAMESPACE = {"gw0": "writ"}.get(worker := os.environ.get("PYTEST_XDIST_WORKER", "gw0"), f"writ-{worker.removeprefix('gw')}")
"""Of this process's platform."""
NETNS = Path("/run/netns") / os.environ.get("WRIT_CLUSTER_NETNS", "writ-e2e")


class Modules(LoadScopeScheduling):
    """Deals whole modules to the processes, as their tests build on each other; of the faults each by itself, as those are long and do not."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::")[0]
        return nodeid if module.endswith("test_cluster_faults.py") else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Modules:
    return Modules(config, log)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A way to run commands against one cluster."""

    enter: tuple[str, ...]
    """Words before each command: for a cluster of our own, those that enter its network."""
    environment: dict[str, str]

    def run(self, *command: str, stdin: str | None = None, check: bool = True, timeout_s: float = 300) -> str:
        done = subprocess.run(
            [*self.enter, *command], input=stdin, capture_output=True, text=True, env=self.environment, timeout=timeout_s, check=False, cwd=ROOT
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(command[:8])} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout if check else done.stdout + done.stderr

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        return self.run("kubectl", *arguments, stdin=stdin, check=check)

    def get(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    def may(self, account: str, namespace: str, verb: str, resource: str) -> bool:
        """Whether a service account (`namespace:name`) may do something, as the API server answers."""
        answer = self.kubectl("auth", "can-i", verb, resource, "-n", namespace, "--as", f"system:serviceaccount:{account}", check=False)
        return answer.strip().splitlines()[-1] == "yes"

    def submit(self, namespace: str, *arguments: str, timeout_s: float = 900) -> dict[str, Any]:
        """Submits, waits for the end, and returns the Workflow, however it ended."""
        name = self.run("argo", "submit", "-n", namespace, "-o", "name", *arguments).strip().splitlines()[-1]
        self.run("argo", "wait", "-n", namespace, name, check=False, timeout_s=timeout_s)
        return self.get("workflow", name, "-n", namespace)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    path = f"{CACHE / 'bin'}:{os.environ['PATH']}"
    if os.environ.get("KUBECONFIG"):
        return Cluster((), {**os.environ, "PATH": path})
    if NETNS.exists() and (RUN / "admin.conf").is_file():
        return Cluster(("nsenter", f"--net={NETNS}"), {**os.environ, "PATH": path, "KUBECONFIG": str(RUN / "admin.conf")})
    pytest.skip("no cluster: set KUBECONFIG, or start one with tests/e2e/cluster/up.sh (Linux and root)")


LATENCY_S = 0.5
"""Of the scripted model server: with it a run takes a while on any machine, in which harm can be done to it."""


@pytest.fixture(scope="session")
def dev(cluster: Cluster) -> str:
    """The namespace of the dev overlay, with its S3 and its model server ready."""
    documents = list(yaml.safe_load_all(cluster.kubectl("kustomize", "k8s/overlays/dev")))
    for document in documents:
        place(document, NAMESPACE)
        if document["kind"] == "Deployment" and document["metadata"]["name"] == "writ-model-scripted":
            document["spec"]["template"]["spec"]["containers"][0]["args"] += ["--latency-s", str(LATENCY_S)]
        if document["kind"] == "CronJob":  # each start of a reaper costs some seconds of CPU; the test of it lets it go
            document["spec"]["suspend"] = True
        if document["kind"] == "WorkflowTemplate":  # three runs at a time must fit on a node of two cores
            for template in document["spec"]["templates"]:
                for container in [*template.get("initContainers", ()), *filter(None, [template.get("container")])]:
                    container["resources"]["requests"]["cpu"] = "50m"
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(documents))
    for name in ("writ-s3", "writ-model-scripted"):
        cluster.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=240s")
    return NAMESPACE


def place(document: dict[str, Any], namespace: str) -> None:
    """Puts an object of the dev overlay into another namespace."""
    if document["kind"] == "Namespace":
        document["metadata"]["name"] = namespace
    else:
        document["metadata"]["namespace"] = namespace
    for subject in document.get("subjects", ()):
        subject["namespace"] = namespace


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Beside each failure: what was in the namespace, its events, and the last words of its pods."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and "cluster" in fixtures:  # type: ignore[attr-defined]
        for namespace in {fixtures[name] for name in ("dev", "empty_namespace") if name in fixtures}:
            report.sections.append((f"namespace {namespace}", surroundings(fixtures["cluster"], namespace)))  # type: ignore[attr-defined]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Each failure is told at once: what is stopped for its time prints no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        told = "\n".join([f"FAILED {report.nodeid}", report.longreprtext, *(f"--- {name}\n{text}" for name, text in report.sections)])
        print(told, file=sys.__stderr__, flush=True)


def surroundings(cluster: Cluster, namespace: str) -> str:
    here = ("-n", namespace)
    seen = [
        cluster.kubectl("get", "workflows,pods,jobs", *here, "-o", "wide", check=False),
        "\n".join(cluster.kubectl("get", "events", *here, "--sort-by=.lastTimestamp", check=False).splitlines()[-40:]),
    ]
    names = cluster.kubectl("get", "pods", *here, "--field-selector=status.phase!=Succeeded", "-o", "name", check=False).split()
    seen += [f"{name}\n{cluster.kubectl('logs', *here, name, '--all-containers', '--tail=15', check=False)}" for name in names[-12:]]
    return "\n".join(seen)


Read = Callable[[str, str], str]
"""`read("keys", prefix)`, `read("text", key)`: what stands in the dev overlay's S3."""


@pytest.fixture(scope="module")
def endpoint(cluster: Cluster, dev: str) -> Iterator[str]:
    """The URL of the dev overlay's S3, beside the cluster's network."""
    command = [*cluster.enter, "kubectl", "-n", dev, "port-forward", "service/writ-s3", ":7070"]
    with subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout
        address = forward.stdout.readline().split()[2]  # Forwarding from 127.0.0.1:40123 -> 7070
        yield f"http://{address}"
        forward.terminate()


@pytest.fixture(scope="module")
def read(cluster: Cluster, endpoint: str) -> Iterator[Read]:
    command = [*cluster.enter, sys.executable, str(ROOT / "tests/e2e/read_store.py"), endpoint]
    with subprocess.Popen(command, env=cluster.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        asked, told = reader.stdin, reader.stdout
        assert asked
        assert told

        def read(what: str, name: str) -> str:
            print(json.dumps([what, name]), file=asked, flush=True)
            answer = json.loads(told.readline())
            if "error" in answer:
                pytest.fail(answer["error"])
            return str(answer["said"])

        yield read
        asked.close()


@pytest.fixture
def empty_namespace(cluster: Cluster) -> Iterator[str]:
    """A restricted namespace with the dev credentials and nothing else; removed at the end."""
    name = f"e2e-{uuid.uuid4().hex[:6]}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    secret = {"AWS_ACCESS_KEY_ID": "writ-dev", "AWS_SECRET_ACCESS_KEY": "writ-dev-secret"}
    documents = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "writ-credentials", "namespace": name}, "stringData": secret},
    ]
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")
