"""What a submit does, given what is there already; and how an API server's answers become words."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from writ.commands.configuration import validated
from writ.errors import ConfigError, Unavailable
from writ.pipeline import plan
from writ.runners.cluster import Cluster
from writ.runners.workflows import config_text, failure, news, next_attempt, read_workflow, workflow
from writ.settings import RunConfig


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


class Api(BaseHTTPRequestHandler):
    """An API server that knows Workflows, and refuses names that are taken."""

    workflows: dict[str, dict[str, object]]
    status = 200
    kubeconfig: str

    def do_GET(self) -> None:
        self._answer(self.status, {"items": list(self.workflows.values())} if self.path.split("?")[0].endswith("workflows") else self._one())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        if name in self.workflows:
            self._answer(409, {"reason": "AlreadyExists"})
            return
        body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        self.workflows[name] = body
        self._answer(201, body)

    def _one(self) -> dict[str, object]:
        return self.workflows[self.path.rpartition("/")[2].split("?")[0]]

    def _answer(self, status: int, body: dict[str, object]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path) -> Iterator[type[Api]]:
    handler = type("Handler", (Api,), {"workflows": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "kubeconfig"
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "mine"}}],
    }
    file.write_text(yaml.safe_dump(tree))
    handler.kubeconfig = str(file)
    yield handler
    server.shutdown()


def test_start_of_a_run_that_is_at_work_joins_it_and_of_one_that_failed_is_a_new_attempt(api: type[Api]) -> None:
    cluster = Cluster(kubeconfig=api.kubeconfig)
    assert cluster.namespace == "mine"
    first, made = cluster.start("abc", {"config": "{}"})
    assert (first.name, made) == ("writ-abc-1", True)
    assert cluster.start("abc", {"config": "{}"}) == (first, False)
    api.workflows["writ-abc-1"]["status"] = {"phase": "Failed"}
    assert cluster.start("abc", {"config": "{}"})[0].name == "writ-abc-2"


@pytest.mark.parametrize(("status", "error", "word"), [(401, ConfigError, "log in"), (403, ConfigError, "rights"), (503, Unavailable, "later")])
def test_refusal_of_the_api_server_says_what_to_do(api: type[Api], status: int, error: type[Exception], word: str) -> None:
    api.status = status
    with pytest.raises(error, match=word):
        Cluster(kubeconfig=api.kubeconfig).all()
