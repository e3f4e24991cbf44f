"""The launcher on a real cluster: what it creates, how it adopts, and what it brings home; and (`make e2e-full`) a run that trains and is scored."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from test_cluster_faults import begin, finished, until
from test_cluster_pipeline import pods_of

from conftest import ROOT, RUN, Cluster, Read

IMAGE = "ghcr.io/writ-project/writ-tasks:0.1.0"
"""An image of writ that holds no packages of training."""


class Launcher:
    """`writ pod launch` as its container runs it, with a store of its own on this machine."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path, **launch: str) -> None:
        self._cluster, self.namespace = cluster, namespace
        settings = {"image": IMAGE, "cpu": "50m", "memory": "256Mi", "gpu_resource": "", **launch}
        text = yaml.safe_dump({"seed": time.time_ns() % 10**9, "training": {"allow_scripted": True}, "launch": settings})
        self._words = ["-m", "writ", "pod", "launch", "--config-text", text, "--out", str(folder), "--outputs", str(folder / "out")]
        self._words += ["--owner", f"{namespace}/e2e-{time.time_ns()}"]

    def start(self, gpu_wait_s: float) -> subprocess.Popen[str]:
        words = [*self._cluster.enter, sys.executable, *self._words, "--gpu-wait-s", str(gpu_wait_s)]
        environment = {**self._cluster.environment, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)

    def run(self, gpu_wait_s: float) -> tuple[int, str]:
        running = self.start(gpu_wait_s)
        said, _ = running.communicate(timeout=600)
        return running.returncode, said

    def jobs(self) -> list[str]:
        found = json.loads(self._cluster.kubectl("get", "jobs", "-n", self.namespace, "-l", "writ/workflow-uid", "-o", "json"))
        return [item["metadata"]["name"] for item in found["items"]]


@pytest.fixture
def clean(cluster: Cluster, dev: str) -> Iterator[str]:
    """The namespace; the Jobs made in it are removed at the end."""
    yield dev
    cluster.kubectl("delete", "jobs", "-n", dev, "-l", "writ/workflow-uid", "--wait=false", check=False)


def test_a_failing_training_brings_its_last_lines_and_its_exit_code_home(cluster: Cluster, clean: str, tmp_path: Path) -> None:
    code, said = Launcher(cluster, clean, tmp_path).run(240)
    assert code == 2, said
    assert "created as jobs" in said
    assert "running" in said or "failed" in said
    assert "failed (exit code 2" in said
    assert "its last line" in said


def test_a_pod_that_never_gets_its_gpu_ends_the_launch_with_the_schedulers_words_and_leaves_nothing(
    cluster: Cluster, clean: str, tmp_path: Path
) -> None:
    launcher = Launcher(cluster, clean, tmp_path, gpu_resource="nvidia.com/gpu")
    code, said = launcher.run(20)
    assert code == 2, said
    assert "got no running pod within 20 s" in said
    assert "nvidia.com/gpu" in said
    assert launcher.jobs() == []


def test_a_launcher_that_was_killed_is_followed_by_one_that_adopts_its_training(cluster: Cluster, clean: str, tmp_path: Path) -> None:
    launcher = Launcher(cluster, clean, tmp_path, gpu_resource="nvidia.com/gpu")
    first = launcher.start(600)
    until = time.monotonic() + 120
    while not launcher.jobs():
        assert time.monotonic() < until
        time.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert len(launcher.jobs()) == 1
    _, said = launcher.run(5)
    assert "adopted, waiting" in said
    assert launcher.jobs() == []


def test_the_launcher_may_do_what_it_does_and_no_more(cluster: Cluster, dev: str) -> None:
    def may(verb: str, what: str) -> bool:
        return cluster.may(f"{dev}:writ-launcher", dev, verb, what)

    assert all(may(verb, "jobs.batch") for verb in ("get", "create", "delete"))
    assert may("get", "pods/log")
    assert not any(may(*each) for each in (("get", "secrets"), ("create", "pods"), ("delete", "pods"), ("create", "workflows.argoproj.io")))


# ---------------------------------------------------------------------------------------------------------------------------- the whole way


SMALL = {
    "domains": {"names": ["retail"], "users": 100},
    "tasks": {"mix": {"normal": 1.0}, "pair_share": 0.0, "max_burden": 1, "max_writes": 1},
    "simulation": {"max_steps": 60, "agent": {"max_tokens": 48, "temperature": 0}},
    "dataset": {"count": 12, "min_kept_share": 0.0},
    "training": {
        "model": "tiny",
        "template": "compact",
        "vocabulary_tokens": 640,
        "allow_scripted": True,
        "max_length_tokens": 4096,
        "max_steps": 4,
        "rows_per_step": 2,
        "warmup_steps": 1,
        "save_steps": 2,
    },
    "evaluation": {"trials": 1},
}
"""A model of 0.6 M parameters that sees a few rows: it learns nothing, but goes every step of the way."""
POD = {"cpu": "200m", "memory": "3Gi", "gpu_resource": "", "disk": "4Gi"}


@pytest.fixture(scope="module")
def train_image(cluster: Cluster) -> None:
    """On the node of our own cluster; another cluster is asked to pull it."""
    if cluster.enter:
        images = cluster.run("ctr", "-a", str(RUN / "containerd.sock"), "-n", "k8s.io", "images", "ls", "-q")
        if "writ-train:" not in images:
            pytest.skip("the image with torch is not on the node: tests/e2e/cluster/images.sh train; tests/e2e/cluster/extras.sh training")


@pytest.fixture
def kind(cluster: Cluster, dev: str, request: pytest.FixtureRequest) -> str:
    """What the launcher creates; with what the cluster must have for it."""
    name = str(request.param)
    needed = {"job": [], "jobset": ["jobsets.jobset.x-k8s.io"], "trainjob": ["jobsets.jobset.x-k8s.io", "trainjobs.trainer.kubeflow.org"]}[name]
    missing = [crd for crd in needed if "NotFound" in cluster.kubectl("get", "crd", crd, check=False)]
    if missing:
        pytest.skip(f"the cluster has no {', '.join(missing)}: tests/e2e/cluster/build.sh jobset trainer; tests/e2e/cluster/extras.sh training")
    if name == "trainjob":
        cluster.kubectl("apply", "-n", dev, "-k", "k8s/trainer")
    return name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["job", "jobset", "trainjob"], indirect=True)
def test_run_goes_from_a_database_to_the_score_of_the_model_that_it_trained(
    cluster: Cluster, dev: str, read: Read, tmp_path: Path, train_image: None, kind: str
) -> None:
    prefix = f"trained-{kind}-{int(time.time())}"
    config = {**SMALL, "launch": {**POD, "kind": kind}, "seed": int(time.time())}
    name = begin(cluster, dev, tmp_path, f"s3://writ/{prefix}", config, train="true", evaluate="true")
    workflow = until(cluster, dev, name, finished, 2400)
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"].get("message")
    for template in ("launch", "evaluate-tuned", "report"):
        assert [n["phase"] for n in pods_of(workflow, template)][-1:] == ["Succeeded"], template
    assert "manifest.json" in read("keys", f"{prefix}/train/")
    scores = json.loads(read("text", next(k for k in read("keys", f"{prefix}/scores/").split() if k.endswith("evaluation.json"))))
    assert [each["model"] for each in scores["models"]] == ["base", "tuned"]
    assert [{each["first"], each["second"]} for each in scores["comparisons"]] == [{"base", "tuned"}]
    plural = {"job": "jobs", "jobset": "jobsets", "trainjob": "trainjobs"}[kind]
    made = cluster.get(plural, "-n", dev)["items"]
    assert workflow["metadata"]["uid"] not in json.dumps([m["metadata"].get("labels", {}) for m in made]), "the exit handler removes what was made"
