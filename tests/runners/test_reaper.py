"""What a Workflow left behind goes when the Workflow is over, and not before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from writ.runners.kubernetes_api import Made
from writ.runners.reaper import reap
from writ.storage import open_store
from writ.storage.lease import acquire_lease, read_lease

JOB = ("batch", "v1", "jobs")


class Namespace:
    """A namespace with Workflows and Jobs."""

    namespace = "mine"

    def __init__(self, workflows: Sequence[Mapping[str, Any]], made: Sequence[Made] = ()) -> None:
        self.workflows, self.made = list(workflows), list(made)

    def find(self, selector: str) -> Sequence[Mapping[str, Any]]:
        return self.workflows

    def made_outside(self) -> list[Made]:
        return list(self.made)

    def remove(self, made: Made) -> None:
        self.made.remove(made)


def workflow(uid: str, phase: str, store: str = "", over_s: float = 300) -> dict[str, Any]:
    finished = (datetime.now(UTC) - timedelta(seconds=over_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    parameters = [{"name": "store", "value": store}] if store else []
    return {
        "metadata": {"uid": uid},
        "spec": {"arguments": {"parameters": parameters}},
        "status": {"phase": phase, "finishedAt": None if phase == "Running" else finished},
    }


def reaped(api: Namespace, default: Path) -> int:
    return reap(api, str(default), open_store, lambda _: None, time.time())


def hold(folder: Path, name: str, holder: str) -> None:
    assert acquire_lease(open_store(str(folder)), name, holder, 600, time.time())


def held(folder: Path, name: str) -> bool:
    lease = read_lease(open_store(str(folder)), name)
    return lease is not None and lease.expires_s > time.time()


def test_lease_of_a_workflow_that_is_over_or_gone_is_freed_and_that_of_a_live_one_stays(tmp_path: Path) -> None:
    for name, uid in (("run-over", "u1"), ("run-gone", "u2"), ("run-live", "u3"), ("run-ending", "u4")):
        hold(tmp_path, name, f"mine/{uid}")
    api = Namespace([workflow("u1", "Failed"), workflow("u3", "Running"), workflow("u4", "Failed", over_s=5)])
    assert reaped(api, tmp_path) == 2
    assert [held(tmp_path, name) for name in ("run-over", "run-gone", "run-live", "run-ending")] == [False, False, True, True]


def test_lease_of_another_namespace_in_the_same_store_stays(tmp_path: Path) -> None:
    hold(tmp_path, "run-theirs", "yours/u1")
    assert reaped(Namespace([]), tmp_path) == 0
    assert held(tmp_path, "run-theirs")


def test_lease_in_a_store_that_only_a_workflow_names_is_found(tmp_path: Path) -> None:
    hold(tmp_path / "other", "run-over", "mine/u1")
    assert reaped(Namespace([workflow("u1", "Error", store=str(tmp_path / "other"))]), tmp_path / "default") == 1


def test_job_made_for_a_workflow_goes_with_it_and_not_before(tmp_path: Path) -> None:
    over, live = Made(JOB, "train-1", "u1"), Made(JOB, "train-2", "u2")
    api = Namespace([workflow("u1", "Failed"), workflow("u2", "Running")], [over, live])
    assert reaped(api, tmp_path) == 1
    assert api.made == [live]


def test_freed_lease_lets_the_next_workflow_in_at_once(tmp_path: Path) -> None:
    hold(tmp_path, "run-x", "mine/u1")
    reaped(Namespace([]), tmp_path)
    assert acquire_lease(open_store(str(tmp_path)), "run-x", "mine/u2", 600, time.time())


def test_store_that_cannot_be_read_does_not_keep_the_others_from_being_reaped(tmp_path: Path) -> None:
    (tmp_path / "broken/leases/run-x").mkdir(parents=True)
    (tmp_path / "broken/leases/run-x/00000001.json").write_text("no lease")
    hold(tmp_path / "good", "run-over", "mine/u1")
    assert reaped(Namespace([workflow("u1", "Error", store=str(tmp_path / "broken"))]), tmp_path / "good") == 1
