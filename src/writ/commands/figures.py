"""What an evaluation shows in a terminal, and its figures as JSON, which the page is made of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from writ.runners.evaluate import Examined
from writ.scoring.compare import Comparison
from writ.scoring.official import Agreement
from writ.scoring.statistics import Interval
from writ.scoring.summary import PassHat, Resampling, Summary


class Measured(NamedTuple):
    """All that is known of the models."""

    summaries: Sequence[Summary]
    compared: Sequence[Comparison]
    examined: Mapping[str, Examined]
    how: Resampling
    chance: float | None
    """Of tasks of our own: a benchmark's do not say whose a record is."""


def print_figures(measured: Measured) -> None:
    console = Console(highlight=False)
    console.print(_pass_table(measured))
    for summary in measured.summaries:
        console.print(_cell_table(summary))
        spent = summary.tokens
        per_success = f"{spent.per_success:,.0f} per success" if spent.per_success is not None else "no success"
        console.print(
            f"{summary.model}: {spent.per_conversation:,.0f} tokens per conversation ({spent.agent_per_conversation:,.0f} agent), {per_success}"
        )
        console.print(f"{summary.model}: failed by " + (", ".join(f"{kind} {count}" for kind, count in summary.errors.items()) or "nothing"))
        console.print(f"{summary.model}: {summary.lucky} succeeded although a check of the process failed")
    if measured.chance is not None:
        console.print("guessing: all else right, and each of the person's own records drawn among those of its kind")
    for each in measured.compared:
        console.print(
            f"{each.first} - {each.second}: pass^1 {_difference(each.difference)} over {each.tasks} tasks, "
            f"better on {each.better}, worse on {each.worse}, exact sign test p = {each.p_value:.3g}"
        )
    for name, one in measured.examined.items():
        console.print(f"scores of {name}  {one.store.url}/scores/{one.plan.keys['scores']}", soft_wrap=True)


def _pass_table(measured: Measured) -> Table:
    most = max((len(summary.overall.by_k) for summary in measured.summaries), default=1)
    table = Table(title=r"pass^k, % of tasks \[interval]", title_justify="left")
    table.add_column("model")
    table.add_column("tasks of")
    for heading in ("tasks", "trials", "unjudged", *(f"pass^{k}" for k in range(1, most + 1))):
        table.add_column(heading, justify="right")
    for summary in measured.summaries:
        groups = {"all": summary.overall, **summary.domains}
        if summary.without_judge is not None:
            groups["all, no assertions"] = summary.without_judge
        for label, figures in groups.items():
            table.add_row(summary.model, label, *_counts(figures), *(_percent(figures, k) for k in range(1, most + 1)))
    if measured.chance is not None:
        table.add_row("guessing", "all", "", "", "", f"{100 * measured.chance:.1f}")
    return table


def _counts(figures: PassHat) -> tuple[str, str, str]:
    return str(figures.tasks), str(figures.trials), str(figures.unjudged)


def _percent(figures: PassHat, k: int) -> str:
    if k not in figures.by_k:
        return "·"
    value, low, high = figures.by_k[k]
    return f"{value:.1%} [{low:.1%}, {high:.1%}]".replace("%", "")


def _difference(found: Interval) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _cell_table(summary: Summary) -> Table:
    table = Table(title=f"{summary.model}: successes / trials by gold writes and evidence burden", title_justify="left")
    for heading in ("domain", "writes", "burden", "tasks", "successes", "trials", "share"):
        table.add_column(heading, justify="left" if heading == "domain" else "right")
    for cell in summary.cells:
        counts = (str(cell.tasks), str(cell.successes), str(cell.trials), f"{cell.successes / cell.trials:.0%}")
        table.add_row(cell.domain, str(cell.writes), cell.burden or "·", *counts)
    return table


def figures_of(measured: Measured, agreements: Sequence[Agreement]) -> dict[str, Any]:
    """Also what stands where: the keys of attempts and scores."""
    return {
        "models": [summary.model_dump(mode="json") for summary in measured.summaries],
        "chance": measured.chance,
        "comparisons": [each.model_dump(mode="json") for each in measured.compared],
        "official": [each.model_dump(mode="json") for each in agreements],
        "artifacts": {name: {"attempts": one.plan.keys["attempts"], "scores": one.plan.keys["scores"]} for name, one in measured.examined.items()},
    }
