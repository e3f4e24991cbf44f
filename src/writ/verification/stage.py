"""The verify stage: every check runs on every conversation, and every loss has one cause."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from writ.domains.registry import OpenDomain, open_domain
from writ.errors import ArtifactError, ConfigError
from writ.schema import Check, DomainSnapshot, Instruction, Task, Trajectory, Verdict
from writ.settings import VerificationConfig
from writ.streams import conversations
from writ.verification import outcome as outcomes
from writ.verification import process
from writ.verification.case import Case, not_applicable
from writ.verification.causes import OWNERS
from writ.verification.grounding import grounding
from writ.verification.tone import ToneJudge

CheckFunction = Callable[[Case], Check]

CHECKS: Mapping[str, CheckFunction] = {
    "termination": outcomes.termination,
    "transcript": outcomes.transcript,
    "calls": outcomes.calls,
    "end_state": outcomes.end_state,
    "writes": outcomes.writes,
    "told": outcomes.told,
    "refusals": outcomes.refusals,
    "identified": outcomes.identified,
    "policy": process.policy,
    "turns": process.turns,
    "confirmation": process.confirmation,
    "coverage": process.coverage,
    "grounding": lambda case: grounding(case)[0],
    "user_words": process.user_words,
    "user_end": process.user_end,
    "tone": lambda case: not_applicable("tone", "no judge is asked (verification.judge), or other checks lose the conversation"),
}
"""All checks, in the order in which a failed one names the cause among those of one owner."""

OUTCOME = ("end_state", "told", "refusals")
"""What the reward is made of; the process checks stand beside it."""
BENCHMARK_OUTCOME = ("end_state", "told")
"""The same for a task from elsewhere: the benchmark scores no transfer."""


def verify(
    config: VerificationConfig,
    *,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    tone: ToneJudge | None = None,
) -> Iterator[Verdict]:
    """One verdict per trajectory, in order. Raises: ArtifactError where a trajectory's task or instruction is unknown.

    `tone` judges what all other checks keep, after a batch had its quota: what it loses is not made up for.
    """
    required = required_checks(config)
    judged = _judged(domain, tasks, instructions, trajectories, required)
    return tone.applied(judged, required="tone" in required) if tone else (verdict for _, verdict in judged)


def _judged(
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    required: frozenset[str],
) -> Iterator[tuple[Trajectory, Verdict]]:
    sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    for trajectory, task, instruction in conversations(tasks, instructions, trajectories):
        if trajectory.domain not in sites:
            raise ArtifactError(f"trajectory {trajectory.id} is of domain '{trajectory.domain}', which is not in the run; name it in domains.names")
        yield trajectory, judge(sites[trajectory.domain], trajectory, task, instruction, required)


def required_checks(config: VerificationConfig) -> frozenset[str]:
    """Names of the checks that a kept conversation must pass. Raises: ConfigError for a name that is no check."""
    unknown = set(config.required) - set(CHECKS)
    if unknown:
        raise ConfigError(f"verification.required names '{sorted(unknown)[0]}', which is no check; there are {', '.join(CHECKS)}")
    return frozenset(config.required or CHECKS)


def judge(
    site: OpenDomain,
    trajectory: Trajectory,
    task: Task | None,
    instruction: Instruction | None,
    required: frozenset[str] = frozenset(CHECKS),
    *,
    certified: bool = True,
) -> Verdict:
    """The verdict on one conversation: all checks, whether it is kept, its reward by outcome alone, and the cause where it is lost."""
    case = Case(site, trajectory, task, instruction, certified)
    grounded, origins = grounding(case)
    checks = tuple(grounded if name == "grounding" else check(case) for name, check in CHECKS.items())
    lost = [check for check in checks if check.name in required and check.result in ("fail", "unclear")]
    first = min(lost, key=lambda check: OWNERS.index(check.owner or "agent"), default=None)
    return Verdict(
        trajectory_id=trajectory.id,
        task_id=trajectory.task_id,
        kept=first is None,
        reward=_reward(checks, OUTCOME if certified else BENCHMARK_OUTCOME),
        cause=first.cause if first else "",
        owner=first.owner if first else None,
        checks=checks,
        origins=origins,
    )


def _reward(checks: Sequence[Check], outcome: Sequence[str]) -> float | None:
    """1 where every outcome check that applies passed, 0 where one failed, None where too little could be judged or infrastructure failed."""
    by_name = {check.name: check for check in checks}
    if any(check.owner in ("infrastructure", "environment") and check.result == "fail" for check in checks):
        return None
    if by_name["transcript"].result == "not_applicable":
        return None
    results = [by_name[name].result for name in outcome]
    if all(result == "not_applicable" for result in results):
        return None
    ended = by_name["termination"].result == "pass"
    return float(ended and all(result in ("pass", "not_applicable") for result in results))
