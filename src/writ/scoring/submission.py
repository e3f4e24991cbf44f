"""An evaluation in the benchmark's own formats: a results file per domain, and the leaderboard's `submission.json`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from writ.domains.hostile import decoded
from writ.domains.recordings import RawTask
from writ.domains.registry import OpenDomain
from writ.errors import ArtifactError
from writ.llm import EndpointSettings
from writ.schema import Message, Score, Trajectory, canonical
from writ.scoring.benchmark import task_id
from writ.scoring.reward import communicated
from writ.scoring.summary import Summary
from writ.settings import SimulationConfig

BENCHMARK_VERSION = "1.0.1"
MOST_K = 4
"""The leaderboard shows pass^1 to pass^4 and asks for at least four trials."""

_REASONS = {
    "user_stop": "user_stop",
    "transfer": "user_stop",
    "out_of_scope": "user_stop",
    "max_steps": "max_steps",
    "max_errors": "too_many_errors",
    "agent_error": "agent_error",
    "user_error": "user_error",
    "infrastructure": "infrastructure_error",
    "budget": "infrastructure_error",
}


class About(NamedTuple):
    """What no run knows of itself."""

    organization: str
    """Who submits."""
    model_organization: str
    contact: str
    """An e-mail address."""
    date: str
    """`2026-11-23`."""


def submission(summary: Summary, settings: SimulationConfig, about: About, files: Mapping[str, str]) -> dict[str, Any]:
    """The leaderboard's record of one model; always `custom`: writ's training data is of the benchmark's domains, and this is not its runner.

    `files`: domain -> name of its results file. Raises: ArtifactError where a domain has no judged task.
    """
    empty = [domain for domain, figures in summary.domains.items() if not figures.by_k]
    if empty:
        raise ArtifactError(f"domain '{empty[0]}' has no judged task, so there is no pass^1 to submit; set evaluation.judge, or mend the endpoint")
    return {
        "model_name": summary.model,
        "model_organization": about.model_organization,
        "submitting_organization": about.organization,
        "submission_date": about.date,
        "submission_type": "custom",
        "modality": "text",
        "contact_info": {"email": about.contact},
        "is_new": True,
        "trajectories_available": True,
        "trajectory_files": dict(files),
        "results": {domain: _percentages(figures.by_k) for domain, figures in summary.domains.items()},
        "methodology": {
            "evaluation_date": about.date,
            "tau2_bench_version": BENCHMARK_VERSION,
            "user_simulator": settings.user.model,
            "notes": "Evaluated with writ: same prompts, tools, protocol and reward; not the benchmark's own runner.",
            "verification": {"modified_prompts": False, "omitted_questions": any(each.unjudged for each in summary.domains.values())},
        },
    }


def _percentages(by_k: Mapping[int, Any]) -> dict[str, float | None]:
    return {f"pass_{k}": round(100 * by_k[k].value, 2) if k in by_k else None for k in range(1, MOST_K + 1)}


class Recorded(NamedTuple):
    """What a results file is made of, for one domain."""

    site: OpenDomain
    raws: Sequence[RawTask]
    trajectories: Iterable[Trajectory]
    scores: Mapping[str, Score]
    """By trajectory id."""


def results(recorded: Recorded, settings: SimulationConfig, trials: int, timestamp: str, seed: int) -> dict[str, Any]:
    """The benchmark's results file of one domain. Prompts are the benchmark's own. Unknown rewards are left out as it leaves them out: null."""
    by_id = {task_id(recorded.site.name, str(raw["id"])): raw for raw in recorded.raws}
    mine = [each for each in recorded.trajectories if each.task_id in by_id]
    return {
        "timestamp": timestamp,
        "info": _info(recorded.site, settings, trials, seed),
        "tasks": list(recorded.raws),
        "simulations": [_simulation(each, by_id[each.task_id], recorded, timestamp) for each in mine],
    }


def _info(site: OpenDomain, settings: SimulationConfig, trials: int, seed: int) -> dict[str, Any]:
    return {
        "git_commit": "writ",
        "num_trials": trials,
        "max_steps": settings.max_steps,
        "max_errors": settings.max_errors,
        "user_info": {"implementation": "user_simulator", "llm": settings.user.model, "llm_args": _sampling(settings.user)},
        "agent_info": {"implementation": "llm_agent", "llm": settings.agent.model, "llm_args": _sampling(settings.agent)},
        "environment_info": {"domain_name": site.name, "policy": site.snapshot.policy, "tool_defs": None},
        "seed": seed,
    }


def _sampling(endpoint: EndpointSettings) -> dict[str, Any]:
    return {name: value for name in ("temperature", "top_p", "max_tokens") if (value := getattr(endpoint, name)) is not None}


def _simulation(trajectory: Trajectory, raw: RawTask, recorded: Recorded, timestamp: str) -> dict[str, Any]:
    return {
        "id": trajectory.id,
        "task_id": str(raw["id"]),
        "timestamp": timestamp,
        "start_time": timestamp,
        "end_time": timestamp,
        "duration": 0.0,
        "termination_reason": _REASONS[trajectory.termination],
        "agent_cost": None,
        "user_cost": None,
        "reward_info": _reward_info(recorded.scores[trajectory.id], raw, trajectory),
        "messages": [_message(index, message) for index, message in enumerate(trajectory.messages)],
        "trial": trajectory.rollout,
        "seed": None,
    }


def _reward_info(score: Score, raw: RawTask, trajectory: Trajectory) -> dict[str, Any] | None:
    if score.reward is None:
        return None
    criteria = raw.get("evaluation_criteria") or {}
    matched = score.parts.get("DB") == 1.0
    called = {(call.name, _spelled(call.arguments)) for message in trajectory.messages for call in message.tool_calls}
    actions = criteria.get("actions") or ()
    return {
        "reward": score.reward,
        "db_check": {"db_match": matched, "db_reward": float(matched)} if "DB" in score.parts else None,
        "action_checks": [_action(action, (action["name"], canonical(action.get("arguments") or {})) in called) for action in actions],
        "communicate_checks": [_told(str(text), trajectory.messages) for text in criteria.get("communicate_info") or ()],
        "reward_basis": list(score.parts),
        "reward_breakdown": dict(score.parts),
        "info": None,
    }


def _action(action: Mapping[str, Any], met: bool) -> dict[str, Any]:
    return {"action": {"requestor": "assistant", "compare_args": None, **action}, "action_match": met, "action_reward": float(met)}


def _told(text: str, spoken: Sequence[Message]) -> dict[str, Any]:
    met = communicated(text, spoken)
    return {"info": text, "met": met, "justification": f"'{text}' {'stands' if met else 'does not stand'} in a message of the agent."}


def _spelled(arguments: str) -> str:
    return canonical(decoded(arguments))


def _message(index: int, message: Message) -> dict[str, Any]:
    shared = {"role": message.role, "content": message.content, "turn_idx": index}
    if message.role == "tool":
        return {**shared, "id": message.tool_call_id, "requestor": "assistant", "error": message.error}
    calls = [_call(call.id, call.name, call.arguments) for call in message.tool_calls]
    return {**shared, "tool_calls": calls or None}


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "name": name, "arguments": decoded(arguments) or {}, "requestor": "assistant"}
