"""A server as a subprocess of this one: started, awaited by the line it prints, stopped in any case."""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from writ.errors import ArtifactError, ConfigError, OutOfMemory, Unavailable, WritError


@contextmanager
def serving(command: Sequence[str], *, ready_within_s: float = 600.0, leave_s: float = 5.0) -> Iterator[str]:
    """Runs a server that prints its URL as its first line, and yields that URL; ends it when the block is left, and kills it `leave_s` later.

    Its standard input is a pipe that ends with this process, however that ends: a server that heeds it outlives nobody.

    Raises: Unavailable with the last lines of its standard error, where it ends or stays silent before that. A block that finds it away
    (Unavailable) ends with why it is: OutOfMemory where it was killed.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        try:
            yield _first_line(process, errors, ready_within_s, command)
        except Unavailable as e:
            if process.poll() == -signal.SIGKILL:
                raise OutOfMemory(f"'{' '.join(command[:5])} …' was killed, most likely for want of memory; give this process more") from e
            raise
        finally:
            _stop(process, leave_s)


def _first_line(process: "subprocess.Popen[bytes]", errors: IO[str], ready_within_s: float, command: Sequence[str]) -> str:
    """Reads without waiting longer than allowed for one whole line."""
    if process.stdout is None:
        raise Unavailable(f"'{command[0]}' has no standard output to read its URL from; start it by hand to see why")
    line, until = b"", time.monotonic() + ready_within_s
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise Unavailable(f"'{' '.join(command[:5])} …' printed no URL within {ready_within_s:g} s; {_tail(errors)}")
            byte = os.read(process.stdout.fileno(), 1)
            if not byte:
                raise _ended(process, errors, command)
            line += byte
    return line.decode().strip()


def _ended(process: "subprocess.Popen[bytes]", errors: IO[str], command: Sequence[str]) -> WritError:
    """The child's own kind of error: what it was told wrong stays a configuration error here."""
    code = process.wait(timeout=10)
    kind = next((kind for kind in (ConfigError, ArtifactError) if kind.exit_code == code), Unavailable)
    return kind(f"'{' '.join(command[:5])} …' ended before it served; {_tail(errors)}")


def _tail(errors: IO[str]) -> str:
    errors.seek(0)
    lines = errors.read().strip().splitlines()
    return f"its last words: {lines[-1]}" if lines else "it said nothing on standard error"


def _stop(process: "subprocess.Popen[bytes]", leave_s: float) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=leave_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
