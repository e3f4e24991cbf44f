"""What a conversation's environment costs: opening it, calling tools, hashing end states.

    python benchmarks/environment.py [--domain-data ../shared/tau2-bench]

Calls are those of the benchmark's recordings, each recorded conversation in an environment of its own. Prints a table.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from writ.domains.airline.tools import AirlineTools
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.retail.tools import RetailTools
from writ.domains.toolkit import Toolkit

TOOLKITS: dict[str, type[Toolkit]] = {"retail": RetailTools, "airline": AirlineTools}
Conversation = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domain-data", type=Path, default=Path("../shared/tau2-bench"))
    folder: Path = parser.parse_args().domain_data
    columns = {name: figures(toolkit, folder / name) for name, toolkit in TOOLKITS.items()}
    rows = next(iter(columns.values()))
    print(f"{'':44}" + "".join(f"{name:>12}" for name in columns))
    for row in rows:
        print(f"{row:44}" + "".join(f"{column[row]:12,.1f}" for column in columns.values()))


def figures(toolkit: type[Toolkit], folder: Path) -> dict[str, float]:
    recordings = (folder / "recorded_replay.jsonl").read_bytes().splitlines()
    conversations: list[Conversation] = [json.loads(line)["calls"] for line in recordings]
    calls = sum(map(len, conversations))
    load_s, database = timed(lambda: Database.load(folder / "db.json", toolkit.shape))
    first_s, _ = timed(lambda: run(toolkit, database, conversations))
    run_s, environments = timed(lambda: run(toolkit, database, conversations))
    first_hash_s, _ = timed(environments[0].db_hash)
    hash_s, _ = timed(lambda: [environment.db_hash() for environment in environments])
    fingerprint_s, _ = timed(lambda: [environment.fingerprint() for environment in environments])
    return {
        "loading the snapshot, ms": load_s * 1e3,
        "opening a conversation, µs": opening_s(toolkit, database) * 1e6,
        "opening a conversation, bytes": opening_bytes(toolkit, database),
        "recorded conversations": len(conversations),
        "recorded calls": calls,
        "calls per second, first time": calls / first_s,
        "calls per second, with reads remembered": calls / run_s,
        "environment's share of a conversation, ms": first_s / len(conversations) * 1e3,
        "memory after a conversation, bytes": kept_bytes(toolkit, database, conversations),
        "fingerprint of an end state, µs": fingerprint_s / len(environments) * 1e6,
        "the snapshot's text for hashes, once, ms": first_hash_s * 1e3,
        "whole-database hash of an end state, ms": hash_s / len(environments) * 1e3,
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def run(toolkit: type[Toolkit], database: Database, conversations: list[Conversation]) -> list[Environment]:
    environments = []
    for calls in conversations:
        environment = Environment(toolkit, database)
        for call in calls:
            environment.call(call["name"], call["arguments"])
        environments.append(environment)
    return environments


def opening_s(toolkit: type[Toolkit], database: Database, times: int = 20_000) -> float:
    return timed(lambda: [Environment(toolkit, database) for _ in range(times)])[0] / times


def opening_bytes(toolkit: type[Toolkit], database: Database, times: int = 1000) -> float:
    return allocated(lambda: [Environment(toolkit, database) for _ in range(times)]) / times


def kept_bytes(toolkit: type[Toolkit], database: Database, conversations: list[Conversation]) -> float:
    return allocated(lambda: run(toolkit, database, conversations)) / len(conversations)


def allocated(work: Callable[[], Any]) -> int:
    """Bytes that stay allocated while the result lives."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = work()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    del result
    return size


if __name__ == "__main__":
    main()
