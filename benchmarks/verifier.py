"""Truth of the verifier: what the scripted model says that it did wrong, against what verification finds.

Every labelled fault alone, then all of them mixed, each armed in a share of the conversations. Prints the confusion matrix (what was done ×
what was found), precision and recall of "kept", and of each cause; writes the same as JSON: `python benchmarks/verifier.py --conversations 5000`.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson
from machine import like_a_run, machine

from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.instructions.stage import write_instructions
from writ.llm import ChatReply, ChatRequest
from writ.llm.replies import parse_reply
from writ.schema import DomainSnapshot, Instruction, Task, Trajectory, Verdict
from writ.settings import DomainsConfig, InstructionsConfig, SimulationConfig, TasksConfig
from writ.simulation.play import Player
from writ.simulation.scripted.faults import AGENT_FAULTS, USER_FAULTS
from writ.simulation.scripted.server import Scripted
from writ.tasks.stage import synthesize
from writ.verification.causes import CAUSES, OWNERS
from writ.verification.stage import judge

LIBRARY = str(Path(__file__).parents[1] / "examples" / "library")
FAULTS = (*AGENT_FAULTS, *USER_FAULTS)
KEPT = "kept"
ROUNDS = 5

_ROOM: Mapping[str, Callable[[Task], bool]] = {
    "missing_fact": lambda task: any(decision.told for decision in task.decisions),
    "forbidden_write": lambda task: any(decision.outcome == "deny" for decision in task.decisions),
    "not_declined": lambda task: any(decision.outcome == "deny" for decision in task.decisions),
    "missing_transfer": lambda task: any(decision.outcome == "transfer" for decision in task.decisions),
    "wish_not_voiced": lambda task: len(task.wishes) > 1,
}
"""Faults that can happen only in some tasks: alone, they are tried on those."""


@dataclass(frozen=True, slots=True)
class World:
    """Tasks and their tellings over some domains."""

    sites: Mapping[str, OpenDomain]
    tasks: Mapping[str, Task]
    instructions: Sequence[Instruction]


@dataclass(frozen=True, slots=True)
class Trial:
    """One conversation, what it was labelled, and what was found."""

    fault: str
    """Name of the armed fault, or `mixed`."""
    trajectory: Trajectory
    verdict: Verdict
    judge_s: float
    """CPU seconds of the verdict."""

    @property
    def causes(self) -> frozenset[str]:
        """Causes of the lethal labels; empty: to be kept. A due write left out and another made instead are a wrong argument."""
        causes = {label.cause for label in self.trajectory.faults if label.lethal}
        return frozenset(causes | ({"wrong_argument"} if causes >= {"missing_write", "extra_write"} else set()))

    @property
    def done(self) -> str:
        """The one cause that must be reported: with several, the first by owner, then by turn."""
        lethal = [label for label in self.trajectory.faults if label.lethal]
        first = min(lethal, key=lambda label: (OWNERS.index(CAUSES[label.cause].owner), label.turn), default=None)
        return first.cause if first else KEPT

    @property
    def found(self) -> str:
        return self.verdict.cause or KEPT

    @property
    def right(self) -> bool:
        """The reported cause is one of those that were made, and of the owner who comes first."""
        if self.found == self.done:
            return True
        return self.found in self.causes and CAUSES[self.found].owner == CAUSES[self.done].owner


@dataclass(slots=True)
class Matrix:
    """Counts of (done, found)."""

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, trial: Trial) -> None:
        self.cells[trial.found if trial.right else trial.done, trial.found] += 1

    def scores(self) -> dict[str, dict[str, float]]:
        """Precision and recall of every cause that was done or found."""
        names = sorted({name for cell in self.cells for name in cell})
        return {name: {"done": self._row(name), "found": self._column(name), **self._rates(name)} for name in names}

    def _row(self, name: str) -> int:
        return sum(count for (done, _), count in self.cells.items() if done == name)

    def _column(self, name: str) -> int:
        return sum(count for (_, found), count in self.cells.items() if found == name)

    def _rates(self, name: str) -> dict[str, float]:
        hit, done, found = self.cells[name, name], self._row(name), self._column(name)
        return {"precision": hit / found if found else 1.0, "recall": hit / done if done else 1.0}


class InProcess:
    """A model port that asks the scripted model without HTTP."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    async def complete(self, request: ChatRequest) -> ChatReply:
        return parse_reply(self._scripted.reply(orjson.loads(request.body())).body)


def built(names: Sequence[str], tasks: int, users: int, seed: int) -> World:
    """Tasks of the domains, each told once."""
    config = DomainsConfig(names=tuple(names), code={"library": LIBRARY} if "library" in names else {}, users=users)
    domain: list[DomainSnapshot] = list(snapshots(config, seed=seed, content=None))
    made = list(synthesize(TasksConfig(), count=tasks, seed=seed, domain=domain))
    told = list(write_instructions(InstructionsConfig(), seed=seed, domain=domain, tasks=made))
    return World({each.name: open_domain(each) for each in domain}, {task.id: task for task in made}, told)


def trials(world: World, fault: str, rates: Mapping[str, float], told: Iterable[tuple[Instruction, int]]) -> Iterator[Trial]:
    """Plays and judges; a conversation is an instruction with the number of its rollout."""
    scripted = InProcess(Scripted(world.sites, {each.id: each for each in world.instructions}.__getitem__, rates))
    player = Player(SimulationConfig(), world.sites, scripted, scripted, "scripted")
    with asyncio.Runner() as loop:
        for instruction, rollout in told:
            trajectory = loop.run(player.play(instruction, rollout)).trajectory
            task, site = world.tasks[trajectory.task_id], world.sites[trajectory.domain]
            began = time.process_time()
            verdict = judge(site, trajectory, task, instruction)
            yield Trial(fault, trajectory, verdict, time.process_time() - began)


def experiment(world: World, conversations: int, rate: float) -> Iterator[Trial]:
    """Half of the conversations with one fault each, dealt evenly over the faults; half with all of them mixed."""
    alone = conversations // 2 // len(FAULTS)
    for fault in FAULTS:
        room = _ROOM.get(fault, lambda task: True)
        told = [each for each in world.instructions if room(world.tasks[each.task_id])]
        yield from trials(world, fault, {fault: rate}, islice(_round(told), alone))
    yield from trials(world, "mixed", dict.fromkeys(FAULTS, rate), islice(_round(world.instructions), conversations - alone * len(FAULTS)))


def _round(instructions: Sequence[Instruction]) -> Iterator[tuple[Instruction, int]]:
    """All instructions again and again, each time as another rollout, in an order that mixes the domains."""
    order = sorted(instructions, key=lambda each: each.id)
    for rollout in count() if order else ():
        yield from ((each, rollout) for each in order)


def judged_again(world: World, seen: Sequence[Trial], rounds: int) -> float:
    """CPU seconds to judge them all once more: of each the least of several times, so that other load on the machine disturbs little."""
    told = {each.id: each for each in world.instructions}
    spent_s = 0.0
    for trial in seen:
        trajectory = trial.trajectory
        site, task, instruction = world.sites[trajectory.domain], world.tasks[trajectory.task_id], told[trajectory.instruction_id]
        times = []
        for _ in range(rounds):
            began = time.process_time()
            judge(site, trajectory, task, instruction)
            times.append(time.process_time() - began)
        spent_s += min(times)
    return spent_s


def kept_scores(seen: Iterable[Trial]) -> dict[str, float]:
    """Precision and recall of "kept"."""
    pairs = Counter((trial.done == KEPT, trial.found == KEPT) for trial in seen)
    kept, due = pairs[True, True] + pairs[False, True], pairs[True, True] + pairs[True, False]
    return {"precision": pairs[True, True] / kept if kept else 1.0, "recall": pairs[True, True] / due if due else 1.0}


def main() -> None:
    arguments = _arguments()
    like_a_run()
    began = time.perf_counter()
    world = built(arguments.domains.split(","), arguments.tasks, arguments.users, arguments.seed)
    built_s = time.perf_counter() - began
    seen = list(experiment(world, arguments.conversations, arguments.rate))
    matrix = Matrix()
    for trial in seen:
        matrix.add(trial)
    result = {
        "machine": machine(),
        "conversations": len(seen),
        "tasks": len(world.tasks),
        "rate": arguments.rate,
        "seconds": round(time.perf_counter() - began, 1),
        "seconds, tasks": round(built_s, 1),
        "verified per second and core": round(len(seen) / sum(trial.judge_s for trial in seen)),
        "verified again per second and core": round(len(seen) / judged_again(world, seen, ROUNDS)),
        KEPT: kept_scores(seen),
        "causes": matrix.scores(),
        "matrix": {f"{done} -> {found}": count for (done, found), count in sorted(matrix.cells.items())},
        "by fault": _by_fault(seen),
    }
    arguments.to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _show(result, [trial for trial in seen if not trial.right])


def _by_fault(seen: Sequence[Trial]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for fault in (*FAULTS, "mixed"):
        mine = [trial for trial in seen if trial.fault == fault]
        rows[fault] = {
            "conversations": len(mine),
            "fired": sum(bool(trial.trajectory.faults) for trial in mine),
            "wrong": sum(not trial.right for trial in mine),
        }
    return rows


def _show(result: Mapping[str, Any], wrong: Sequence[Trial]) -> None:
    print(
        f"{result['machine']}\n{result['conversations']} conversations of {result['tasks']} tasks in {result['seconds']} s, "
        f"{result['verified per second and core']} verified per second of CPU as they were played, "
        f"{result['verified again per second and core']} at the least of {ROUNDS} times each\n"
    )
    print(f"{'cause':<22} {'done':>6} {'found':>6} {'precision':>10} {'recall':>8}")
    for name, row in result["causes"].items():
        print(f"{name:<22} {row['done']:>6} {row['found']:>6} {row['precision']:>10.3f} {row['recall']:>8.3f}")
    print(f"\nkept or not: precision {result[KEPT]['precision']:.4f}, recall {result[KEPT]['recall']:.4f}")
    for done, found in (cell.split(" -> ") for cell in result["matrix"]):
        if done != found:
            print(f"  {result['matrix'][f'{done} -> {found}']:>4} × {done} was found as {found}")
    for trial in wrong[:20]:
        labels = ", ".join(f"{label.name}@{label.turn}:{label.cause}" for label in trial.trajectory.faults)
        print(f"  {trial.trajectory.domain} {trial.fault} {trial.trajectory.instruction_id} rollout {trial.trajectory.rollout}: [{labels}] "
              f"found {trial.found}")  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=5000)
    parser.add_argument("--tasks", type=int, default=600)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--domains", default="retail,airline,library")
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--to", type=Path, default=Path("verifier.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
