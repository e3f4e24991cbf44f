"""Streams of records that belong together, joined without holding them: all stages keep the order of the tasks."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from writ.errors import ArtifactError
from writ.schema import Instruction, Task, Trajectory


class Conversation(NamedTuple):
    """A trajectory with what it came from."""

    trajectory: Trajectory
    task: Task
    instruction: Instruction


def conversations(tasks: Iterable[Task], instructions: Iterable[Instruction], trajectories: Iterable[Trajectory]) -> Iterator[Conversation]:
    """Joins three streams that stand in the order of the tasks; holds one record of each.

    Raises: ArtifactError where a trajectory's task or instruction does not come in its turn.
    """
    task_stream, instruction_stream = iter(tasks), iter(instructions)
    task: Task | None = None
    instruction: Instruction | None = None
    for trajectory in trajectories:
        while task is None or task.id != trajectory.task_id:
            task = next(task_stream, None)
            if task is None:
                raise _lost(trajectory, "task", trajectory.task_id)
        while instruction is None or instruction.id != trajectory.instruction_id:
            instruction = next(instruction_stream, None)
            if instruction is None:
                raise _lost(trajectory, "instruction", trajectory.instruction_id)
        yield Conversation(trajectory, task, instruction)


def _lost(trajectory: Trajectory, what: str, name: str) -> ArtifactError:
    return ArtifactError(f"trajectory {trajectory.id}: its {what} {name} does not follow in the {what}s; run the stages before it again")
