"""Do the stages grow in a straight line, and does their memory stay flat? CPU and peak memory of each over ever more conversations.

    python benchmarks/growth.py [--conversations 4000] [--played 2000] [--tasks 1000] [--json FILE]

Sizes begin at 1,000 and grow to `--conversations` (100,000 in the published table). Each stage runs in a process of its own, through the real
runner, from a store in a temporary folder into it: reading, parsing, writing and compressing are part of its figures. The population is made of
300 played conversations (`population.py`); `simulate` plays each copy again, up to `--played`, with the scripted model in its own process's
place, and judges it at once. `tasks` are synthesized over generated databases with a user for every two of them.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import population
from machine import like_a_run, machine

from writ.artifacts import ArtifactWriter, Journal
from writ.domains.sources import snapshots
from writ.pipeline import BY_NAME, Plan, Ports, simulate_and_verify
from writ.runners.execute import execute
from writ.schema import Instruction, Task, Trajectory
from writ.settings import DomainsConfig, RunConfig, SimulationConfig, TasksConfig, VerificationConfig
from writ.storage import Store, open_store
from writ.tasks.stage import synthesize

BASE = "base"
ORIGINALS = 300


@dataclass(frozen=True, slots=True)
class Row:
    stage: str
    conversations: int
    records: int
    """What it made."""
    cpu_s: float
    per_second: float
    """Conversations (tasks) per second of CPU."""
    early_mb: float
    """Peak memory when a quarter was done; 0 where the stage tells of no progress."""
    peak_mb: float


# ------------------------------------------------------------------------------------------------------------ one stage, one size


class Watch:
    """CPU and memory of this process since it was made."""

    def __init__(self, conversations: int) -> None:
        self._conversations = conversations
        self._began = time.process_time()
        self._early_mb = 0.0

    def at(self, done: int) -> None:
        if not self._early_mb and done * 4 >= self._conversations:
            self._early_mb = peak_mb()

    def row(self, stage: str, records: int) -> Row:
        spent = time.process_time() - self._began
        return Row(stage, self._conversations, records, spent, self._conversations / spent, self._early_mb, peak_mb())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def config(folder: Path) -> RunConfig:
    return RunConfig(out=str(folder))


def plan(count: int) -> Plan:
    names = dict.fromkeys(("tasks", "instructions", "simulate", "verify", "dataset"), f"n{count}")
    return Plan({"domain": BASE, **names})


def originals(store: Store, count: int) -> Row:
    watch = Watch(ORIGINALS)
    population.written(store, population.made(ORIGINALS, users=200), BASE)
    return watch.row("originals", ORIGINALS)


def copies(store: Store, count: int) -> Row:
    """Writes the population of one size."""
    watch, base = Watch(count), population.read(store, BASE)
    writers: list[ArtifactWriter[Any]] = [
        ArtifactWriter(store, name, f"n{count}", BY_NAME[name].writes) for name in ("tasks", "instructions", "simulate")
    ]
    for number, each in enumerate(base.retold(count)):
        for writer, record in zip(writers, each, strict=True):
            writer.add(record)
        watch.at(number)
    for writer in writers:
        writer.commit()
    return watch.row("copies", count)


def stage(name: str) -> Callable[[Store, int], Row]:
    def run(store: Store, count: int) -> Row:
        watch, settings = Watch(count), config(Path(store.url.removeprefix("file://")))
        manifest = execute(BY_NAME[name], settings, plan(count), store, lambda progress: watch.at(progress.done))
        return watch.row(name, manifest.records)

    return run


def simulate(store: Store, count: int) -> Row:
    """The simulate stage over copies of the originals, verification included, with its journal."""
    base = population.read(store, BASE)
    model, watch = base.scripted(base.sites()), Watch(count)
    journal = Journal(store, "played", f"n{count}", Trajectory, lambda each: each.id)
    writer: ArtifactWriter[Trajectory] = ArtifactWriter(store, "played", f"n{count}", Trajectory)

    def tasks() -> Iterator[Task]:
        return (task for task, _, _ in base.copies(count))

    def told() -> Iterator[Instruction]:
        return (instruction for _, instruction, _ in base.copies(count))

    async def play() -> int:
        ports = Ports(model, model, journal, "scripted", lambda event: None, asyncio.Event())
        made = simulate_and_verify(
            SimulationConfig(), verification=VerificationConfig(), seed=0, domain=base.domain, tasks=tasks(), instructions=told(), ports=ports
        )
        done = 0
        async for trajectory in made:
            writer.add(trajectory)
            done += 1
            watch.at(done)
        return done

    done = asyncio.run(play())
    writer.commit()
    return watch.row("simulate", done)


def tasks(store: Store, count: int) -> Row:
    domain = list(snapshots(DomainsConfig(users=count // 2), seed=7, content=None))
    watch, done = Watch(count), 0
    for done, _ in enumerate(synthesize(TasksConfig(reserve_share=0.0), count=count, seed=7, domain=domain), start=1):
        watch.at(done)
    return watch.row("tasks", done)


STAGES: dict[str, Callable[[Store, int], Row]] = {
    "originals": originals,
    "copies": copies,
    "tasks": tasks,
    "simulate": simulate,
    "verify": stage("verify"),
    "dataset": stage("dataset"),
}


# ---------------------------------------------------------------------------------------------------------------------- the table


def measured(folder: Path, name: str, count: int) -> Row:
    command = [sys.executable, __file__, "--child", name, "--folder", str(folder), "--conversations", str(count)]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Row(**json.loads(child.stdout.splitlines()[-1]))


def sizes(most: int) -> list[int]:
    """1,000 and on by tens where that leads far enough, else by doubling."""
    step = 10 if most >= 10_000 else 2
    found = [1_000]
    while found[-1] * step <= most:
        found.append(found[-1] * step)
    return [size for size in found if size <= most] or [most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=4_000)
    parser.add_argument("--played", type=int, default=2_000, help="most conversations of the stage that plays them")
    parser.add_argument("--tasks", type=int, default=1_000, help="most tasks of the stage that makes them")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        like_a_run()
        print(json.dumps(asdict(STAGES[options.child](open_store(str(options.folder)), options.conversations))))
        return
    print(machine())
    print(f"{'stage':10} {'conversations':>13} {'made':>8} {'CPU s':>8} {'per CPU second':>15} {'MB at 1/4':>10} {'peak MB':>8}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        measured(Path(folder), "originals", ORIGINALS)
        for count in sizes(options.conversations):
            measured(Path(folder), "copies", count)
            for name, most in (("tasks", options.tasks), ("simulate", options.played), ("verify", count), ("dataset", count)):
                if count > most:
                    continue
                row = measured(Path(folder), name, count)
                figures = f"{row.cpu_s:8.1f} {row.per_second:15.0f} {row.early_mb:10.0f} {row.peak_mb:8.0f}"
                print(f"{row.stage:10} {row.conversations:13,} {row.records:8,} {figures}", flush=True)
                rows.append(row)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
