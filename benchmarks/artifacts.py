"""What an artifact costs: microseconds per record written and read, and peak memory, over a folder.

    python benchmarks/artifacts.py [--records 100000] [--json FILE]

The records are trajectories of about 30 kB, the size of a real airline conversation.
"""

import argparse
import json
import platform
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from writ.artifacts import ArtifactWriter, Journal, read_records
from writ.schema import Message, ToolCall, Trajectory
from writ.storage import open_store

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


def measure(count: int, folder: Path) -> dict[str, float]:
    store = open_store(str(folder))
    sample = list(trajectories(200))
    json_bytes = sum(len(record.model_dump_json()) for record in sample) / len(sample)
    clock = time.process_time

    start = clock()
    writer = ArtifactWriter(store, "simulate", "benchmark", Trajectory)
    for number in range(count):
        writer.add(sample[number % len(sample)])
    manifest = writer.commit()
    write_s = clock() - start

    start = clock()
    read = sum(1 for _ in read_records(store, manifest, Trajectory))
    read_s = clock() - start
    assert read == count

    journal = Journal(store, "simulate", "benchmark", Trajectory, lambda record: record.id)
    start, start_wall = clock(), time.perf_counter()
    for record in sample:
        journal.append([record])
    one_s, one_wall_s = clock() - start, time.perf_counter() - start_wall
    start = clock()
    for index in range(0, len(sample), 20):
        journal.append(sample[index : index + 20])
    many_s = clock() - start

    return {
        "records": count,
        "json_bytes_per_record": json_bytes,
        "stored_bytes_per_record": sum(part.bytes for part in manifest.parts) / count,
        "parts": len(manifest.parts),
        "write_us_per_record": write_s / count * 1e6,
        "read_us_per_record": read_s / count * 1e6,
        "journal_us_per_record_alone": one_s / len(sample) * 1e6,
        "journal_wall_us_per_record_alone": one_wall_s / len(sample) * 1e6,
        "journal_us_per_record_of_20": many_s / len(sample) * 1e6,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.records, Path(folder))
    print(f"artifacts over a folder, CPU time of one process, {platform.machine()}, python {platform.python_version()}")
    for name, value in figures.items():
        print(f"  {name:34} {value:12,.1f}")
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.platform(), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
