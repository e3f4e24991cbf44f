"""What an artifact costs: microseconds per record written, read and journalled, and peak memory.

    python benchmarks/artifacts.py [--records 100000] [--store s3://BUCKET --endpoint-url URL] [--json FILE]

The records are trajectories of about 30 kB, the size of a real airline conversation. Without `--store`: a temporary folder.
"""

import argparse
import json
import os
import platform
import random
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from writ.artifacts import ArtifactWriter, Journal, read_records
from writ.schema import Message, ToolCall, Trajectory
from writ.storage import S3Settings, Store, open_store

WORDS = ["flight", "reservation", "passenger", "economy", "refund", "certificate", "baggage", "cancel", "date", "total", "price", "confirm"]


def trajectories(count: int) -> Iterator[Trajectory]:
    """Conversations of 30 messages, a third of them tool outputs of 2 kB of JSON."""
    for number in range(count):
        dice = random.Random(number)
        messages = []
        for turn in range(10):
            text = " ".join(dice.choices(WORDS, k=25))
            output = json.dumps([{"id": dice.randrange(10**9), "price": dice.randrange(900), "name": dice.choice(WORDS)} for _ in range(40)])
            call = ToolCall(id=f"call-{turn}", name="search_direct_flight", arguments='{"origin": "EWR", "destination": "IAH", "date": "2024-05-25"}')
            messages += [Message(role="user", content=text), Message(role="assistant", tool_calls=(call,))]
            messages += [Message(role="tool", content=output, tool_call_id=call.id)]
        yield Trajectory(
            id=f"trajectory-{number}",
            task_id=f"task-{number}",
            instruction_id=f"instruction-{number}",
            domain="airline",
            rollout=0,
            source="scripted",
            agent="scripted",
            user="scripted",
            messages=tuple(messages),
            termination="user_stop",
        )


class Cost(NamedTuple):
    """Microseconds per record: of this process's CPU, and by the wall clock."""

    cpu_us: float
    wall_us: float


def cost(work: Callable[[], object], records: int) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Cost((time.process_time() - cpu) / records * 1e6, (time.perf_counter() - wall) / records * 1e6)


def measure(count: int, store: Store) -> dict[str, float]:
    sample = list(trajectories(200))
    writer = ArtifactWriter(store, "simulate", "benchmark", Trajectory)
    write = cost(lambda: writer.add_many(sample[number % len(sample)] for number in range(count)), count)
    manifest = writer.commit()
    read = cost(lambda: deque(read_records(store, manifest, Trajectory), maxlen=0), count)
    journal = Journal(store, "simulate", "benchmark", Trajectory, lambda record: record.id)
    alone = cost(lambda: deque(map(journal.append, ([record] for record in sample))), len(sample))
    twenties = [sample[index : index + 20] for index in range(0, len(sample), 20)]
    together = cost(lambda: deque(map(journal.append, twenties)), len(sample))
    figures: dict[str, float] = {
        "records": count,
        "parts": len(manifest.parts),
        "json_bytes_per_record": sum(len(record.model_dump_json()) for record in sample) / len(sample),
        "stored_bytes_per_record": sum(part.bytes for part in manifest.parts) / count,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for name, each in (("write", write), ("read", read), ("journal_alone", alone), ("journal_20_at_once", together)):
        figures |= {f"{name}_cpu_us_per_record": each.cpu_us, f"{name}_wall_us_per_record": each.wall_us}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--store", help="a folder or s3://BUCKET/PREFIX")
    parser.add_argument("--endpoint-url", help="of an S3 server that is not AWS")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.records, open_store(options.store or folder, s3=S3Settings(endpoint_url=options.endpoint_url)))
    print(f"artifacts over {options.store or 'a folder'}: {platform.machine()}, {os.cpu_count()} cores, python {platform.python_version()}")
    for name, value in figures.items():
        print(f"  {name:40} {value:12,.1f}")
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.platform(), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
