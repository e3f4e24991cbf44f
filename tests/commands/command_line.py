"""The command line in this process."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from writ.cli import main

ROOT = Path(__file__).parents[2]
DESK = f"{{library: {ROOT}/examples/library}}"
LIBRARY = ("--set", "domains.names=[library]", "--set", f"domains.code={DESK}", "--set", "domains.users=40", "--set", "dataset.count=4")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class _Text(io.TextIOWrapper):
    """Standard output as a process has it: with bytes beneath."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self):
        return self.buffer.getvalue().decode()


def writ(*arguments, stdin=b""):
    """A verb in this process, to its exit code. An exception that no person should see passes through."""
    out, err, before = _Text(), _Text(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    return Said(int(left.value.code or 0), out.text, err.text)
