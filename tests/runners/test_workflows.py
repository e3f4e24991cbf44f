"""What a submit does, given what is there already; and how an API server's answers become words."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from writ.commands.configuration import validated
from writ.errors import ConfigError, Unavailable
from writ.pipeline import plan
from writ.runners.argo_server import ArgoServer
from writ.runners.cluster import Cluster, open_cluster
from writ.runners.kubernetes_api import KubernetesApi
from writ.runners.workflows import config_text, failure, news, next_attempt, read_workflow, workflow
from writ.settings import ClusterConfig, RunConfig


def settings(**tree: object) -> RunConfig:
    return validated(tree, "a test")


def test_config_text_of_a_laptop_gives_the_pods_the_same_run_without_store_and_credentials_path() -> None:
    config = settings(dataset={"count": 40}, out="s3://b/p", s3={"endpoint_url": "http://127.0.0.1:1"}, seed=3, simulation={"concurrency": 2})
    text = config_text(config)
    assert yaml.safe_load(text) == {"dataset": {"count": 40}, "seed": 3, "simulation": {"concurrency": 2}}
    assert plan(settings(**yaml.safe_load(text))).run_id == plan(config).run_id


def test_config_text_of_defaults_is_empty() -> None:
    assert yaml.safe_load(config_text(settings())) == {}


@pytest.mark.parametrize("domains", [{"data": "somewhere"}, {"names": ["library"], "code": {"library": "examples/library"}}])
def test_config_text_with_folders_of_this_machine_is_refused(domains: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="folder of this machine"):
        config_text(settings(domains=domains))


def test_config_text_with_a_domain_artifact_leaves_the_folder_out() -> None:
    assert yaml.safe_load(config_text(settings(domains={"data": "somewhere", "artifact": "7c45b97e7b633f2a"}))) == {
        "domains": {"artifact": "7c45b97e7b633f2a"}
    }


def test_workflow_of_a_run_is_named_and_labelled_after_it() -> None:
    made = workflow("abc", 2, {"config": "{}", "shards": "4"})
    assert made["metadata"] == {"name": "writ-abc-2", "labels": {"writ/run-id": "abc", "app.kubernetes.io/part-of": "writ"}}
    assert {"name": "run-id", "value": "abc"} in made["spec"]["arguments"]["parameters"]


def pod(name: str, phase: str, **more: object) -> dict[str, object]:
    return {"id": name, "type": "Pod", "displayName": f"{name}(0)", "phase": phase, "startedAt": f"2026-01-01T00:00:0{len(name) % 10}Z", **more}


def shown(name: str, phase: str, *pods: dict[str, object]) -> dict[str, object]:
    return {
        "metadata": {"name": name, "labels": {"writ/run-id": "abc"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"phase": phase, "nodes": {str(p["id"]): p for p in pods}},
    }


def test_next_attempt_follows_the_highest_and_skips_names_of_others() -> None:
    found = [read_workflow(shown(name, "Failed")) for name in ("writ-abc-9", "writ-abc-10", "writ-pipeline-x7k2p")]
    assert next_attempt(found) == 11
    assert next_attempt([]) == 1


def test_news_tell_each_change_once() -> None:
    before = read_workflow(shown("w", "Running", pod("plan", "Running")))
    after = read_workflow(shown("w", "Running", pod("plan", "Succeeded"), pod("simulate", "Running", progress="3/40")))
    assert [line.split() for line in news(before, after)] == [["plan", "succeeded"], ["simulate", "running", "3/40"]]
    assert news(after, after) == []


def test_failure_is_the_last_step_that_failed_with_its_exit_code() -> None:
    first, second = pod("plan", "Succeeded"), pod("simulate", "Failed", message="exit code 2", outputs={"exitCode": "2"})
    failed = failure(read_workflow(shown("w", "Failed", first, second)))
    assert failed
    assert (failed.name, failed.exit_code) == ("simulate", 2)


def test_steps_of_a_large_workflow_are_read_though_argo_packs_them() -> None:
    plain = shown("w", "Running", *(pod(f"simulate-{shard}", "Running", progress="1/2") for shard in range(256)))
    nodes = plain["status"].pop("nodes")  # type: ignore[attr-defined]
    packed = {**plain["status"], "compressedNodes": base64.b64encode(gzip.compress(json.dumps(nodes).encode())).decode()}  # type: ignore[dict-item]
    assert read_workflow({**plain, "status": packed}) == read_workflow({**plain, "status": {**packed, "compressedNodes": "", "nodes": nodes}})
    assert len(read_workflow({**plain, "status": packed}).steps) == 256


class Api(BaseHTTPRequestHandler):
    """Knows Workflows of namespace `mine`, and refuses names that are taken: as an API server under /apis, as an Argo Server under /api."""

    workflows: dict[str, dict[str, object]]
    logs: dict[str, str]
    """Pod -> what it said."""
    status = 200
    url: str
    kubeconfig: str
    asked: list[str]
    templates: set[str]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.asked.append(self.headers.get("Authorization", ""))
        if path.endswith("/pods"):
            pods = [{"metadata": {"name": name}, "status": {"phase": "Succeeded"}} for name in self.logs]
            self._answer(200, {"items": pods})
        elif path.startswith("/api/v1/namespaces/mine/pods/"):
            self._send(200, self.logs[path.split("/")[6]].encode())
        elif path.startswith("/api/v1/workflows") and path.endswith("/log"):
            lines = [{"result": {"podName": pod, "content": line}} for pod, said in self.logs.items() for line in said.splitlines()]
            self._send(200, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        elif path.rpartition("/")[2] in ("workflows", "mine"):
            self._answer(self.status, {"items": list(self.workflows.values())})
        else:
            self._answer(self.status, self.workflows[path.rpartition("/")[2]])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = body.get("workflow", body)
        name = body["metadata"]["name"]
        if self.path.endswith("/lint"):
            # As the real one does, in the namespace that the object names.
            known = body["metadata"].get("namespace") == "mine" and body["spec"]["workflowTemplateRef"]["name"] in self.templates
            self._answer(200 if known else 404, body if known else {"message": "workflowtemplates.argoproj.io not found"})
        elif name in self.workflows:
            self._answer(409, {"reason": "AlreadyExists"})
        else:
            body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
            self.workflows[name] = body
            self._answer(201, body)

    def do_PATCH(self) -> None:
        self.workflows[self.path.rpartition("/")[2]]["stopped"] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["spec"]["shutdown"]
        self._answer(200, {})

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        *_, name, verb = self.path.split("/")
        self.workflows[name]["stopped"] = verb.title()
        self._answer(200, {})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path) -> Iterator[type[Api]]:
    handler = type("Handler", (Api,), {"workflows": {}, "logs": {}, "asked": [], "templates": {"writ-pipeline"}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "kubeconfig"
    handler.url = f"http://127.0.0.1:{server.server_port}"
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": handler.url}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "mine"}}],
    }
    file.write_text(yaml.safe_dump(tree))
    handler.kubeconfig = str(file)
    yield handler
    server.shutdown()


@pytest.fixture(params=["kubernetes", "argo server"])
def cluster(api: type[Api], request: pytest.FixtureRequest) -> Cluster:
    """The same runs, over either adapter."""
    if request.param == "kubernetes":
        return Cluster(KubernetesApi(kubeconfig=api.kubeconfig))
    return Cluster(ArgoServer(api.url, SecretStr("sesame"), "mine"))


def test_start_of_a_run_that_is_at_work_joins_it_and_of_one_that_failed_is_a_new_attempt(api: type[Api], cluster: Cluster) -> None:
    assert cluster.namespace == "mine"
    first, made = cluster.start("abc", {"config": "{}"})
    assert (first.name, made) == ("writ-abc-1", True)
    assert cluster.start("abc", {"config": "{}"}) == (first, False)
    api.workflows["writ-abc-1"]["status"] = {"phase": "Failed"}
    assert cluster.start("abc", {"config": "{}"})[0].name == "writ-abc-2"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"clusters: [", b"hello", None], ids=["not UTF-8", "torn", "no mapping", "a folder"])
def test_a_kubeconfig_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "kubeconfig"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"the kubeconfig {file} cannot be read .*; mend it, or set KUBECONFIG"):
        KubernetesApi(kubeconfig=str(file))


def test_stop_of_a_run_lets_it_save_its_work(api: type[Api], cluster: Cluster) -> None:
    name = cluster.start("abc", {"config": "{}"})[0].name
    cluster.stop(name)
    assert api.workflows[name]["stopped"] == "Stop"


def test_logs_name_the_step_of_each_line_and_the_place_of_a_log_whose_pod_is_gone(api: type[Api], cluster: Cluster) -> None:
    archived = {"exitCode": "0", "artifacts": [{"name": "main-logs", "s3": {"key": "argo/w/plan/main.log"}}]}
    api.workflows["w"] = shown("w", "Running", pod("plan", "Succeeded", id="w-11", outputs=archived), pod("simulate", "Running", id="w-22"))
    api.logs["w-simulate-22"] = "begun\ngoing on\n"
    said = [(step.name, line) for step, line in cluster.logs("w")]
    assert said[:2] == [("simulate", "begun"), ("simulate", "going on")]
    assert said[2][0] == "plan"
    assert "argo/w/plan/main.log" in said[2][1]


@pytest.mark.parametrize(("status", "error", "word"), [(401, ConfigError, "log in"), (403, ConfigError, "rights"), (503, Unavailable, "later")])
def test_refusal_says_what_to_do(api: type[Api], cluster: Cluster, status: int, error: type[Exception], word: str) -> None:
    api.status = status
    with pytest.raises(error, match=word):
        cluster.all()


def test_argo_server_gets_the_token_and_is_asked_to_lint_before_it_starts_anything(api: type[Api]) -> None:
    cluster = Cluster(ArgoServer(api.url, SecretStr("Bearer sesame"), "mine"))
    cluster.all()
    assert api.asked == ["Bearer sesame"]
    api.templates.clear()
    with pytest.raises(ConfigError, match="workflowtemplates"):
        cluster.start("abc", {"config": "{}"})
    assert api.workflows == {}


@pytest.mark.parametrize(
    ("settings", "token", "word"),
    [({"server": "http://argo"}, "t", "namespace"), ({"server": "http://argo", "namespace": "mine"}, None, "ARGO_TOKEN")],
)
def test_argo_server_without_a_namespace_or_a_token_is_refused(settings: dict[str, str], token: str | None, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        open_cluster(ClusterConfig(**settings), SecretStr(token) if token else None)


def test_argo_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Cluster(ArgoServer("http://127.0.0.1:9", SecretStr("t"), "mine")).all()
