"""A model that says again what was said: it answers from recorded conversations, as agent and as user.

So the engine and the verifier meet the words of real models over HTTP, without one. An answer follows from the request alone: how often that
side has spoken in it tells which recorded message is next. Beyond its recording the agent takes leave and the user stops.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from writ.errors import ArtifactError, ConfigError
from writ.llm.preflight import PREFLIGHT_USER
from writ.llm.server import Reply, chat_reply, error_reply
from writ.schema import Behavior, Call, Certificate, Decision, Instruction, Message, Task, ToolCall, Trajectory
from writ.simulation.address import Role, parsed
from writ.simulation.guards import STOP

FAREWELL = "You are welcome. Goodbye!"


@dataclass(frozen=True, slots=True)
class Recording:
    """What was said in one conversation, and what it was about."""

    task: Task
    """Holds the gold writes, without certificates: nobody proved a recorded task."""
    instruction: Instruction
    messages: tuple[Message, ...]

    def lines(self, role: Role) -> tuple[Message, ...]:
        """One side's messages in order, the agent's without the greeting."""
        spoken = tuple(message for message in self.messages if message.role == ("assistant" if role == "agent" else "user"))
        return spoken[1:] if role == "agent" else spoken


class Playback:
    """The answer function of a server (`writ.llm.server.serve`) that plays recordings. A conversation is found by its instruction's id."""

    def __init__(self, recordings: Iterable[Recording], model: str = "playback") -> None:
        self._lines = {(each.instruction.id, role): each.lines(role) for each in recordings for role in ("agent", "user")}
        self._model = model

    async def __call__(self, body: dict[str, Any]) -> Reply:
        if body.get("user") == PREFLIGHT_USER:
            return self._probe(body)
        try:
            role, instruction_id, _ = parsed(str(body.get("user", "")))
            lines = self._lines[instruction_id, role]
        except (ValueError, KeyError) as e:
            return error_reply(400, f"playback has no such conversation: {e}")
        spoken = sum(message["role"] == "assistant" for message in body["messages"]) - (role == "agent")
        return self._said(lines[spoken] if spoken < len(lines) else _beyond(role), body)

    def _said(self, line: Message, body: dict[str, Any]) -> Reply:
        heard = sum(len(message.get("content") or "") for message in body["messages"]) // 4
        size = (len(line.content or "") + sum(len(call.arguments) for call in line.tool_calls)) // 4
        return chat_reply(line.content, line.tool_calls, model=self._model, prompt_tokens=heard, completion_tokens=size)

    def _probe(self, body: dict[str, Any]) -> Reply:
        tools = body.get("tools") or []
        calls = [ToolCall(id="call_0", name=tools[0]["function"]["name"], arguments="{}")] if tools else []
        return chat_reply(None if calls else "Yes.", calls, model=self._model, prompt_tokens=1, completion_tokens=1)


def _beyond(role: Role) -> Message:
    return Message(role="assistant", content=FAREWELL if role == "agent" else STOP)


def of_trajectory(task: Task, instruction: Instruction, trajectory: Trajectory) -> Recording:
    """A conversation of an earlier run, to be played again."""
    return Recording(task, instruction, trajectory.messages)


# ------------------------------------------------------------------------------------------------------- the benchmark's results files


def tau2_recordings(path: Path, domain: str) -> Iterator[Recording]:
    """The conversations of a results file of the benchmark's runner, in its order; ids are `recorded-<number>`.

    Published files renumber their tasks, so a conversation's task is found by the gold actions that it was scored by, else by its id.
    Raises: ConfigError if the file cannot be read; ArtifactError if it is no results file.
    """
    try:
        file = json.loads(path.read_bytes())
        golds = {_gold_key(task["evaluation_criteria"]["actions"] or []): task for task in file["tasks"]}
        by_id = {task["id"]: task for task in file["tasks"]}
        for number, run in enumerate(file["simulations"]):
            task = golds.get(_gold_key([check["action"] for check in run["reward_info"]["action_checks"] or []])) or by_id[run["task_id"]]
            yield _recording(f"recorded-{number}", domain, task, run["messages"])
    except OSError as e:
        raise ConfigError(f"recordings {path} cannot be read ({e.strerror}); name a results file") from e
    except (ValueError, KeyError, TypeError) as e:
        raise ArtifactError(f"{path} is not a results file of the benchmark's runner ({e!r}); name one") from e


def _gold_key(actions: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps([(action["name"], action["arguments"]) for action in actions], sort_keys=True)


def _recording(recording_id: str, domain: str, task: Mapping[str, Any], messages: Iterable[Mapping[str, Any]]) -> Recording:
    told = task["user_scenario"]["instructions"]
    told = told if isinstance(told, dict) else {"reason_for_call": told}
    instruction = Instruction(
        id=recording_id,
        task_id=f"task-{recording_id}",
        domain=domain,
        user_id="",
        wishes=(),
        identity=(),
        facts=(),
        behavior=Behavior(),
        persona=task["user_scenario"].get("persona") or "",
        seed=0,
        **{name: told.get(name) or "" for name in ("reason_for_call", "known_info", "unknown_info", "task_instructions")},
    )
    return Recording(_task(instruction, task["evaluation_criteria"]["actions"] or []), instruction, tuple(map(_message, messages)))


def _task(instruction: Instruction, actions: Iterable[Mapping[str, Any]]) -> Task:
    calls = tuple(Call(name=action["name"], arguments=action["arguments"]) for action in actions if action["requestor"] == "assistant")
    return Task(
        id=instruction.task_id,
        domain=instruction.domain,
        kind="normal",
        user_id="",
        wishes=(),
        decisions=(Decision(outcome="act", calls=calls, certificate=Certificate(rivals=(), plan=(), burden=0, relevant=0)),),
        tool=calls[-1].name if calls else "",
        burden=0,
        relevant=0,
    )


def _message(raw: Mapping[str, Any]) -> Message:
    calls = tuple(ToolCall(id=call["id"], name=call["name"], arguments=json.dumps(call["arguments"])) for call in raw.get("tool_calls") or ())
    tool_call_id = raw["id"] if raw["role"] == "tool" else None
    content = raw["content"] or None if calls else raw["content"] or ""
    return Message(role=raw["role"], content=content, tool_calls=calls, tool_call_id=tool_call_id, error=bool(raw.get("error")))
