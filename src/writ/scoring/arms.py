"""Arms of an ablation side by side: each model is a seed of its arm, and every figure has an interval over the exam's tasks."""

from collections.abc import Mapping, Sequence

from writ.errors import ArtifactError
from writ.schema import Record, Score, burden_bin
from writ.scoring.statistics import Interval, bootstrap, mean, paired_bootstrap
from writ.scoring.summary import Resampling, tallies


class ArmFigures(Record):
    """One arm in one exam."""

    exam: str
    arm: str
    success: Interval
    """Mean over its seeds and the exam's tasks, with an interval by resampling tasks."""
    by_seed: dict[int, float]
    against_first: Interval | None
    """Difference to the first arm over the same tasks; None for the first arm itself."""
    cells: dict[str, float]
    """Writes and burden -> success."""


def figures(exam: str, scores: Mapping[str, Mapping[int, Sequence[Score]]], how: Resampling) -> list[ArmFigures]:
    """`scores`: arm -> seed -> the scores of that model. Raises: ArtifactError where two models were asked about different tasks."""
    rates = {arm: {seed: _rates(each) for seed, each in seeds.items()} for arm, seeds in scores.items()}
    tasks = sorted({key for seeds in rates.values() for each in seeds.values() for key in each})
    for arm, seeds in rates.items():
        for seed, each in seeds.items():
            if len(each) < len(tasks):
                raise ArtifactError(f"exam '{exam}': arm '{arm}' of seed {seed} was judged on {len(each)} of {len(tasks)} tasks; run it again")
    by_task = {arm: [mean([each[task] for each in seeds.values()]) for task in tasks] for arm, seeds in rates.items()}
    first, *_ = by_task
    settings = {"seed": how.seed, "resamples": how.resamples, "confidence": how.confidence}
    return [
        ArmFigures(
            exam=exam,
            arm=arm,
            success=bootstrap(values, **settings),  # type: ignore[arg-type]
            by_seed={seed: mean(list(each.values())) for seed, each in rates[arm].items()},
            against_first=None if arm == first else paired_bootstrap(values, by_task[first], **settings),  # type: ignore[arg-type]
            cells=_cells([score for each in scores[arm].values() for score in each]),
        )
        for arm, values in by_task.items()
    ]


def _rates(scores: Sequence[Score]) -> dict[tuple[str, str], float]:
    return {task: tally.rate for task, tally in tallies(scores).items()}


def _cells(scores: Sequence[Score]) -> dict[str, float]:
    found: dict[tuple[int, int, str], list[float]] = {}
    for score in scores:
        if score.reward is not None:
            found.setdefault((score.writes, score.burden, f"{score.writes}x{burden_bin(score.burden)}"), []).append(float(score.reward == 1.0))
    cells: dict[str, list[float]] = {}
    for (_, _, name), values in sorted(found.items()):
        cells.setdefault(name, []).extend(values)
    return {name: mean(values) for name, values in cells.items()}
