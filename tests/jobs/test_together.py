"""Processes that train together: the one that fails first is named, with its exit code and what it said last."""

import sys

import pytest

pytest.importorskip("torch", reason="training packages are not installed (requirements/train-cpu.txt)")

from writ.errors import ArtifactError, ConfigError, OutOfMemory, Unavailable, WritError
from writ.jobs.together import together

pytestmark = pytest.mark.slow

SECOND = "import os, sys, time\nif os.environ['RANK'] == '0': time.sleep(60)\nprint('row r7 is too long', file=sys.stderr, flush=True)\n"
"""The first of two waits for the second, which fails."""


@pytest.mark.parametrize(
    ("end", "kind", "how"),
    [
        ("sys.exit(2)", ConfigError, "exit code 2"),
        ("sys.exit(3)", ArtifactError, "exit code 3"),
        ("sys.exit(75)", Unavailable, "exit code 75"),
        ("sys.exit(7)", WritError, "exit code 7"),
        ("os.kill(os.getpid(), 9)", OutOfMemory, "SIGKILL"),
    ],
)
def test_what_one_process_fails_of_the_caller_hears_with_its_last_line(tmp_path, end, kind, how):
    with pytest.raises(kind) as raised:
        together(2, [sys.executable, "-c", SECOND + end], tmp_path, tmp_path / "stop")
    assert type(raised.value) is kind
    assert "process 1 of the training " in str(raised.value)
    assert how in str(raised.value)
    assert "row r7 is too long" in str(raised.value)


def test_each_process_is_told_its_rank(tmp_path):
    each = "import os, pathlib, sys; pathlib.Path(sys.argv[1], os.environ['RANK']).touch()"
    (tmp_path / "said").mkdir()
    together(2, [sys.executable, "-c", each, str(tmp_path / "said")], tmp_path / "logs", tmp_path / "stop")
    assert sorted(path.name for path in (tmp_path / "said").iterdir()) == ["0", "1"]
