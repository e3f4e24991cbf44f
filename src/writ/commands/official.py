"""`writ evaluate --official`: the benchmark's own runner beside ours, against the same endpoints."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from writ.commands.configuration import api_key
from writ.errors import ConfigError
from writ.llm import EndpointSettings
from writ.runners.evaluate import Examined, gold_at_hand
from writ.runners.official import interpreter, official
from writ.scoring.official import Agreement, agreement
from writ.scoring.summary import Resampling
from writ.settings import RunConfig


class Beside:
    """The other runner. Raises: ConfigError where it cannot run."""

    def __init__(self, benchmark: str | None, checkout: Path, python: Path | None) -> None:
        if benchmark is None:
            raise ConfigError("--official plays the benchmark's own tasks; name their folder with --benchmark DIR")
        self._benchmark, self._checkout = Path(benchmark), checkout.absolute()
        self._python = interpreter(self._checkout, python)

    @contextmanager
    def endpoints(self, config: RunConfig, named: bool) -> Iterator[RunConfig]:
        """Settings in which both sides have a URL: gold is played where none is set. `named`: whether models come by `--model`."""
        if named or config.simulation.agent.base_url:
            yield config
            return
        tasks = {name: json.loads((self._benchmark / name / "tasks.json").read_text(encoding="utf-8")) for name in config.domains.names}
        with gold_at_hand(config, tasks) as ready:
            yield ready

    def run(self, configs: Mapping[str, RunConfig], examined: Mapping[str, Examined], how: Resampling) -> list[Agreement]:
        """Runs it for every model, and shows where the two differ."""
        found = []
        for name, config in configs.items():
            keys = {"agent": _key(config.simulation.agent), "user": _key(config.simulation.user), "judge": _key(config.evaluation.judge)}
            run = examined[name].plan.keys["scores"]
            trials = official(config, self._checkout, self._python, run, dict(os.environ), keys, lambda line: click.echo(line, err=True))
            found.append(agreement(name, examined[name].scores, trials, how))
            _show(found[-1])
        return found


def _key(settings: EndpointSettings | None) -> str:
    key = api_key(settings) if settings else None
    return key.get_secret_value() if key else ""


def _show(found: Agreement) -> None:
    value, low, high = found.difference
    click.echo(
        f"{found.model}: both runners agree on {found.agree} of {found.tasks} tasks; pass^1 {found.ours:.1%} here, {found.theirs:.1%} there "
        f"(difference {100 * value:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], exact sign test p = {found.p_value:.3g})"
    )
    for pair in found.differ:
        click.echo(f"  {pair.task_id}: {_share(pair.ours)} here, {_share(pair.theirs)} there: {pair.why}")


def _share(value: float | None) -> str:
    return "not judged" if value is None else f"{value:.0%}"
