"""A model that really learns, without a download: conversations, SFT, serving, and an exam in closed loop on tasks never seen.

Every step is a command of writ's that a person could type; it is printed before it runs. `python benchmarks/learn.py --to test-output/learn` takes
some minutes on two quiet cores. What it measures, and what not, stands in docs/results/learn.md.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machine import machine

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "recipes" / "learn.yaml"
WANTED = 0.8
_KEY = re.compile(r"train/[0-9a-f]{16}")
OTHER_DATABASE = ("--set", "seed=8", "--set", "domains.users=600")
"""The exam's members, titles and ids are drawn anew; of its members, those that are held out are asked."""


def main() -> None:
    asked = _arguments()
    store, figures, before = str(asked.to / "store"), asked.to / "figures.json", time.monotonic()
    took: dict[str, Any] = {}
    _writ(took, "conversations", "run", "--plain", "--out", store)
    models = {
        # the first step of a warm-up has a rate of 0: these are the weights that every training begins with
        "untrained": _writ(took, "no training", "train", "--plain", "--out", store, "--set", "training.max_steps=1"),
        "learned": _writ(took, "training", "train", "--plain", "--out", store),
    }
    exam = [*OTHER_DATABASE, "--set", f"dataset.count={asked.tasks}", "--set", "simulation.agent.temperature=0"]
    exam += [part for name, said in models.items() for part in ("--model", f"{name}={_KEY.findall(said)[-1]}")]
    _writ(took, "exam", "evaluate", "--plain", "--out", store, *exam, "--to", str(figures))
    evaluation = json.loads(figures.read_text(encoding="utf-8"))
    success = {each["model"]: each["overall"]["by_k"]["1"] for each in evaluation["models"]}
    measured = {"machine": machine(), "seconds": round(time.monotonic() - before), "steps": took, "success": success, "evaluation": evaluation}
    (asked.to / "learn.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    (first, *_), (last, low, high) = success["untrained"], success["learned"]
    print(f"success in closed loop on tasks never seen: {first:.2f} -> {last:.2f} [{low:.2f}, {high:.2f}]; chance {evaluation['chance']:.2f}")
    sys.exit(0 if last >= WANTED else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("test-output/learn"), help="folder for the store and the figures")
    parser.add_argument("--tasks", type=int, default=100, help="tasks of the exam")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    return asked


def _writ(took: dict[str, Any], step: str, verb: str, *arguments: str) -> str:
    """What one command says, which is shown as it is said; with what it took."""
    command = [sys.executable, "-m", "writ", verb, "--config", str(RECIPE), *arguments]
    print(f"$ writ {' '.join(command[3:])}", flush=True)
    began, used, said = time.monotonic(), _cpu_s(), []
    # threads that wait must not spin on a machine that has other work
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
    if running.returncode:
        sys.exit(running.returncode)
    took[step] = {"wall_s": round(time.monotonic() - began, 1), "cpu_s": round(_cpu_s() - used, 1)}
    return "".join(said)


def _cpu_s() -> float:
    """Of all children that have ended, and theirs."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main()
