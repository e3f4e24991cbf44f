"""The launcher on a real cluster: what it creates, how it adopts, and what it brings home. No model is trained here: see docs/cluster.md."""

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

from conftest import ROOT, Cluster

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
    """The namespace, in which nobody reaps meanwhile: the launchers here belong to no Workflow that is alive."""

    def reaper(suspended: str) -> None:
        cluster.kubectl("patch", "cronjob", "writ-reaper", "-n", dev, "--type=merge", "-p", f'{{"spec": {{"suspend": {suspended}}}}}')

    reaper("true")
    yield dev
    cluster.kubectl("delete", "jobs", "-n", dev, "-l", "writ/workflow-uid", "--wait=false", check=False)
    reaper("false")


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
