"""What others recorded, in our records: the benchmark's tasks and results files, and messages in any OpenAI dialect. The one reader of all three.

Whatever is odd raises ValueError, KeyError, TypeError or AttributeError (`Odd`); the caller knows the file and the place, and says them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from writ.schema import Behavior, Call, Certificate, Decision, Instruction, Message, Task, Termination, Told, ToolCall

RawTask = Mapping[str, Any]
"""A task as the benchmark's file has it."""

Odd = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading raises where a file is not as its kind should be."""

NO_CERTIFICATE = Certificate(rivals=(), plan=(), burden=0, relevant=0)

_TERMINATIONS: Mapping[str, Termination] = {
    "user_stop": "user_stop",
    "agent_stop": "user_stop",
    "max_steps": "max_steps",
    "timeout": "max_steps",
    "too_many_errors": "max_errors",
    "user_error": "user_error",
    "infrastructure_error": "infrastructure",
    "unexpected_error": "infrastructure",
}
"""Any other reason is the agent's error."""

_JUDGED_HERE = {"DB", "COMMUNICATE"}
"""Parts of the benchmark's reward that need neither a judge nor assertions over the database."""


class Simulation(NamedTuple):
    """One conversation of a results file."""

    id: str
    task_id: str
    messages: tuple[Message, ...]
    termination: Termination
    reason: str
    """Of its end, in the benchmark's word."""
    task: RawTask | None
    """What it was scored by."""
    reward: float | None
    comparable: bool
    """The reward is made of the end state and what was communicated: neither a judge nor assertions over the database."""
    db_match: bool | None


def simulations(results: Mapping[str, Any]) -> Iterator[Simulation]:
    """The conversations of a results file, in its order. Raises: `Odd`, naming the simulation where it can."""
    tasks = {str(task["id"]): task for task in results.get("tasks") or ()}
    by_gold = {_gold(task): task for task in reversed(tasks.values())}
    for number, run in enumerate(results["simulations"]):
        try:
            yield _simulation(run, number, tasks, by_gold)
        except Odd as e:
            raise ValueError(f"simulation {number}: {_said(e)}") from e


def _said(error: BaseException) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _simulation(run: Mapping[str, Any], number: int, tasks: Mapping[str, RawTask], by_gold: Mapping[str, RawTask]) -> Simulation:
    task_id, reason = str(run["task_id"]), str(run.get("termination_reason") or "unknown")
    scored = run.get("reward_info") or {}
    parts = set(scored.get("reward_basis") or _JUDGED_HERE)
    return Simulation(
        id=str(run.get("id", number)),
        task_id=task_id,
        messages=messages(run["messages"]),
        termination="user_stop" if reason == "unknown" else _TERMINATIONS.get(reason, "agent_error"),
        reason=reason,
        task=_scored_by(scored, task_id, tasks, by_gold),
        reward=scored.get("reward"),
        comparable=parts <= _JUDGED_HERE,
        db_match=(scored.get("db_check") or {}).get("db_match"),
    )


def _scored_by(scored: Mapping[str, Any], task_id: str, tasks: Mapping[str, RawTask], by_gold: Mapping[str, RawTask]) -> RawTask | None:
    """Published files renumber their tasks, so the actions that a conversation was scored by say more than the id."""
    named = tasks.get(task_id)
    if scored.get("action_checks") is None and not scored.get("db_check"):
        return named  # not scored, or only by how it ended
    actions = [check["action"] for check in scored.get("action_checks") or ()]
    key = _key(actions)
    task = named if named and _gold(named) == key else by_gold.get(key) or named or {"id": task_id}
    told = [check["info"] for check in scored.get("communicate_checks") or ()]
    basis = scored.get("reward_basis") or (task.get("evaluation_criteria") or {}).get("reward_basis")
    return {**task, "evaluation_criteria": {"actions": actions, "communicate_info": told, "reward_basis": basis}}


def _gold(task: RawTask) -> str:
    return _key((task.get("evaluation_criteria") or {}).get("actions") or ())


def _key(actions: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps([(action["name"], action.get("arguments") or {}) for action in actions], sort_keys=True)


def task_of(raw: RawTask, domain: str, task_id: str = "") -> Task:
    """A benchmark's task as ours: the agent's gold actions in one decision, without a certificate; what it communicates as told texts."""
    criteria = raw.get("evaluation_criteria") or {}
    actions = [action for action in criteria.get("actions") or () if (action.get("requestor") or "assistant") == "assistant"]
    calls = tuple(Call(name=action["name"], arguments=action.get("arguments") or {}) for action in actions)
    basis = criteria.get("reward_basis") or ("DB", "COMMUNICATE")
    communicate = (criteria.get("communicate_info") or ()) if "COMMUNICATE" in basis else ()
    told = tuple(Told(name="communicate_info", form="text", value=str(value)) for value in communicate)
    decision = Decision(outcome="act", calls=calls, told=told, certificate=NO_CERTIFICATE)
    name = task_id or str(raw["id"])
    return Task(id=name, domain=domain, kind="normal", user_id="", wishes=(), decisions=(decision,), tool="", burden=0, relevant=0)


def starts_elsewhere(raw: RawTask) -> bool:
    """Whether a task begins in another state than the database's, or lets the user act on it: then its end state cannot be judged here."""
    actions = (raw.get("evaluation_criteria") or {}).get("actions") or ()
    initial = raw.get("initial_state") or {}
    return any(initial.values()) or any(action.get("requestor") == "user" for action in actions)


def scenario(raw: RawTask, domain: str, instruction_id: str, task_id: str) -> Instruction:
    """The user's scenario, word for word; nothing of it is known as slots or facts."""
    told = raw["user_scenario"]["instructions"]
    fields = told if isinstance(told, dict) else {"reason_for_call": told}
    texts = {name: fields.get(name) or "" for name in ("reason_for_call", "known_info", "unknown_info", "task_instructions")}
    return Instruction(
        id=instruction_id,
        task_id=task_id,
        domain=domain,
        user_id="",
        wishes=(),
        identity=(),
        facts=(),
        behavior=Behavior(),
        persona=raw["user_scenario"].get("persona") or "",
        seed=0,
        **texts,
    )


# ------------------------------------------------------------------------------------------------------------------------- messages


def messages(spoken: Any) -> tuple[Message, ...]:
    """Messages of any dialect, without system prompts: OpenAI's (its older function calls and text parts too), the benchmark's, mixed.

    Calls get ids of their own where theirs are missing or not the only ones, and results find their call by id, else by order.
    """
    if not isinstance(spoken, list):
        raise ValueError("its messages are no list")
    read: list[Message] = []
    pairs = _Pairs()
    for place, entry in enumerate(_flat(spoken)):
        role = entry.get("role") if isinstance(entry, dict) else None
        if role in ("user", "assistant"):
            calls = tuple(pairs.opened(place, call) for call in _calls(entry))
            text = _text(entry.get("content"))
            read.append(Message(role=role, content=text or None if calls else text or "", tool_calls=calls))
        elif role in ("tool", "function"):
            error = bool(entry.get("error"))
            read.append(Message(role="tool", content=_text(entry.get("content")) or "", tool_call_id=pairs.answered(entry), error=error))
        elif role not in ("system", "developer"):
            raise ValueError(f"message {place} has the role {role!r}")
    return tuple(read)


def _flat(spoken: Iterable[Any]) -> Iterator[Any]:
    """Several results in one message, as the benchmark's runner holds them, one by one."""
    for entry in spoken:
        several = entry.get("tool_messages") if isinstance(entry, dict) else None
        yield from several if isinstance(several, list) else (entry,)


def _calls(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    calls = entry.get("tool_calls") or ([entry["function_call"]] if entry.get("function_call") else [])
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ValueError("its tool calls are no list of objects")
    return calls


class _Pairs:
    """Calls that wait for their results: as written, and as we name them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str, str]] = []
        """Id and name as written, our id."""
        self._taken: set[str] = set()

    def opened(self, place: int, call: Mapping[str, Any]) -> ToolCall:
        named = call.get("function") or call
        name, arguments, written = named.get("name"), named.get("arguments"), str(call.get("id") or "")
        if not isinstance(name, str):
            raise ValueError(f"message {place} holds a call without a name")
        ours = written if written and written not in self._taken else f"call-{place}-{len(self._taken)}"
        self._taken.add(ours)
        self._waiting.append((written, name, ours))
        text = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
        return ToolCall(id=ours, name=_clean(name), arguments=_clean(text))

    def answered(self, result: Mapping[str, Any]) -> str:
        """Our id of the call that a result answers; the result's own where it answers none that waits."""
        written, name = str(result.get("tool_call_id") or result.get("id") or ""), result.get("name")
        fitting = [each for each in self._waiting if each[0] == written] if written else [each for each in self._waiting if name in (None, each[1])]
        if not fitting:
            return written
        self._waiting.remove(fitting[0])
        return fitting[0][2]


def _text(content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content and _clean(content)
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return _clean("\n".join(str(part["text"]) for part in content if "text" in part))
    return _clean(json.dumps(content))


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can hold and no file can."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
