"""The machine that a figure was measured on, in one line; and what makes a process that measures like one of `writ`."""

import gc
import os
import platform
from pathlib import Path

from writ.cli import COLLECT


def machine() -> str:
    """Processor, cores, Python and load: figures of a busy machine are figures of a busy machine."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def like_a_run() -> None:
    """Looks for garbage as seldom as the command line does."""
    gc.set_threshold(*COLLECT)
