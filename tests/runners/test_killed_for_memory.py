"""The kernel kills the largest process of a pod, which need not be the first: what is left of it must say so, that the next attempt gets more."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from writ.errors import OutOfMemory, Unavailable
from writ.jobs.local import serving
from writ.tasks.parallel import in_parallel

SERVER = "import os; print(os.getpid(), flush=True); input()"


def test_server_killed_at_work_is_told_as_want_of_memory() -> None:
    def work() -> None:
        with serving([sys.executable, "-c", SERVER]) as pid:
            os.kill(int(pid), signal.SIGKILL)
            os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)
            raise Unavailable("it has been away for a minute")

    with pytest.raises(OutOfMemory, match="was killed") as told:
        work()
    assert told.value.exit_code == 137


def test_server_that_is_only_slow_is_told_as_away() -> None:
    with pytest.raises(Unavailable, match="for a minute"), serving([sys.executable, "-c", SERVER]):
        raise Unavailable("it has been away for a minute")


def killed(item: int) -> int:
    if item == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_worker_killed_at_work_is_told_as_want_of_memory() -> None:
    with pytest.raises(OutOfMemory, match=r"tasks\.workers=1"):
        list(in_parallel(killed, range(8), workers=2))
