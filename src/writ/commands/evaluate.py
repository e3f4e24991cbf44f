"""`writ evaluate`: measure models on held-out tasks, or on a benchmark's own, and compare them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from writ.artifacts import read_manifest
from writ.commands.configuration import api_key, config_options, read_config
from writ.commands.figures import Measured, figures_of, print_figures
from writ.commands.files import NewFile, make_folder, write_file
from writ.commands.official import Beside
from writ.commands.progress import Display
from writ.domains.registry import open_domain
from writ.errors import ConfigError, Unavailable
from writ.llm import EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.preflight import await_models
from writ.report.evaluation import evaluation_page
from writ.runners.evaluate import Examined, examine, named, pick
from writ.runners.pods import Pod, show
from writ.runners.serving import served_weights
from writ.runners.simulate import Keys
from writ.runners.train import fetch
from writ.scoring.benchmark import chosen
from writ.scoring.compare import compare
from writ.scoring.submission import About, Recorded, results, submission
from writ.scoring.summary import Resampling, Summary, summarize
from writ.settings import RunConfig
from writ.storage import open_store


@click.command()
@config_options
@click.option("--benchmark", metavar="DIR", help="The benchmark's folder: its own tasks, prompts, protocol and reward, instead of held-out tasks.")
@click.option("--model", "models", multiple=True, metavar="NAME=URL", help="A model to measure: a URL, or train/KEY of the store; may repeat.")
@click.option("--to", "target", type=NewFile(), metavar="FILE", help="File for all figures, as JSON.")
@click.option("--page", type=NewFile(), metavar="FILE", help="File for all figures, as one HTML page.")
@click.option("--submission", "folder", type=click.Path(path_type=Path), help="Folder for leaderboard files in the benchmark's format.")
@click.option("--about", default="", metavar="ORG,MODEL_ORG,EMAIL", help="What the leaderboard asks of a submission.")
@click.option("--official", metavar="DIR", type=click.Path(path_type=Path), help="A checkout of the benchmark: its own runner plays too.")
@click.option("--official-python", metavar="FILE", type=click.Path(path_type=Path), help="Its interpreter; DIR/.venv/bin/python by default.")
@click.option("--plain", is_flag=True, help="Plain lines instead of a live display.")
def evaluate(
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    benchmark: str | None,
    models: tuple[str, ...],
    target: Path | None,
    page: Path | None,
    folder: Path | None,
    about: str,
    official: Path | None,
    official_python: Path | None,
    plain: bool,
) -> None:
    """Measure models as agents: pass^k with intervals, cells, tokens, errors, and paired tests where there are several.

    Without --benchmark, on tasks of persons that no training data is about. Over a benchmark's tasks, without any URL, gold actions are replayed.
    What is finished is skipped; what was interrupted goes on. With --official the benchmark's own runner talks to the same endpoints, and both are
    compared task by task.

    Example: writ evaluate --benchmark tau2-bench --set simulation.user.base_url=http://user:8000/v1 --model tuned=http://agent:8000/v1
    """
    config = _configured(read_config(config_file, sets, out, benchmark or domain_data), benchmark)
    who = _submitter(config, folder, about) if folder is not None else None
    beside = Beside(benchmark, official, official_python) if official else None
    with ExitStack() as stack:
        if beside is not None:
            config = stack.enter_context(beside.endpoints(config, bool(models)))
        configs = _named(_models(config, models, stack))
        display = stack.enter_context(Display(plain=plain, log=config.log))
        measured = _measure(config, configs, display)
        figures = figures_of(measured, beside.run(configs, measured.examined, measured.how) if beside else [])
    print_figures(measured)
    if target is not None:
        write_file(target, json.dumps(figures, indent=2) + "\n")
    if page is not None:
        write_file(page, evaluation_page(figures))
    if folder is not None and who is not None:
        for summary in measured.summaries:
            _submit(folder / summary.model.replace("/", "_"), summary, configs[summary.model], measured.examined[summary.model], who)


class Sidecar(NamedTuple):
    """A server in another container of the same pod."""

    url: str
    """Empty: there is none."""
    wait_s: float
    """Most seconds until it is ready."""


def evaluate_pod(pod: Pod, sidecar: Sidecar, display: Display) -> None:
    """What the pipeline's container does: the run's models, and the sidecar's, on held-out tasks, or on those that `evaluation.picked` names."""
    config = pod.config if pod.config.evaluation.picked else _configured(pod.config, None)
    sides = [_with_agent(config, {"model": name, "base_url": url}) for name, url in config.evaluation.models.items()]
    made = f"train/{pod.plan.keys['train']}"  # what tells the weights of one name from those of another run
    sides += [_with_agent(config, {"model": name, "base_url": sidecar.url, "revision": made}) for name in _served(sidecar)]
    measured = _measure(config, _named(sides or [config]), display)
    figures = figures_of(measured, [])
    print_figures(measured)
    last = list(measured.examined.values())[-1]
    manifest = read_manifest(pod.store, "scores", last.plan.keys["scores"])
    if manifest is not None:
        show(replace(pod, plan=last.plan), manifest)
    for name, data in (("evaluation.json", json.dumps(figures, indent=2).encode()), ("evaluation.html", evaluation_page(figures))):
        pod.store.put(f"scores/{last.plan.keys['scores']}/{name}", data)
        (pod.outputs / name).write_bytes(data)


def _served(sidecar: Sidecar) -> tuple[str, ...]:
    """Names of the sidecar's models. Raises: ConfigError where it does not get ready: to start the pod again would not mend it."""

    async def ask() -> tuple[str, ...]:
        endpoint = open_endpoint(EndpointSettings(model="sidecar", base_url=sidecar.url, ready_within_s=sidecar.wait_s), None)
        try:
            return await await_models(endpoint)
        finally:
            await endpoint.close()

    try:
        return asyncio.run(ask()) if sidecar.url else ()
    except Unavailable as e:
        raise ConfigError(f"{e}. It runs in this very pod: read the log of its container; --server-wait-s gives it more time") from e


def _named(configs: Sequence[RunConfig]) -> dict[str, RunConfig]:
    return {each.simulation.agent.model: each for each in map(named, configs)}


def _measure(config: RunConfig, configs: Mapping[str, RunConfig], display: Display) -> Measured:
    examined: dict[str, Examined] = {}
    for name, each in configs.items():
        keys = Keys(api_key(each.simulation.agent), api_key(each.simulation.user))
        judge = each.evaluation.judge
        examined[name] = examine(each, display.listen, keys, api_key(judge) if judge else None)
    how = Resampling(config.seed, config.evaluation.resamples, config.evaluation.confidence)
    summaries = [summarize(name, each.scores, how) for name, each in examined.items()]
    compared = compare({name: each.scores for name, each in examined.items()}, how)
    guessed = None if config.evaluation.picked else next(iter(examined.values())).chance()
    return Measured(summaries, compared, examined, how, guessed)


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


def _models(config: RunConfig, models: Sequence[str], stack: ExitStack) -> list[RunConfig]:
    """The settings of each model; those of the settings alone where none is named. Weights of the store are served as long as `stack` is open."""
    given = [model.partition("=") for model in models]
    if any(not name or not place for name, _, place in given):
        raise ConfigError("--model wants NAME=URL, such as tuned=http://agent:8000/v1, or NAME=train/KEY for a model of the store")
    pairs = [(name, place) for name, _, place in given] or list(config.evaluation.models.items())
    return [_with_agent(config, _endpoint(config, name, place, stack)) for name, place in pairs] or [config]


def _endpoint(config: RunConfig, name: str, place: str, stack: ExitStack) -> dict[str, str]:
    if not place.startswith("train/"):
        return {"model": name, "base_url": place}
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="writ-weights-")))
    fetch(open_store(config.out, s3=config.s3), place.removeprefix("train/"), folder)
    return {"model": name, "base_url": stack.enter_context(served_weights(folder, name)), "revision": place}


def _with_agent(config: RunConfig, update: Mapping[str, str]) -> RunConfig:
    agent = config.simulation.agent.model_copy(update=dict(update))
    return config.model_copy(update={"simulation": config.simulation.model_copy(update={"agent": agent})})


# -------------------------------------------------------------------------------------------------------------- the leaderboard's files


def _submitter(config: RunConfig, folder: Path, about: str) -> About:
    """What the leaderboard asks of whoever submits; looked at before the work."""
    if not config.evaluation.picked:
        raise ConfigError("--submission is for the benchmark's own tasks; name them with --benchmark DIR")
    parts = [part.strip() for part in about.split(",")]
    if len(parts) != 3 or not all(parts):
        raise ConfigError(f"--submission needs --about ORG,MODEL_ORG,EMAIL, and '{about}' is not that; the leaderboard asks for all three")
    make_folder(folder)
    return About(parts[0], parts[1], parts[2], datetime.now(UTC).date().isoformat())


def _submit(folder: Path, summary: Summary, config: RunConfig, examined: Examined, who: About) -> None:
    """`submission.json` and `trajectories/<file>` per domain; nothing where the benchmark's rules refuse the submission."""
    scores = {score.trajectory_id: score for score in examined.scores}
    snapshots = list(examined.snapshots())
    files = {each.name: f"{summary.model.replace('/', '_')}_{each.name}_{config.evaluation.trials}trials.json" for each in snapshots}
    record = submission(summary, config.simulation, who, files)
    make_folder(folder / "trajectories")
    for snapshot in snapshots:
        raws = list(chosen(snapshot, config.evaluation.picked))
        recorded = Recorded(open_domain(snapshot), raws, examined.trajectories(), scores)
        whole = results(recorded, config.simulation, config.evaluation.trials, datetime.now(UTC).isoformat(), config.seed)
        write_file(folder / "trajectories" / files[snapshot.name], json.dumps(whole, ensure_ascii=False))
    write_file(folder / "submission.json", json.dumps(record, indent=2) + "\n")
