"""`writ submit`, `runs`, `watch` and `cancel` from outside the cluster, with a kubeconfig."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import yaml

from conftest import CODE, NAMESPACE, Cluster


class Laptop:
    """The client, with its settings, over a port-forward."""

    def __init__(self, cluster: Cluster, folder: Path, endpoint: str, store: str) -> None:
        self._cluster, self._store, self._file = cluster, store, folder / "run.yaml"
        tree = {"s3": {"endpoint_url": endpoint, "addressing_style": "path"}, "dataset": {"count": 12, "min_kept_share": 0.0}}
        self._file.write_text(yaml.safe_dump({**tree, "domains": {"users": 100}, "seed": int(time.time())}))  # a run of its own

    def writ(self, *words: str) -> str:
        secret = ("AWS_ACCESS_KEY_ID=writ-dev", "AWS_SECRET_ACCESS_KEY=writ-dev-secret", f"PYTHONPATH={CODE}")
        return self._cluster.run("env", *secret, sys.executable, "-m", "writ", *words, "--namespace", NAMESPACE, timeout_s=900)

    def submit(self, *words: str) -> str:
        return self.writ("submit", "--config", str(self._file), "--out", self._store, "--shards", "2", *words)


@pytest.fixture
def laptop_(cluster: Cluster, dev: str, endpoint: str, tmp_path: Path) -> Laptop:
    return Laptop(cluster, tmp_path, endpoint, f"s3://writ/client-{int(time.time())}")


def test_run_submitted_twice_is_one_workflow_and_once_done_none(cluster: Cluster, laptop_: Laptop) -> None:
    first = laptop_.submit("--no-wait").splitlines()
    run_id, name = first[0].split()[1], first[-1].split()[2]
    assert all(line.endswith("  make") for line in first[1:8])
    assert laptop_.submit().splitlines()[8] == f"at work already: Workflow {name} in namespace {NAMESPACE}"
    last = laptop_.submit().splitlines()
    assert last[-1] == "every artifact stands: there is nothing to submit"
    assert all("reuse" in line for line in last[1:8])
    assert [w["metadata"]["name"] for w in cluster.get("workflows", "-n", NAMESPACE, "-l", f"writ/run-id={run_id}")["items"]] == [name]
    assert f"{run_id}  succeeded" in laptop_.writ("runs")
    cluster.kubectl("delete", "workflow", "-n", NAMESPACE, name)


def test_run_that_is_cancelled_ends_and_the_next_submit_is_a_new_attempt(cluster: Cluster, laptop_: Laptop) -> None:
    first = laptop_.submit("--no-wait").splitlines()
    run_id = first[0].split()[1]
    assert laptop_.writ("cancel", run_id[:8]) == f"stopping Workflow writ-{run_id}-1\n"
    cluster.run("argo", "wait", "-n", NAMESPACE, f"writ-{run_id}-1", check=False)
    assert f"submitted: Workflow writ-{run_id}-2 in namespace {NAMESPACE}" in laptop_.submit()
