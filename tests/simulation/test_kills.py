"""A worker that is killed at any moment loses nothing that it reported, and makes nothing twice."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("kill_worker.py")


@dataclass
class Life:
    """What one start of the worker printed, by its first word, and how it ended."""

    code: int
    lines: dict[str, list[str]] = field(default_factory=dict)
    seconds_to_exit: float = 0.0


def live(folder: Path, *, kill_after: int | None = None, with_signal: signal.Signals = signal.SIGKILL) -> Life:
    """Starts the worker; sends the signal once it has reported that many finished conversations."""
    lines: dict[str, list[str]] = {}
    killed_at = 0.0
    with subprocess.Popen([sys.executable, str(WORKER), str(folder)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.endswith("\n"):
                kind, _, rest = line.rstrip("\n").partition(" ")
                lines.setdefault(kind, []).append(rest)
            if not killed_at and kill_after is not None and len(lines.get("finished", [])) >= kill_after:
                worker.send_signal(with_signal)
                killed_at = time.monotonic()
    return Life(worker.returncode, lines, time.monotonic() - killed_at)


@pytest.mark.slow
def test_a_worker_killed_twice_finishes_with_what_an_unkilled_one_makes(tmp_path: Path):
    unkilled = live(tmp_path / "unkilled")
    assert len(unkilled.lines["finished"]) == 75
    draw, finished = random.Random(2), list[str]()
    for _ in range(2):
        life = live(tmp_path / "killed", kill_after=draw.randint(1, 16))
        assert life.code == -signal.SIGKILL
        finished += life.lines["finished"]
        assert len(set(finished)) == len(finished)
    last = live(tmp_path / "killed")
    assert last.code == 0
    assert set(finished) <= set(last.lines["resumed"])
    assert len(last.lines["resumed"]) + len(last.lines["finished"]) == 75
    everything = finished + last.lines["finished"]
    assert len(set(everything)) == len(everything)
    assert last.lines["done"] == unkilled.lines["done"]


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_flushes_and_leaves_within_ten_seconds(tmp_path: Path):
    life = live(tmp_path, kill_after=10, with_signal=signal.SIGTERM)
    assert life.code == 75
    assert life.seconds_to_exit < 10
    assert "start the same command again" in life.lines["stopped"][0]
    again = live(tmp_path)
    assert again.code == 0
    assert set(life.lines["finished"]) <= set(again.lines["resumed"])
