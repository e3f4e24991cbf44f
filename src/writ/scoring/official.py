"""The benchmark's own runner beside ours: its results file read, and both compared task by task."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from writ.errors import ArtifactError, Unavailable
from writ.schema import Record, Score
from writ.scoring.benchmark import task_id
from writ.scoring.statistics import Interval, paired_bootstrap, sign_test
from writ.scoring.summary import SUCCESS, Resampling


class Trial(Record):
    """One simulation of the benchmark's runner."""

    task_id: str
    """Ours: `airline-3`."""
    reward: float | None
    """None where the runner itself failed: it leaves such trials out."""
    parts: dict[str, float | None]
    ending: str


class TaskPair(Record):
    """One task as both runners saw it."""

    task_id: str
    ours: float | None
    """Share of judged trials that succeeded; None where none was judged."""
    theirs: float | None
    why: str = ""
    """Where they differ: which parts of the reward, and how the conversations ended."""


class Agreement(Record):
    """Both runners on the tasks of one model."""

    model: str
    tasks: int
    agree: int
    differ: tuple[TaskPair, ...]
    ours: float
    """pass^1 over the tasks that both judged."""
    theirs: float
    difference: Interval
    """Ours minus theirs, paired by task."""
    p_value: float
    """Exact sign test over tasks. For a model that samples, tasks differ by chance; a small value says that the runners differ."""


def read_results(path: Path, domain: str) -> list[Trial]:
    """Raises: Unavailable where the runner left no file; ArtifactError where it is no results file."""
    try:
        whole = json.loads(path.read_bytes())
        return [_trial(run, domain) for run in whole["simulations"]]
    except OSError as e:
        raise Unavailable(f"the benchmark's runner left no {path} ({e.strerror}); its own output above says why") from e
    except (ValueError, KeyError, TypeError) as e:
        raise ArtifactError(f"{path} is not a results file of the benchmark's runner ({e!r}); delete it and run again") from e


def _trial(run: Mapping[str, Any], domain: str) -> Trial:
    info = run.get("reward_info") or {}
    failed = "infrastructure" in str(run["termination_reason"]) or info.get("reward") is None
    return Trial(
        task_id=task_id(domain, str(run["task_id"])),
        reward=None if failed else float(info["reward"]),
        parts=info.get("reward_breakdown") or {},
        ending=str(run["termination_reason"]),
    )


def agreement(model: str, scores: Iterable[Score], trials: Iterable[Trial], how: Resampling = Resampling()) -> Agreement:  # noqa: B008 - frozen
    """Task by task, in the order of our scores. Raises: ArtifactError where no task was judged by both."""
    ours, theirs = defaultdict[str, list[Score]](list), defaultdict[str, list[Trial]](list)
    for score in scores:
        ours[score.task_id].append(score)
    for trial in trials:
        theirs[trial.task_id].append(trial)
    pairs = [_pair(name, ours[name], theirs[name]) for name in ours]
    both = [(pair.ours, pair.theirs) for pair in pairs if pair.ours is not None and pair.theirs is not None]
    if not both:
        raise ArtifactError(f"'{model}': no task was judged by both runners; see the endings in the runner's results file")
    mine, other = [one for one, _ in both], [two for _, two in both]
    return Agreement(
        model=model,
        tasks=len(pairs),
        agree=sum(not pair.why for pair in pairs),
        differ=tuple(pair for pair in pairs if pair.why),
        ours=sum(mine) / len(both),
        theirs=sum(other) / len(both),
        difference=paired_bootstrap(mine, other, seed=how.seed, resamples=how.resamples, confidence=how.confidence),
        p_value=sign_test(mine, other),
    )


def _pair(name: str, ours: Sequence[Score], theirs: Sequence[Trial]) -> TaskPair:
    mine, other = _share([score.reward for score in ours]), _share([trial.reward for trial in theirs])
    return TaskPair(task_id=name, ours=mine, theirs=other, why="" if mine == other else _why(ours, theirs))


def _share(rewards: Sequence[float | None]) -> float | None:
    judged = [reward >= SUCCESS for reward in rewards if reward is not None]
    return sum(judged) / len(judged) if judged else None


def _why(ours: Sequence[Score], theirs: Sequence[Trial]) -> str:
    if not theirs:
        return "their runner has no trial of it"
    mine, other = _parts([score.parts for score in ours]), _parts([trial.parts for trial in theirs])
    parts = [
        f"{name} {mine.get(name, '-')} here, {other.get(name, '-')} there" for name in sorted({*mine, *other}) if mine.get(name) != other.get(name)
    ]
    endings = f"ended {', '.join(sorted({score.termination for score in ours}))} here, {', '.join(sorted({trial.ending for trial in theirs}))} there"
    return "; ".join([*parts, endings])


def _parts(all_parts: Sequence[Mapping[str, float | None]]) -> dict[str, str]:
    """Each part's values over the trials: `1`, `0`, `?`."""
    names = {name for parts in all_parts for name in parts}
    return {name: "".join("?" if (value := parts.get(name)) is None else f"{value:g}" for parts in all_parts) for name in names}
