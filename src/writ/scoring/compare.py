"""Models side by side: each pair compared on the tasks that both were judged on."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from writ.errors import ArtifactError
from writ.schema import Record, Score
from writ.scoring.statistics import Interval, paired_bootstrap, sign_test
from writ.scoring.summary import Resampling, tallies


class Comparison(Record):
    """How much better `first` is than `second`, over the tasks that they share."""

    first: str
    second: str
    tasks: int
    difference: Interval
    """Of pass^1, first minus second, with a paired bootstrap interval over tasks."""
    better: int
    """Tasks on which `first` succeeds more often."""
    worse: int
    p_value: float
    """Exact sign test over tasks; with one trial per task, McNemar's exact test."""


def compare(scores: Mapping[str, Sequence[Score]], how: Resampling = Resampling()) -> list[Comparison]:  # noqa: B008 - frozen
    """Every pair of models, the later named one first: `tuned` against `base`.

    Raises: ArtifactError for two models without a task in common.
    """
    return [_pair(first, second, scores, how) for second, first in combinations(scores, 2)]


def _pair(first: str, second: str, scores: Mapping[str, Sequence[Score]], how: Resampling) -> Comparison:
    ours, theirs = tallies(scores[first]), tallies(scores[second])
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise ArtifactError(f"'{first}' and '{second}' share no judged task; evaluate both with the same settings")
    mine, other = [ours[task].rate for task in shared], [theirs[task].rate for task in shared]
    return Comparison(
        first=first,
        second=second,
        tasks=len(shared),
        difference=paired_bootstrap(mine, other, seed=how.seed, resamples=how.resamples, confidence=how.confidence),
        better=sum(one > another for one, another in zip(mine, other, strict=True)),
        worse=sum(one < another for one, another in zip(mine, other, strict=True)),
        p_value=sign_test(mine, other),
    )
