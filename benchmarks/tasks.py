"""What tasks and their tellings cost: CPU seconds of all processes for so many over both domains, and tellings per CPU second.

`python benchmarks/tasks.py --domain-data ../shared/tau2-bench --count 2000`; without `--domain-data`, over generated databases.
"""

import argparse
import json
import resource
import time
from pathlib import Path

from machine import machine

from writ.domains.sources import snapshots
from writ.instructions.stage import write_instructions
from writ.schema import Task
from writ.settings import DomainsConfig, InstructionsConfig, TasksConfig
from writ.tasks.stage import synthesize


def cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="wanted conversations")
    parser.add_argument("--domain-data", default=None, help="folder with the benchmark's databases")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for the figures")
    args = parser.parse_args()
    config = DomainsConfig(data=args.domain_data)
    domain = list(snapshots(config, seed=7, content=""))
    wall, cpu = time.perf_counter(), cpu_s()
    tasks: list[Task] = list(synthesize(TasksConfig(workers=args.workers), count=args.count, seed=7, domain=domain))
    made = {"tasks": len(tasks), "wall_s": time.perf_counter() - wall, "cpu_s": cpu_s() - cpu}
    cpu = cpu_s()
    told = sum(1 for _ in write_instructions(InstructionsConfig(), seed=7, domain=domain, tasks=tasks))
    told_cpu = cpu_s() - cpu
    figures = {
        "machine": machine(),
        "domains": args.domain_data or "generated",
        "count": args.count,
        "workers": args.workers,
        "made": {name: round(value, 2) for name, value in made.items()},
        "cpu_ms_per_task": round(1000 * made["cpu_s"] / max(1, len(tasks)), 2),
        "instructions": {"told": told, "cpu_s": round(told_cpu, 2), "per_cpu_s": round(told / told_cpu)},
    }
    print(json.dumps(figures, indent=1))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
