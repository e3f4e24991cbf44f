"""Conversations that were made elsewhere: OpenAI messages as JSON lines, or a tau2-bench results file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from writ.errors import ArtifactError, ConfigError
from writ.schema import Call, Certificate, Decision, Message, Task, Termination, Told, ToolCall, Trajectory

_NO_CERTIFICATE = Certificate(rivals=(), plan=(), burden=0, relevant=0)

_TERMINATIONS: Mapping[str, Termination] = {
    "user_stop": "user_stop",
    "agent_stop": "user_stop",
    "max_steps": "max_steps",
    "too_many_errors": "max_errors",
    "agent_error": "agent_error",
    "user_error": "user_error",
    "infrastructure_error": "infrastructure",
}


class Foreign(NamedTuple):
    """A conversation from elsewhere, with its task where one came along, and the outcome that was recorded for it."""

    trajectory: Trajectory
    task: Task | None
    recorded_reward: float | None
    recorded_db_match: bool | None


def read_foreign(path: Path, domain: str) -> Iterator[Foreign]:
    """Conversations of a file in either form. Raises: ConfigError (cannot be read), ArtifactError (not a recording; names the place)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path} cannot be read ({e}); name a results file, or JSON lines of OpenAI messages") from e
    whole = _whole(text)
    if isinstance(whole, dict) and "simulations" in whole:
        yield from _tau2(whole, domain, path)
    else:
        yield from _lines(text, domain, path)


def _whole(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _lines(text: str, domain: str, path: Path) -> Iterator[Foreign]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                entry = json.loads(line)
                spoken = entry["messages"] if isinstance(entry, dict) else entry
                name = str(entry.get("id", number)) if isinstance(entry, dict) else str(number)
                yield Foreign(_trajectory(name, "", domain, _openai(spoken), "user_stop", ""), None, None, None)
            except (ValueError, KeyError, TypeError, AttributeError) as e:
                raise ArtifactError(f"{path}, line {number} is no conversation ({e}); each line is an object with 'messages' in OpenAI form") from e


def _tau2(whole: Mapping[str, Any], domain: str, path: Path) -> Iterator[Foreign]:
    tasks = {str(task["id"]): task for task in whole.get("tasks", ())}
    for number, simulation in enumerate(whole["simulations"]):
        try:
            reward = simulation.get("reward_info") or {}
            task = _scored_by(reward, tasks.get(str(simulation["task_id"])))
            reason = str(simulation.get("termination_reason"))
            ending = _TERMINATIONS.get(reason, "agent_error")
            trajectory = _trajectory(str(simulation["id"]), str(simulation["task_id"]), domain, _openai(simulation["messages"]), ending, reason)
            match = (reward.get("db_check") or {}).get("db_match")
            yield Foreign(trajectory, benchmark_task(task, domain) if task else None, reward.get("reward"), match)
        except (KeyError, TypeError, AttributeError, ValueError) as e:
            raise ArtifactError(f"{path}: simulation {number} is not as the benchmark writes it ({e!r}); take the file as published") from e


def _scored_by(reward: Mapping[str, Any], task: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The task that a simulation was scored by: published files renumber their tasks, so the scored actions say more than the id."""
    if not reward:
        return task
    checks = reward.get("action_checks") or ()
    told = [check["info"] for check in reward.get("communicate_checks") or ()]
    basis = reward.get("reward_basis") or (task or {}).get("evaluation_criteria", {}).get("reward_basis")
    criteria = {"actions": [check["action"] for check in checks], "communicate_info": told, "reward_basis": basis}
    return {"id": (task or {}).get("id", ""), "evaluation_criteria": criteria}


def _trajectory(name: str, task_id: str, domain: str, messages: tuple[Message, ...], ending: Termination, detail: str) -> Trajectory:
    return Trajectory(
        id=name,
        task_id=task_id,
        instruction_id="",
        domain=domain,
        rollout=0,
        source="recorded",
        agent="recorded",
        user="recorded",
        messages=messages,
        termination=ending,
        detail=detail,
    )


def _openai(spoken: list[dict[str, Any]]) -> tuple[Message, ...]:
    """Messages of either dialect; the system prompt is left out."""
    return tuple(_message(entry) for entry in spoken if entry["role"] != "system")


def _message(entry: Mapping[str, Any]) -> Message:
    calls = tuple(_call(call) for call in entry.get("tool_calls") or ())
    return Message(
        role=entry["role"],
        content=entry.get("content"),
        tool_calls=calls,
        tool_call_id=(entry.get("tool_call_id") or entry.get("id")) if entry["role"] == "tool" else None,
        error=bool(entry.get("error")),
    )


def _call(call: Mapping[str, Any]) -> ToolCall:
    named = call.get("function") or call
    arguments = named["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=str(call.get("id", "")), name=named["name"], arguments=text)


def benchmark_task(task: Mapping[str, Any], domain: str) -> Task:
    """A benchmark's task as ours: gold actions in one decision, without a certificate; what it communicates as told texts."""
    criteria = task.get("evaluation_criteria") or {}
    calls = tuple(Call(name=action["name"], arguments=action.get("arguments") or {}) for action in criteria.get("actions") or ())
    basis = criteria.get("reward_basis") or ("DB", "COMMUNICATE")
    communicate = (criteria.get("communicate_info") or ()) if "COMMUNICATE" in basis else ()
    told = tuple(Told(name="communicate_info", form="text", value=str(value)) for value in communicate)
    decision = Decision(outcome="act", calls=calls, told=told, certificate=_NO_CERTIFICATE)
    return Task(id=str(task["id"]), domain=domain, kind="normal", user_id="", wishes=(), decisions=(decision,), tool="", burden=0, relevant=0)
