"""A trained model put behind a URL for the length of a block: the little server of ours, as a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from writ.jobs.local import serving

READY_WITHIN_S = 300.0
"""Importing torch takes its time on a machine that has other work."""


@contextmanager
def served_weights(folder: Path, name: str, threads: int = 2) -> Iterator[str]:
    """The base URL. Raises: Unavailable with the server's last lines where it does not start."""
    command = [sys.executable, "-m", "writ", "model", "serve", "--weights", str(folder), "--name", name]
    with serving([*command, "--threads", str(threads), "--port", "0", "--with-input"], ready_within_s=READY_WITHIN_S) as url:
        yield url
