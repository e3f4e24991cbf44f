"""One line per conversation: what a reader filters by and what the page counts. Stands in columns, which compress well."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from writ.schema import Behavior, Decision, Task, Verdict, Wish
from writ.streams import Conversation

AXES: tuple[str, ...] = tuple(Behavior.model_fields)
_ASK_CHARACTERS = 160


class Index:
    """Columns of equal length, by name."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = defaultdict(list)

    def add(self, conversation: Conversation, verdict: Verdict, split: str) -> None:
        """`split` of the dataset row that it became; empty: it became none."""
        line = _identity(conversation) | _judged(verdict, split) | _sizes(conversation)
        for name, value in line.items():
            self.columns[name].append(value)


def _identity(conversation: Conversation) -> dict[str, Any]:
    trajectory, task, instruction = conversation
    return {
        "id": trajectory.id,
        "task": task.id,
        "person": task.user_id,
        "domain": task.domain,
        "kind": task.kind,
        "writes": task.cell.writes,
        "burden": task.burden,
        "bin": task.cell.burden,
        "tool": task.tool,
        "pair": task.pair.member if task.pair else "",
        "compared": int(any(_compares(decision) for decision in task.decisions)),
        "title": title_of(task, instruction.wishes),
        "ask": instruction.reason_for_call[:_ASK_CHARACTERS],
        "behavior": "|".join(str(getattr(instruction.behavior, axis)) for axis in AXES),
        "agent": trajectory.agent,
        "user": trajectory.user,
        "source": trajectory.source,
    }


def _compares(decision: Decision) -> bool:
    """Whether something was chosen among several."""
    choices = [candidate.choice for candidate in decision.certificate.candidates]
    return len(choices) > len(set(choices))


def title_of(task: Task, voiced: Sequence[Wish] = ()) -> str:
    """What is asked for, short: `Cancel reservation: the trip to Boston`; of several wishes the one that is voiced first, and how many more.

    `voiced`: the wishes in the order of a telling; by default the task's own.
    """
    first = task.wishes.index(voiced[0]) if voiced and voiced[0] in task.wishes else 0
    title = _wish_title(task.wishes[first], task.decisions[first], task.user_id)
    return title if len(task.wishes) == 1 else f"{title}, and {len(task.wishes) - 1} more"


def _wish_title(wish: Wish, decision: Decision, user_id: str) -> str:
    """Tools and object; the kind of wish where nothing is to be changed."""
    tools = dict.fromkeys(call.name for call in decision.calls)
    name = " and ".join(tools) if tools else wish.kind
    ids = (value for call in decision.calls for key, value in call.arguments.items() if key.endswith("_id") and value != user_id)
    subject = decision.subject.replace(" of yours", "") or next((str(value) for value in ids), "")
    words = name.replace("_", " ")
    first, _, rest = subject.partition(" ")
    subject = rest if first in words.split(" ") and rest else subject  # not: cancel reservation: reservation A6KEU4
    return f"{words.capitalize()}{f': {subject}' if subject else ''}"


def _judged(verdict: Verdict, split: str) -> dict[str, Any]:
    return {"kept": int(verdict.kept), "cause": verdict.cause, "owner": verdict.owner or "", "reward": verdict.reward, "row": split}


def _sizes(conversation: Conversation) -> dict[str, Any]:
    trajectory = conversation.trajectory
    agent, user = trajectory.agent_usage, trajectory.user_usage
    return {
        "messages": len(trajectory.messages),
        "calls": sum(len(message.tool_calls) for message in trajectory.messages),
        "requests": agent.requests + user.requests,
        "agent_in": agent.prompt_tokens,
        "agent_out": agent.completion_tokens,
        "user_in": user.prompt_tokens,
        "user_out": user.completion_tokens,
    }
