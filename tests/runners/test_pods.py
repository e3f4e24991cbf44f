"""What the first and the last container of a Workflow do: the run's lease, and what Argo is told."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from writ.errors import Unavailable
from writ.pipeline import plan
from writ.runners.execute import Progress
from writ.runners.pods import Pod, open_run, progress_file, release_run
from writ.settings import RunConfig
from writ.storage import open_store


def pod(folder: Path, owner: str) -> Pod:
    config = RunConfig()
    return Pod(config, plan(config), open_store(str(folder / "store")), folder / owner, owner)


def say(_: str) -> None: ...


def test_opened_run_tells_argo_its_id_and_its_shards(tmp_path: Path) -> None:
    first = pod(tmp_path, "first")
    open_run(first, 3, say, wait_s=0)
    assert (first.outputs / "run-id").read_text() == first.plan.run_id
    assert json.loads((first.outputs / "shards.json").read_text()) == [0, 1, 2]
    assert json.loads((first.outputs / "plan.json").read_text())["reused"] == []


def test_run_held_by_another_workflow_is_not_begun_twice(tmp_path: Path) -> None:
    open_run(pod(tmp_path, "first"), 1, say, wait_s=0)
    with pytest.raises(Unavailable, match="another Workflow still holds its lease"):
        open_run(pod(tmp_path, "second"), 1, say, wait_s=0, poll_s=0)


def test_pod_that_is_tried_again_keeps_its_workflows_lease(tmp_path: Path) -> None:
    open_run(pod(tmp_path, "first"), 1, say, wait_s=0)
    open_run(pod(tmp_path, "first"), 1, say, wait_s=0)


def test_waiting_workflow_goes_on_when_the_other_releases_the_run(tmp_path: Path) -> None:
    first, told = pod(tmp_path, "first"), threading.Event()
    open_run(first, 1, say, wait_s=0)
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        if "waiting" in line:
            told.set()

    second = threading.Thread(target=open_run, args=(pod(tmp_path, "second"), 1, hear), kwargs={"wait_s": 30, "poll_s": 0.01})
    second.start()
    assert told.wait(20)
    release_run(first, say)
    second.join(20)
    assert not second.is_alive()
    assert (tmp_path / "second/run-id").is_file()


def test_release_by_a_workflow_that_does_not_hold_the_run_changes_nothing(tmp_path: Path) -> None:
    open_run(pod(tmp_path, "first"), 1, say, wait_s=0)
    release_run(pod(tmp_path, "second"), say)
    with pytest.raises(Unavailable):
        open_run(pod(tmp_path, "third"), 1, say, wait_s=0, poll_s=0)


def test_progress_file_never_says_more_than_all_and_says_all_at_the_end(tmp_path: Path) -> None:
    passed: list[Progress] = []
    listen = progress_file(tmp_path / "progress", 10, passed.append)
    lines = []
    for step in (Progress("simulate", 4), Progress("simulate", 14), Progress("simulate", 9, finished=True)):
        listen(step)
        lines.append((tmp_path / "progress").read_text())
    assert lines == ["4/10\n", "10/10\n", "10/10\n"]
    assert len(passed) == 3
