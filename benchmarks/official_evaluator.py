"""Do the benchmark's own evaluator and ours agree on our tasks? Gold must score 1, each distractor 0, doing nothing 0 where something is due.

    python benchmarks/official_evaluator.py --tau2 DIR --python DIR/venv/bin/python --domain-data DATA --tasks 500

DIR is a checkout of tau2-bench whose data folder holds the two domains; PYTHON is an interpreter (3.12) in which `import tau2` works. Each way of
acting is written as a conversation with our environment's tool results, which its strict replay must reproduce to the letter. The tasks are spread
over domain, kind and cell.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from machine import machine

from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import fingerprint, snapshots
from writ.schema import Call, Task
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.export import tau2_task
from writ.tasks.stage import synthesize

INSIDE = Path(__file__).with_name("official_evaluator_inside.py")


def played(site: OpenDomain, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """A conversation in which the agent makes exactly these calls."""
    world, messages = site.environment(), []
    for number, call in enumerate(calls):
        result = world.call(call.name, call.arguments)
        messages += [
            {"role": "assistant", "calls": [{"id": f"c{number}", "name": call.name, "arguments": call.arguments}]},
            {"role": "tool", "id": f"c{number}", "content": result.content, "error": result.error},
        ]
    return messages


def trials(site: OpenDomain, task: Task, distractors: int) -> list[dict[str, Any]]:
    """Gold, nothing and the first distractors, with what each must score."""
    acts = [("gold", task.writes, 1.0)]
    if task.writes:
        acts.append(("nothing", (), 0.0))
    acts += [("distractor", distractor.calls, 0.0) for distractor in task.distractors[:distractors]]
    return [
        {"domain": task.domain, "kind": task.kind, "act": act, "wanted": wanted, "task": tau2_task(task), "messages": played(site, calls)}
        for act, calls, wanted in acts
    ]


def spread(tasks: Iterable[Task], count: int) -> list[Task]:
    """So many of them, drawn in turn from every domain, kind and cell."""
    groups: dict[object, list[Task]] = defaultdict(list)
    for task in sorted(tasks, key=lambda each: each.id):
        groups[task.domain, task.kind, task.cell].append(task)
    turns = zip_longest(*groups.values())
    return list(islice((task for turn in turns for task in turn if task), count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tau2", required=True, type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--domain-data", required=True)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--distractors", type=int, default=3, help="most distractors per task; over twenty occur")
    parser.add_argument("--made", type=Path, help="file of tasks, as JSON lines, instead of new ones")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--to", type=Path, help="folder that keeps each trial's reward, as JSON lines")
    options = parser.parse_args()
    config = DomainsConfig(data=options.domain_data)
    domain = list(snapshots(config, seed=7, content=fingerprint(config)))
    sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    made = made_before(options.made) if options.made else synthesize(TasksConfig(reserve_share=0.0), count=options.tasks, seed=7, domain=domain)
    tasks = spread(made, options.tasks)
    lines = [json.dumps(trial) for task in tasks for trial in trials(sites[task.domain], task, options.distractors)]
    command = [options.python, str(INSIDE.resolve()), str(options.tau2.resolve()), ",".join(sites)]
    with ThreadPoolExecutor(options.workers) as pool, TemporaryDirectory() as folder:
        shares = [lines[worker :: options.workers] for worker in range(options.workers)]
        if options.to:
            options.to.mkdir(parents=True, exist_ok=True)
        files = [(options.to or Path(folder)) / f"rewards-{worker}.jsonl" for worker in range(options.workers)]
        results = [result for share in pool.map(lambda share, file: judged(command, share, file), shares, files) for result in share]
    report(results, len(tasks), len({(task.domain, task.kind, task.cell) for task in tasks}))


def made_before(path: Path) -> list[Task]:
    with path.open("rb") as lines:
        return [Task.model_validate_json(line) for line in lines]


def judged(command: Sequence[str], lines: Sequence[str], to: Path) -> list[dict[str, Any]]:
    """One interpreter of the benchmark's over its share of the trials; the rewards grow in a file. Exits where it fails."""
    with to.open("w", encoding="utf-8") as rewards:
        inside = subprocess.run(command, input="\n".join(lines), stdout=rewards, stderr=subprocess.PIPE, text=True, check=False)
    if inside.returncode:
        sys.exit(f"the benchmark's evaluator ended with {inside.returncode}: {inside.stderr.strip().splitlines()[-1:]}")
    return [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]


def report(results: list[dict[str, Any]], tasks: int, cells: int) -> None:
    """A table of domain, kind and act by agreement; ends with 1 where any result is not the wanted one."""
    counts = Counter((result["domain"], result["kind"], result["act"], result["reward"] == result["wanted"]) for result in results)
    print(f"{machine()}\n{tasks} tasks of {cells} cells (domain, kind, writes, burden, tool), {len(results)} trials\n")
    print(f"{'domain':<9}{'kind':<17}{'act':<12}{'as wanted':>10}{'otherwise':>10}")
    for domain, kind, act in sorted({key[:3] for key in counts}):
        print(f"{domain:<9}{kind:<17}{act:<12}{counts[domain, kind, act, True]:>10}{counts[domain, kind, act, False]:>10}")
    wrong = [result for result in results if result["reward"] != result["wanted"]]
    for result in wrong[:10]:
        print(json.dumps(result))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
