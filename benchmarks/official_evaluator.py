"""Do the benchmark's own evaluator and ours agree on our tasks? Gold must score 1, each distractor 0, doing nothing 0 where something is due.

    python benchmarks/official_evaluator.py --tau2 DIR --python DIR/venv/bin/python --domain-data DATA --tasks 500

DIR is a checkout of tau2-bench whose data folder holds the two domains; PYTHON is an interpreter (3.12) in which `import tau2` works. Each way of
acting is written as a conversation with our environment's tool results, which its strict replay must reproduce to the letter.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

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
        {"domain": task.domain, "act": act, "wanted": wanted, "task": tau2_task(task), "messages": played(site, calls)} for act, calls, wanted in acts
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tau2", required=True, type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--domain-data", required=True)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--distractors", type=int, default=3, help="most distractors per task; each trial costs about a CPU-second")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    config = DomainsConfig(data=options.domain_data)
    domain = list(snapshots(config, seed=7, content=fingerprint(config)))
    sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    tasks = list(synthesize(TasksConfig(reserve_share=0.0), count=options.tasks, seed=7, domain=domain))
    tasks = Random(7).sample(tasks, min(options.tasks, len(tasks)))
    lines = [json.dumps(trial) for task in tasks for trial in trials(sites[task.domain], task, options.distractors)]
    command = [options.python, str(INSIDE.resolve()), str(options.tau2.resolve())]
    with ThreadPoolExecutor(options.workers) as pool:
        shares = [lines[worker :: options.workers] for worker in range(options.workers)]
        results = [result for share in pool.map(lambda share: judged(command, share), shares) for result in share]
    report(results, len(tasks))


def judged(command: Sequence[str], lines: Sequence[str]) -> list[dict[str, Any]]:
    """One interpreter of the benchmark's over its share of the trials. Exits where it fails."""
    inside = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)
    if inside.returncode:
        sys.exit(f"the benchmark's evaluator ended with {inside.returncode}: {inside.stderr.strip().splitlines()[-1:]}")
    return [json.loads(line) for line in inside.stdout.splitlines()]


def report(results: list[dict[str, Any]], tasks: int) -> None:
    """A table of act by agreement; ends with 1 where any result is not the wanted one."""
    counts = Counter((result["act"], result["reward"] == result["wanted"]) for result in results)
    print(f"{tasks} tasks, {len(results)} trials")
    for act in ("gold", "nothing", "distractor"):
        print(f"{act:<11} as wanted {counts[act, True]:>6}   otherwise {counts[act, False]:>4}")
    wrong = [result for result in results if result["reward"] != result["wanted"]]
    for result in wrong[:10]:
        print(json.dumps(result))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
