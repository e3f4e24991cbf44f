"""Conversations that were made elsewhere: OpenAI messages, or a results file of the benchmark's runner, of this or the first τ-bench."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from writ.domains.recordings import Odd, Simulation, messages, simulations, starts_elsewhere, task_of
from writ.errors import ArtifactError, ConfigError
from writ.schema import Message, Task, Termination, Trajectory

_FORMS = "give a results file, or conversations in OpenAI form: JSON lines, or one JSON list"


class Foreign(NamedTuple):
    """A conversation from elsewhere, with its task where one came along, and the outcome that was recorded for it."""

    trajectory: Trajectory
    task: Task | None
    """None also for a task that starts from a state of its own: then no end state is judged."""
    recorded_reward: float | None
    recorded_db_match: bool | None
    comparable: bool = False
    """The recorded reward is made of what is judged here too."""


def read_foreign(path: Path, domain: str) -> Iterator[Foreign]:
    """Conversations of a file in any of the forms, or of a folder that the benchmark's runner wrote.

    Raises: ConfigError (cannot be read, or is of another domain), ArtifactError (not a recording; names the place).
    """
    path = path / "results.json" if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path} cannot be read ({e}); {_FORMS}") from e
    whole = _whole(text)
    found = 0
    for found, foreign in enumerate(_conversations(whole, text, domain, path), start=1):  # noqa: B007 - counted for the check below
        yield foreign
    if not found:
        raise ArtifactError(f"{path} holds no conversation; {_FORMS}")


def _whole(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _conversations(whole: Any, text: str, domain: str, path: Path) -> Iterator[Foreign]:
    if isinstance(whole, dict) and "tasks" in whole and "simulations" not in whole:
        whole = {**whole, "simulations": [_file(each) for each in sorted((path.parent / "simulations").glob("*.json"))]}
    if isinstance(whole, dict) and "simulations" in whole:
        yield from _tau2(whole, domain, path)
    elif isinstance(whole, list) and not (whole and isinstance(whole[0], dict) and "role" in whole[0]):
        yield from (_entry(entry, number, domain, f"{path}, entry {number}") for number, entry in enumerate(whole, start=1))
    elif whole is not None:
        yield _entry(whole, 1, domain, str(path))
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield _entry(_line(line, f"{path}, line {number}"), number, domain, f"{path}, line {number}")


def _file(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as e:
        raise ArtifactError(f"{path} is no simulation of the benchmark's runner ({e}); take the folder as published") from e


def _line(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as e:
        raise ArtifactError(f"{place} is not JSON ({e}); {_FORMS}") from e


def _entry(entry: Any, number: int, domain: str, place: str) -> Foreign:
    """A conversation as an object with 'messages' (the first τ-bench wrote 'traj', and its task beside), or as the bare list."""
    try:
        fields = entry if isinstance(entry, dict) else {"messages": entry}
        spoken = fields["messages"] if "messages" in fields else fields["traj"]
        trajectory = _trajectory(str(fields.get("id", number)), str(fields.get("task_id", "")), domain, messages(spoken), "user_stop", "")
        if "traj" in fields and "messages" not in fields:
            return _first_tau(trajectory, fields, domain)
        return Foreign(trajectory, None, None, None)
    except Odd as e:
        fact = "it has no 'messages'" if isinstance(e, KeyError) else str(e)
        raise ArtifactError(f"{place} is no conversation ({fact}); {_FORMS}") from e


def _first_tau(trajectory: Trajectory, entry: Mapping[str, Any], domain: str) -> Foreign:
    info = entry.get("info") or {}
    task = info.get("task") or {}
    actions = [{"name": action["name"], "arguments": action["kwargs"]} for action in task.get("actions") or ()]
    raw = {"id": trajectory.task_id, "evaluation_criteria": {"actions": actions, "communicate_info": task.get("outputs") or ()}}
    trial = {"id": f"{trajectory.task_id}-{entry.get('trial', 0)}"}
    state = ((info.get("reward_info") or {}).get("info") or {}).get("r_actions")
    match = None if state is None else bool(state)
    return Foreign(trajectory.model_copy(update=trial), task_of(raw, domain) if task else None, entry.get("reward"), match)


def _tau2(whole: Mapping[str, Any], domain: str, path: Path) -> Iterator[Foreign]:
    try:
        recorded = ((whole.get("info") or {}).get("environment_info") or {}).get("domain_name") or domain
        if recorded != domain:
            raise ConfigError(f"{path} was recorded in domain '{recorded}', not in '{domain}'; name its own with --domain")
        yield from (_foreign(simulation, domain) for simulation in simulations(whole))
    except Odd as e:
        raise ArtifactError(f"{path} is not as the benchmark's runner writes it ({e}); take the file as published") from e


def _foreign(simulation: Simulation, domain: str) -> Foreign:
    task = None if simulation.task is None or starts_elsewhere(simulation.task) else task_of(simulation.task, domain)
    name, task_id, said = simulation.id, simulation.task_id, simulation.messages
    trajectory = _trajectory(name, task_id, domain, said, simulation.termination, simulation.reason)
    return Foreign(trajectory, task, simulation.reward, simulation.db_match, simulation.comparable)


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
