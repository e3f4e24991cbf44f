"""A benchmark's own tasks as scenarios, and its gold actions as a conversation."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from writ.domains.recordings import RawTask, scenario
from writ.errors import ConfigError
from writ.schema import DomainSnapshot, Instruction, Message, ToolCall

STOP = "###STOP###"

GOLD = "gold"
"""Name of the model that replays gold actions."""


def task_id(domain: str, number: str) -> str:
    """Ours: the benchmark numbers the tasks of each domain from 0."""
    return f"{domain}-{number}"


def chosen(snapshot: DomainSnapshot, picked: Mapping[str, Sequence[str]]) -> Iterator[RawTask]:
    """The tasks of a split, in the order of the file. Raises: ConfigError where the file lacks one."""
    wanted = {str(number) for number in picked.get(snapshot.name, ())}
    missing = wanted - {str(task["id"]) for task in snapshot.benchmark_tasks}
    if missing:
        raise ConfigError(f"domain '{snapshot.name}' has no task {min(missing)} in tasks.json, which its split names; take both from one release")
    return (task for task in snapshot.benchmark_tasks if str(task["id"]) in wanted)


def raw_tasks(snapshots: Iterable[DomainSnapshot]) -> dict[str, RawTask]:
    """Every benchmark task by our id."""
    return {task_id(snapshot.name, str(task["id"])): task for snapshot in snapshots for task in snapshot.benchmark_tasks}


def instruction(raw: RawTask, domain: str) -> Instruction:
    """The user's scenario, word for word."""
    name = task_id(domain, str(raw["id"]))
    return scenario(raw, domain, name, name)


def gold_messages(raw: RawTask) -> tuple[Message, ...]:
    """What an agent says that replays the gold actions one by one and then states what is to be communicated; the user asks once and stops.

    The engine greets and the environment answers, so the greeting stands for its place only and tool results are left out.
    """
    told = instruction(raw, "")
    criteria = raw.get("evaluation_criteria") or {}
    actions = [action for action in criteria.get("actions") or () if (action.get("requestor") or "assistant") == "assistant"]
    facts = [str(fact) for fact in criteria.get("communicate_info") or ()]
    return (
        Message(role="assistant", content="Hello."),
        Message(role="user", content=told.reason_for_call or "I need help."),
        *(_called(number, action) for number, action in enumerate(actions)),
        Message(role="assistant", content=" ; ".join(["That is done.", *facts])),
        Message(role="user", content=STOP),
    )


def _called(number: int, action: Mapping[str, Any]) -> Message:
    arguments = json.dumps(action.get("arguments") or {}, ensure_ascii=False)
    return Message(role="assistant", tool_calls=(ToolCall(id=f"gold_{number}", name=action["name"], arguments=arguments),))
