"""`writ evaluate`: measure models on held-out tasks, or on a benchmark's own, and compare them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from writ.commands.configuration import api_key, config_options, read_config
from writ.commands.files import NewFile, write_file
from writ.commands.progress import Display
from writ.domains.registry import open_domain
from writ.errors import ConfigError
from writ.runners.evaluate import Examined, examine, named, pick
from writ.runners.simulate import Keys
from writ.scoring.benchmark import chosen
from writ.scoring.compare import Comparison, compare
from writ.scoring.statistics import Interval
from writ.scoring.submission import About, Recorded, results, submission
from writ.scoring.summary import PassHat, Resampling, Summary, summarize
from writ.settings import RunConfig


@click.command()
@config_options
@click.option("--benchmark", metavar="DIR", help="The benchmark's folder: its own tasks, prompts, protocol and reward, instead of held-out tasks.")
@click.option("--model", "models", multiple=True, metavar="NAME=URL", help="A model to measure as the agent; may repeat, to compare.")
@click.option("--to", "target", type=NewFile(), metavar="FILE", help="File for all figures, as JSON.")
@click.option("--submission", "folder", type=click.Path(path_type=Path), help="Folder for leaderboard files in the benchmark's format.")
@click.option("--about", default="", metavar="ORG,MODEL_ORG,EMAIL", help="What the leaderboard asks of a submission.")
@click.option("--plain", is_flag=True, help="Plain lines instead of a live display.")
def evaluate(
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    benchmark: str | None,
    models: tuple[str, ...],
    target: Path | None,
    folder: Path | None,
    about: str,
    plain: bool,
) -> None:
    """Measure models as agents: pass^k with intervals, cells, tokens, errors, and paired tests where there are several.

    Without --benchmark, on tasks of persons that no training data is about. Over a benchmark's tasks, without any URL, gold actions are replayed.
    What is finished is skipped; what was interrupted goes on.

    Example: writ evaluate --benchmark tau2-bench --set simulation.user.base_url=http://user:8000/v1 --model tuned=http://agent:8000/v1
    """
    config = _configured(read_config(config_file, sets, out, benchmark or domain_data), benchmark)
    configs = {each.simulation.agent.model: each for each in (named(model) for model in _models(config, models))}
    examined: dict[str, Examined] = {}
    for name, each in configs.items():
        with Display(plain=plain) as display:
            keys = Keys(api_key(each.simulation.agent), api_key(each.simulation.user))
            judge = each.evaluation.judge
            examined[name] = examine(each, display.listen, keys, api_key(judge) if judge else None)
    how = Resampling(config.seed, config.evaluation.resamples, config.evaluation.confidence)
    summaries = [summarize(name, each.scores, how) for name, each in examined.items()]
    compared = compare({name: each.scores for name, each in examined.items()}, how)
    _show(summaries, compared, examined)
    if target is not None:
        write_file(target, json.dumps(_figures(summaries, compared, examined), indent=2) + "\n")
    if folder is not None:
        for summary in summaries:
            _submit(folder / summary.model.replace("/", "_"), summary, configs[summary.model], examined[summary.model], about)


def _configured(config: RunConfig, benchmark: str | None) -> RunConfig:
    """Held-out tasks without a reserve, or the benchmark's split."""
    if benchmark is None:
        tasks = config.tasks.model_copy(update={"split": "held_out", "reserve_share": 0.0})
        return config.model_copy(update={"tasks": tasks})
    picked = {
        name: pick(_split(Path(benchmark) / name / "split_tasks.json"), config.evaluation.benchmark_split, name) for name in config.domains.names
    }
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"picked": picked})})


def _split(path: Path) -> Mapping[str, list[str]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ConfigError(f"{path} cannot be read ({e}); --benchmark names the folder that holds <domain>/split_tasks.json") from e
    if not isinstance(found, dict):
        raise ConfigError(f"{path} does not hold splits by name; take the benchmark's file")
    return found


def _models(config: RunConfig, models: Sequence[str]) -> list[RunConfig]:
    """The settings of each model; those of the settings alone where none is named."""
    if not models:
        return [config]
    pairs = [model.partition("=") for model in models]
    if any(not name or not url for name, _, url in pairs):
        raise ConfigError("--model wants NAME=URL, such as tuned=http://agent:8000/v1")
    return [_with_agent(config, {"model": name, "base_url": url}) for name, _, url in pairs]


def _with_agent(config: RunConfig, update: Mapping[str, str]) -> RunConfig:
    agent = config.simulation.agent.model_copy(update=dict(update))
    return config.model_copy(update={"simulation": config.simulation.model_copy(update={"agent": agent})})


# ------------------------------------------------------------------------------------------------------------------- what is shown


def _show(summaries: Sequence[Summary], compared: Sequence[Comparison], examined: Mapping[str, Examined]) -> None:
    console = Console(highlight=False)
    console.print(_pass_table(summaries))
    for summary in summaries:
        console.print(_cell_table(summary))
        spent = summary.tokens
        per_success = f"{spent.per_success:,.0f} per success" if spent.per_success is not None else "no success"
        console.print(
            f"{summary.model}: {spent.per_conversation:,.0f} tokens per conversation ({spent.agent_per_conversation:,.0f} agent), {per_success}"
        )
        console.print(f"{summary.model}: failed by " + (", ".join(f"{kind} {count}" for kind, count in summary.errors.items()) or "nothing"))
        console.print(f"{summary.model}: {summary.lucky} succeeded although a check of the process failed")
    for each in compared:
        console.print(
            f"{each.first} - {each.second}: pass^1 {_difference(each.difference)} over {each.tasks} tasks, "
            f"better on {each.better}, worse on {each.worse}, exact sign test p = {each.p_value:.3g}"
        )
    for name, one in examined.items():
        console.print(f"scores of {name}  {one.store.url}/scores/{one.plan.keys['scores']}", soft_wrap=True)


def _pass_table(summaries: Sequence[Summary]) -> Table:
    most = max((len(summary.overall.by_k) for summary in summaries), default=1)
    table = Table(title="pass^k, % of tasks [interval]", title_justify="left")
    table.add_column("model")
    table.add_column("tasks of")
    for heading in ("tasks", "trials", "unjudged", *(f"pass^{k}" for k in range(1, most + 1))):
        table.add_column(heading, justify="right")
    for summary in summaries:
        groups = {"all": summary.overall, **summary.domains}
        if summary.without_judge is not None:
            groups["all, no assertions"] = summary.without_judge
        for label, figures in groups.items():
            table.add_row(summary.model, label, *_counts(figures), *(_percent(figures, k) for k in range(1, most + 1)))
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


def _figures(summaries: Sequence[Summary], compared: Sequence[Comparison], examined: Mapping[str, Examined]) -> dict[str, Any]:
    return {
        "models": [summary.model_dump(mode="json") for summary in summaries],
        "comparisons": [each.model_dump(mode="json") for each in compared],
        "artifacts": {name: {"attempts": one.plan.keys["attempts"], "scores": one.plan.keys["scores"]} for name, one in examined.items()},
    }


# -------------------------------------------------------------------------------------------------------------- the leaderboard's files


def _submit(folder: Path, summary: Summary, config: RunConfig, examined: Examined, about: str) -> None:
    """`submission.json` and `trajectories/<file>` per domain."""
    if not config.evaluation.picked:
        raise ConfigError("--submission is for the benchmark's own tasks; name them with --benchmark DIR")
    organization, model_organization, contact = ([part.strip() for part in about.split(",")] + ["", "", ""])[:3]
    if not contact:
        raise ConfigError("--submission needs --about ORG,MODEL_ORG,EMAIL; the leaderboard asks for them")
    now = datetime.now(UTC)
    scores = {score.trajectory_id: score for score in examined.scores}
    files: dict[str, str] = {}
    (folder / "trajectories").mkdir(parents=True, exist_ok=True)
    for snapshot in examined.snapshots():
        raws = list(chosen(snapshot, config.evaluation.picked))
        recorded = Recorded(open_domain(snapshot), raws, examined.trajectories(), scores)
        name = f"{summary.model.replace('/', '_')}_{snapshot.name}_{config.evaluation.trials}trials.json"
        whole = results(recorded, config.simulation, config.evaluation.trials, now.isoformat(), config.seed)
        (folder / "trajectories" / name).write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
        files[snapshot.name] = name
    who = About(organization, model_organization, contact, now.date().isoformat())
    record = submission(summary, config.simulation, who, files)
    (folder / "submission.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
