"""Runs the benchmark's own runner, from a checkout of it, against the endpoints that an evaluation talks to."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from writ.errors import ConfigError, Unavailable
from writ.llm import EndpointSettings
from writ.scoring.official import Trial, read_results
from writ.settings import RunConfig

MOST_AT_ONCE = 10
"""Requests in flight that its HTTP client lets through, whatever is asked of it."""


def interpreter(checkout: Path, given: Path | None) -> Path:
    """The Python in which the runner's packages are. Raises: ConfigError."""
    if not (checkout / "src/tau2/cli.py").is_file():
        raise ConfigError(f"{checkout} is no checkout of the benchmark (src/tau2/cli.py is missing); name its folder with --official")
    candidates = [given] if given else [checkout / folder / "bin/python" for folder in (".venv", "venv")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    raise ConfigError(f"no interpreter at {', '.join(map(str, candidates))}; run 'uv sync' in the checkout, or name one with --official-python")


def official(
    config: RunConfig, checkout: Path, python: Path, name: str, environment: Mapping[str, str], keys: Mapping[str, str], say: Callable[[str], None]
) -> list[Trial]:
    """The trials of all picked tasks. `environment`: of this process, for it to inherit; `keys`: `agent`, `user`, `judge` -> API key.

    What an earlier call finished is taken up again. Raises: Unavailable where the runner fails.
    """
    found: list[Trial] = []
    for domain, numbers in config.evaluation.picked.items():
        run = f"writ-{name}-{domain}"
        command = [str(python), "-c", "from tau2.cli import main; main()", "run", *_arguments(config, domain, numbers, run, keys)]
        say(f"their runner: {domain}, {len(numbers)} tasks, {config.evaluation.trials} trials, into {checkout}/data/simulations/{run}")
        around = _surroundings(config, checkout, environment, keys)
        ended = subprocess.run(command, cwd=checkout, env=around, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if ended.returncode:
            last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            raise Unavailable(f"the benchmark's runner ended with {ended.returncode}; its last words: {last[0]}")
        found += read_results(checkout / "data/simulations" / run / "results.json", domain)
    return found


def _arguments(config: RunConfig, domain: str, numbers: tuple[str, ...], run: str, keys: Mapping[str, str]) -> list[str]:
    sides = config.simulation
    return [
        *("--domain", domain, "--task-ids", *numbers, "--num-trials", str(config.evaluation.trials), "--seed", str(config.seed)),
        *("--agent-llm", f"openai/{sides.agent.model}", "--agent-llm-args", _llm(sides.agent, keys.get("agent", ""))),
        *("--user-llm", f"openai/{sides.user.model}", "--user-llm-args", _llm(sides.user, keys.get("user", ""))),
        *("--max-steps", str(sides.max_steps), "--max-errors", str(sides.max_errors)),
        *("--max-concurrency", str(min(MOST_AT_ONCE, sides.concurrency)), "--log-level", "ERROR", "--save-to", run, "--auto-resume"),
    ]


def _llm(settings: EndpointSettings, key: str) -> str:
    """What its client is told: the address, and the sampling that ours is told too."""
    told = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "extra_body": settings.extra_body or None,
    }
    return json.dumps({"api_base": settings.base_url, "api_key": key or "none"} | {name: value for name, value in told.items() if value is not None})


def _surroundings(config: RunConfig, checkout: Path, environment: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """Its judge can be told nothing but an address: the server there must answer to the name that the runner calls it by."""
    set_ = {"PYTHONPATH": str(checkout / "src"), "TAU2_DATA_DIR": str(checkout / "data"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    judge = config.evaluation.judge
    if judge is not None and judge.base_url and "OPENAI_API_BASE" not in environment:
        set_ |= {"OPENAI_API_BASE": judge.base_url, "OPENAI_API_KEY": keys.get("judge", "") or "none"}
    return {**environment, **set_}
