"""A small finished run of the library desk, played in process, and copies of benchmark tasks to plant."""

from typing import Any, NamedTuple

from played import play, scripted_for

from library_world import site as library_site
from library_world import tasks as library_tasks
from writ.instructions.stage import write_instructions
from writ.settings import InstructionsConfig
from writ.streams import Conversation, conversations
from writ.verification.stage import judge


class Finished(NamedTuple):
    site: Any
    tasks: list
    instructions: list
    trajectories: list
    verdicts: list

    @property
    def conversations(self) -> list[Conversation]:
        return list(conversations(self.tasks, self.instructions, self.trajectories))


def finished(count: int) -> Finished:
    """Played by the scripted model, judged, all kept."""
    site = library_site()
    tasks = list(library_tasks(count))
    instructions = list(write_instructions(InstructionsConfig(), seed=3, domain=[site.snapshot], tasks=tasks))
    scripted = scripted_for({site.name: site}, instructions)
    trajectories = [play(site, instruction, scripted) for instruction in instructions]
    verdicts = [judge(site, *each) for each in zip(trajectories, tasks, instructions, strict=True)]
    assert all(verdict.kept for verdict in verdicts), [verdict.cause for verdict in verdicts if not verdict.kept]
    return Finished(site, tasks, instructions, trajectories, verdicts)


def benchmark_task(site: Any, conversation: Conversation, test: str) -> dict[str, Any]:
    """A benchmark task that shares with the conversation what one of the four tests looks for."""
    task, actions, scenario = conversation.task, [], "Somebody asks for something."
    if test == "person":
        scenario = f"You are {task.user_id}."
    elif test == "records":
        owned = site.domain.owned(site.database, task.user_id)
        used = next(iter(sorted(record for call in task.writes for record in owned if record in call.key)))
        scenario = f"Your record is {used}."
    elif test == "gold":
        actions = [{"name": call.name, "arguments": call.arguments} for call in task.writes]
    else:
        scenario = next(
            message.content for message in conversation.trajectory.messages if message.role == "user" and len(message.content.split()) > 9
        )
    return {"id": "b1", "user_scenario": {"instructions": {"reason_for_call": scenario}}, "evaluation_criteria": {"actions": actions}}
