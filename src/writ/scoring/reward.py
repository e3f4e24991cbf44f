"""A benchmark's reward, part by part, as its own evaluator computes it: the product of the parts that a task names.

DB: the writes of the conversation lead to the same database as the gold actions, of which those that are refused change nothing. COMMUNICATE:
each text stands in some message of the agent, in any case, once the commas of the message are gone. NL_ASSERTION: what a judge said, or nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from writ.domains.environment import Environment
from writ.domains.hostile import decoded
from writ.domains.registry import OpenDomain
from writ.errors import ConfigError
from writ.schema import Message, Trajectory

PARTS = ("DB", "COMMUNICATE", "NL_ASSERTION")

NOT_JUDGED = ("infrastructure", "budget", "user_error")
"""Endings that say nothing of the agent."""

PROPER = ("user_stop", "transfer", "out_of_scope")
"""Endings by a token of the user: the benchmark calls all three a stop of the user. Any other earns 0."""


class Earned(NamedTuple):
    reward: float | None
    """None where a part is unknown."""
    parts: dict[str, float | None]


def basis(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Parts that a task's reward is made of. Raises: ConfigError for one that is not evaluated here."""
    named = tuple((raw.get("evaluation_criteria") or {}).get("reward_basis") or ("DB", "COMMUNICATE"))
    unknown = [part for part in named if part not in PARTS]
    if unknown:
        raise ConfigError(f"task {raw['id']} is rewarded by {unknown[0]}, which writ does not evaluate; leave its domain out of domains.names")
    return named


def assertions(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Statements that a judge must find true of the conversation; empty where the reward does not ask for them."""
    if "NL_ASSERTION" not in basis(raw):
        return ()
    return tuple((raw.get("evaluation_criteria") or {}).get("nl_assertions") or ())


def benchmark_reward(site: OpenDomain, raw: Mapping[str, Any], trajectory: Trajectory, judged: bool | None) -> Earned:
    """`judged`: whether a judge found all assertions met; None where none was asked, or it failed."""
    named = basis(raw)
    if trajectory.termination in NOT_JUDGED:
        return Earned(None, dict.fromkeys(named))
    if trajectory.termination not in PROPER:
        return Earned(0.0, dict.fromkeys(named, 0.0))
    parts = {name: _part(name, site, raw, trajectory, judged) for name in named}
    known = [part for part in parts.values() if part is not None]
    return Earned(None if len(known) < len(parts) else float(all(known)), parts)


def _part(name: str, site: OpenDomain, raw: Mapping[str, Any], trajectory: Trajectory, judged: bool | None) -> float | None:
    criteria = raw.get("evaluation_criteria") or {}
    match name:
        case "DB":
            gold = gold_state(site, criteria.get("actions") or ())
            return float(end_state(site, trajectory).fingerprint() == gold.fingerprint())
        case "COMMUNICATE":
            return float(all(communicated(str(text), trajectory.messages) for text in criteria.get("communicate_info") or ()))
        case _ if not assertions(raw):
            return 1.0
        case _:
            return None if judged is None else float(judged)


def gold_state(site: OpenDomain, actions: Iterable[Mapping[str, Any]]) -> Environment:
    """The world after the gold actions."""
    world = site.environment()
    for action in actions:
        world.call(action["name"], action.get("arguments") or {})
    return world


def end_state(site: OpenDomain, trajectory: Trajectory) -> Environment:
    """The world after a conversation's writes."""
    world = site.environment()
    for call in (call for message in trajectory.messages for call in message.tool_calls):
        arguments = decoded(call.arguments)
        if arguments is not None and world.writes(call.name):
            world.call(call.name, arguments)
    return world


def communicated(text: str, messages: Iterable[Message]) -> bool:
    """As the benchmark tests it: only the message loses its commas, so a text that holds one is never found."""
    said = (message.content.lower().replace(",", "") for message in messages if message.role == "assistant" and message.content)
    return any(text.lower() in content for content in said)
