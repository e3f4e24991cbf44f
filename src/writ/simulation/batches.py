"""Which conversations are to be had: batches of tasks with their instructions, taken from two streams."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from writ.errors import ArtifactError
from writ.schema import Batch, Instruction, Task


class Telling(NamedTuple):
    """One task, told in one way."""

    task: Task
    instruction: Instruction


@dataclass(frozen=True, slots=True)
class Pool:
    """The tellings of one batch in order: those that are wanted, then the reserve."""

    batch: Batch
    tellings: tuple[Telling, ...]


def pools(tasks: Iterable[Task], instructions: Iterable[Instruction]) -> Iterator[Pool]:
    """Deals tellings into batches, holding one at a time; a task without a batch is one of its own.

    Tasks of a batch stand together, and instructions in the order of their tasks, one or more for each.
    Raises: ArtifactError if they do not.
    """
    tellings = _tellings(tasks, instructions)
    for batch, members in groupby(tellings, key=lambda each: each.task.batch or Batch(id=each.task.id, wanted=1)):
        yield Pool(batch, tuple(members))


def _tellings(tasks: Iterable[Task], instructions: Iterable[Instruction]) -> Iterator[Telling]:
    told = groupby(instructions, key=lambda instruction: instruction.task_id)
    for task in tasks:
        task_id, group = next(told, ("the end of the file", iter(())))
        if task_id != task.id:
            raise ArtifactError(f"instructions do not follow the tasks: at task {task.id} they hold {task_id}; make the instructions again")
        yield from (Telling(task, instruction) for instruction in group)
