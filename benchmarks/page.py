"""How quick the report is with many conversations, in headless Chromium.

    python benchmarks/page.py STORE/RUN [--conversations 10000] [--json FILE]

The run's conversations are written into one page over and over, under other ids, until there are as many as asked for. They are as long as the run's
own, and compress as others would: a copy never stands in the block of its model unless the run holds fewer than 200. Times are wall seconds in a
browser that was started before, and CPU seconds of the page's process: `shown` until the first view can be read and used, `loaded` until every block
has been parsed.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from machine import machine

from writ.commands.stored import Stored, find_run
from writ.report.stage import write_report
from writ.settings import RunConfig

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SEARCHED = "words => location.hash.includes(words) && !document.getElementById('list-count').textContent.includes('searching')"


def copies(stored: Stored, number: int) -> dict[str, list[Any]]:
    """The run's records, repeated under other ids."""
    tasks = {task.id: task for task in stored.records("tasks")}
    instructions = {instruction.id: instruction for instruction in stored.records("instructions")}
    rows = {row.id: row for row in stored.records("dataset")}
    judged = list(zip(stored.records("simulate"), stored.records("verify"), strict=True))
    made: dict[str, list[Any]] = {name: [] for name in ("tasks", "instructions", "trajectories", "verdicts", "rows")}
    for copy, (trajectory, verdict) in enumerate(islice(cycle(judged), number)):
        of = {"id": f"{trajectory.id}-{copy}", "task_id": f"{trajectory.task_id}-{copy}", "instruction_id": f"{trajectory.instruction_id}-{copy}"}
        made["tasks"].append(tasks[trajectory.task_id].model_copy(update={"id": of["task_id"]}))
        told = {"id": of["instruction_id"], "task_id": of["task_id"]}
        made["instructions"].append(instructions[trajectory.instruction_id].model_copy(update=told))
        made["trajectories"].append(trajectory.model_copy(update=of))
        made["verdicts"].append(verdict.model_copy(update={"trajectory_id": of["id"], "task_id": of["task_id"]}))
        if trajectory.id in rows:
            made["rows"].append(rows[trajectory.id].model_copy(update={"id": of["id"]}))
    return made


def write(stored: Stored, number: int, file: Path) -> dict[str, float]:
    """The page, and what it cost to make."""
    made = copies(stored, number)
    began = time.process_time()
    for _ in write_report(RunConfig(), domain=stored.records("domain"), **made, emit=lambda _, page: file.write_bytes(page) and None):
        pass
    return {"made, CPU s": time.process_time() - began, "MiB": file.stat().st_size / 2**20}


def opened(file: Path) -> Iterator[tuple[str, float]]:
    """Wall seconds of what a reader does, and CPU seconds of the page's process until then."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS)
        for view, ready in (("overview", ".hero"), ("find?", "#rows li")):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            watch = Watch(page)
            page.goto(f"{file.as_uri()}#{view}", wait_until="commit")
            page.wait_for_selector(ready)
            yield from watch.read(f"{view.rstrip('?')}, shown")
            page.wait_for_load_state("load")
            yield from watch.read(f"{view.rstrip('?')}, loaded")
        for words in ("zeppelin", "refund", "WRF711"):
            watch = Watch(page)
            page.fill("#search", words)
            page.wait_for_function(SEARCHED, arg=words)
            yield from watch.read(f"all searched for {words}")
        watch = Watch(page)
        page.click("#rows a >> nth=0")
        page.wait_for_selector(".chat")
        yield from watch.read("a conversation opened")
        browser.close()


class Watch:
    """Wall and CPU of a page's process since it was made."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._began, self._spent = time.perf_counter(), self._cpu_s()

    def _cpu_s(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime"))

    def read(self, name: str) -> Iterator[tuple[str, float]]:
        yield f"{name}, wall s", time.perf_counter() - self._began
        yield f"{name}, CPU s", self._cpu_s() - self._spent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", help="STORE/ID of a finished run")
    arguments.add_argument("--conversations", type=int, default=10_000)
    arguments.add_argument("--json", type=Path)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        figures = write(find_run(chosen.run, None, None), chosen.conversations, file) | dict(opened(file))
    found = {"machine": machine(), "conversations": chosen.conversations} | {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
