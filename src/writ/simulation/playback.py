"""A model that says again what was said: it answers from recorded conversations, as agent and as user.

So the engine and the verifier meet the words of real models over HTTP, without one. An answer follows from the request alone: how often that
side has spoken in it tells which recorded message is next. Beyond its recording the agent takes leave and the user stops.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from writ.domains.recordings import Odd, scenario, simulations, task_of
from writ.errors import ArtifactError, ConfigError
from writ.llm.preflight import PREFLIGHT_USER
from writ.llm.server import Reply, chat_reply, error_reply
from writ.schema import Instruction, Message, Task, ToolCall, Trajectory
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

    Raises: ConfigError if the file cannot be read; ArtifactError if it is no results file.
    """
    try:
        for number, run in enumerate(simulations(json.loads(path.read_bytes()))):
            if run.task is None:
                raise ValueError(f"simulation {number} is of task '{run.task_id}', which the file does not hold")
            name = f"recorded-{number}"
            told = scenario(run.task, domain, name, f"task-{name}")
            yield Recording(task_of(run.task, domain, told.task_id), told, run.messages)
    except OSError as e:
        raise ConfigError(f"recordings {path} cannot be read ({e.strerror}); name a results file") from e
    except Odd as e:
        raise ArtifactError(f"{path} is not a results file of the benchmark's runner ({e!r}); name one") from e
