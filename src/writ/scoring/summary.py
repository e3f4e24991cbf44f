"""One model's figures from its scores: pass^k over all tasks and per domain, cells of the grid, tokens, and what went wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from writ.schema import Record, Score, burden_bin
from writ.scoring.statistics import Interval, Tally, bootstrap, mean, pass_hat_k

SUCCESS = 1 - 1e-6
"""Rewards from here on count as success, as in the benchmark's own metrics."""

TaskKey = tuple[str, str]
"""Domain and task id: the benchmark numbers the tasks of each domain from 0."""

ERROR_TYPES: Mapping[str, tuple[str, ...]] = {
    "wrong argument": ("wrong_argument", "ungrounded_argument", "malformed_arguments"),
    "missing write": ("missing_write",),
    "missing read": ("missing_read", "unidentified"),
    "extra write": ("extra_write", "repeated_write", "forbidden_write"),
    "wrong end state": ("wrong_end_state",),
    "not told": ("missing_fact", "not_declined"),
    "wrong hand-over": ("missing_transfer", "needless_transfer"),
    "premature end": ("premature_stop", "too_long", "too_many_errors", "agent_error"),
    "user's fault": ("out_of_scope", "user_invented", "user_leaked", "wish_not_voiced", "user_error"),
    "not judged": ("infrastructure", "budget", "torn_transcript", "tool_mismatch", "task_broken"),
}
"""The causes of loss in the words of a table; a cause that is not here stands under its own name."""

_TYPE_OF = {cause: kind for kind, causes in ERROR_TYPES.items() for cause in causes}


class PassHat(Record):
    """pass^k of a set of tasks, for k from 1 to the judged trials of the least-run task."""

    tasks: int
    trials: int
    unjudged: int
    """Trials without a reward: left out of every figure."""
    by_k: dict[int, Interval]


class CellScore(Record):
    """A cell of the grid: tasks with so many writes and so much to read."""

    domain: str
    writes: int
    burden: str
    """Name of the bin; empty where no burden is known."""
    tasks: int
    trials: int
    successes: int


class Tokens(Record):
    """What conversations cost, prompt and completion of both sides together."""

    per_conversation: float
    agent_per_conversation: float
    per_success: float | None
    """All tokens spent over the number of successes; None without any."""


class Summary(Record):
    """The figures of one model on one set of tasks."""

    model: str
    overall: PassHat
    """Weighted by task."""
    domains: dict[str, PassHat]
    macro_pass_1: float
    """Mean of the domains' pass^1, each domain weighing the same."""
    without_judge: PassHat | None
    """With NL assertions left out of the reward; None where no task has any."""
    cells: tuple[CellScore, ...]
    tokens: Tokens
    errors: dict[str, int]
    """Failed trials by type of error."""
    lucky: int
    """Trials that succeeded although a check of the process failed: right, and not for the right reason."""


class Resampling(NamedTuple):
    """How intervals are made."""

    seed: int = 0
    resamples: int = 2000
    confidence: float = 0.95


def summarize(model: str, scores: Iterable[Score], how: Resampling = Resampling()) -> Summary:  # noqa: B008 - frozen
    """All figures of one model."""
    all_scores = list(scores)
    names = sorted({score.domain for score in all_scores})
    domains = {name: pass_hats([score for score in all_scores if score.domain == name], how) for name in names}
    judged_by_model = any("NL_ASSERTION" in score.parts for score in all_scores)
    return Summary(
        model=model,
        overall=pass_hats(all_scores, how),
        domains=domains,
        macro_pass_1=mean([domain.by_k[1].value for domain in domains.values() if 1 in domain.by_k]),
        without_judge=pass_hats([leave_out_judge(score) for score in all_scores], how) if judged_by_model else None,
        cells=tuple(cells(all_scores)),
        tokens=tokens(all_scores),
        errors=dict(errors(all_scores).most_common()),
        lucky=sum(succeeded(score) and bool(score.cause) for score in all_scores),
    )


def succeeded(score: Score) -> bool:
    return score.reward is not None and score.reward >= SUCCESS


def tallies(scores: Iterable[Score]) -> dict[TaskKey, Tally]:
    """Per task its judged trials; a task of which no trial could be judged is left out."""
    trials: Counter[TaskKey] = Counter()
    successes: Counter[TaskKey] = Counter()
    for score in scores:
        if score.reward is not None:
            trials[score.domain, score.task_id] += 1
            successes[score.domain, score.task_id] += succeeded(score)
    return {task: Tally(successes[task], count) for task, count in trials.items()}


def pass_hats(scores: Sequence[Score], how: Resampling) -> PassHat:
    """pass^1 to pass^K with intervals, K being the judged trials of the least-run task."""
    by_task = tallies(scores)
    most = min((tally.trials for tally in by_task.values()), default=0)
    return PassHat(
        tasks=len(by_task),
        trials=sum(tally.trials for tally in by_task.values()),
        unjudged=sum(score.reward is None for score in scores),
        by_k={k: _interval([pass_hat_k(tally, k) for tally in by_task.values()], how) for k in range(1, most + 1)},
    )


def _interval(values: Sequence[float], how: Resampling) -> Interval:
    return bootstrap(values, seed=how.seed, resamples=how.resamples, confidence=how.confidence)


def leave_out_judge(score: Score) -> Score:
    """The score as it would be without NL assertions: its other parts' product, where the conversation could be judged at all."""
    if "NL_ASSERTION" not in score.parts:
        return score
    rest = [part for name, part in score.parts.items() if name != "NL_ASSERTION"]
    known = [part for part in rest if part is not None]
    reward = None if len(known) < len(rest) else float(all(part >= SUCCESS for part in known))
    return score.model_copy(update={"reward": reward})


def cells(scores: Iterable[Score]) -> list[CellScore]:
    """Success by writes and evidence burden, in that order, per domain."""
    groups: dict[tuple[str, int, int], list[Score]] = defaultdict(list)
    for score in scores:
        if score.reward is not None:
            groups[score.domain, score.writes, _floor(score.burden)].append(score)
    return [_cell(key, group) for key, group in sorted(groups.items())]


def _floor(burden: int) -> int:
    """Lowest burden of the bin; -1 where none is known."""
    return -1 if burden < 0 else int(burden_bin(burden).split("-")[0].rstrip("+"))


def _cell(key: tuple[str, int, int], group: Sequence[Score]) -> CellScore:
    domain, writes, floor = key
    return CellScore(
        domain=domain,
        writes=writes,
        burden="" if floor < 0 else burden_bin(floor),
        tasks=len({score.task_id for score in group}),
        trials=len(group),
        successes=sum(succeeded(score) for score in group),
    )


def tokens(scores: Sequence[Score]) -> Tokens:
    agent = sum(score.agent_tokens for score in scores)
    both = agent + sum(score.user_tokens for score in scores)
    successes = sum(succeeded(score) for score in scores)
    return Tokens(
        per_conversation=both / len(scores) if scores else 0.0,
        agent_per_conversation=agent / len(scores) if scores else 0.0,
        per_success=both / successes if successes else None,
    )


def errors(scores: Iterable[Score]) -> Counter[str]:
    """Failed and unjudged trials by type of error."""
    failing = (score for score in scores if not succeeded(score))
    return Counter(_TYPE_OF.get(score.cause) or score.cause.replace("_", " ") or _unexplained(score) for score in failing)


def _unexplained(score: Score) -> str:
    """What to call a failure that no check names."""
    if score.reward is None:
        return "not judged"
    return "assertion not met" if score.parts.get("NL_ASSERTION") == 0.0 else "unexplained"
