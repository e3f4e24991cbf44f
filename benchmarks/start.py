"""How long until something happens: `writ --help`, and the first request of a run.

    python benchmarks/start.py [--times 20] [--json FILE]

Help is timed as a whole process, over and over; the least tells what it takes, the median what this machine makes of it. Python may keep its
bytecode, as it does by default; the first start, which writes it, is not counted. For the first request,
two runs of 20 conversations are started against a model server that writes down when it was first asked for a conversation (the preflight's probes
do not count) and then is away: a run from nothing, which makes its database, tasks and instructions first, and the same run started again, whose
stages stand up to the simulation. Wall time, and CPU of the run's process by then.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import machine

from writ.llm.preflight import PREFLIGHT_USER
from writ.llm.server import Reply, chat_reply, error_reply, serve
from writ.schema import ToolCall

MODEL = "clock"
WRIT = [sys.executable, "-m", "writ"]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def help_ms(times: int) -> dict[str, float]:
    """Wall and CPU milliseconds of `writ --help`, and of an interpreter that does nothing."""
    walls, cpus, bare = [], [], []
    timed([*WRIT, "--help"], [])
    for _ in range(times):
        walls.append(timed([*WRIT, "--help"], cpus))
        bare.append(timed([sys.executable, "-c", "pass"], []))
    return {
        "help, least": min(walls),
        "help, median": statistics.median(walls),
        "help, least CPU": min(cpus),
        "interpreter alone, least": min(bare),
    }


def timed(command: list[str], cpus: list[float]) -> float:
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, os.times()
    cpus.append(1e3 * (after.children_user - before.children_user + after.children_system - before.children_system))
    return 1e3 * wall


class Clock:
    """A model that passes the preflight, notes when the first conversation begins, and refuses it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.asked_s = 0.0

    async def __call__(self, body: dict[str, Any]) -> Reply:
        if body.get("user") == PREFLIGHT_USER:
            calls = [ToolCall(id="c", name=tool["function"]["name"], arguments="{}") for tool in body.get("tools", ())[:1]]
            return chat_reply(None if calls else "Yes.", calls, model=MODEL, prompt_tokens=1, completion_tokens=1)
        self.asked_s = self.asked_s or time.perf_counter()
        self.asked.set()
        return error_reply(503, "that is all that was to be known")


async def first_request_ms(folder: str) -> tuple[float, float]:
    """From the start of the process to its first request of a conversation: wall, and its CPU by then."""
    clock = Clock()
    async with serve(clock, models=[MODEL]) as server:
        endpoints = [
            part
            for role in ("agent", "user")
            for part in ("--set", f"simulation.{role}.base_url={server.base_url}", "--set", f"simulation.{role}.model={MODEL}")
        ]
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *WRIT, "run", "--out", folder, "--set", "dataset.count=20", *endpoints, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await asyncio.wait_for(clock.asked.wait(), 300)
        cpu_ms = cpu_so_far_ms(process.pid)
        process.send_signal(signal.SIGTERM)
        await process.wait()
    return 1e3 * (clock.asked_s - began), cpu_ms


def cpu_so_far_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(machine())
    figures = help_ms(options.times)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(first_request_ms(f"{folder}/uncounted"))
        for name in ("first request, from nothing", "first request, started again"):
            figures[name], figures[f"{name}, CPU"] = asyncio.run(first_request_ms(folder))
    for name, value in figures.items():
        print(f"{name:36} {value:8.0f} ms")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "ms": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
