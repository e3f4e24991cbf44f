"""`writ train`: fine-tune a model on the rows of a run."""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from writ.commands.configuration import config_options, read_config
from writ.commands.progress import Display
from writ.commands.revision import revision
from writ.commands.stored import only
from writ.errors import ConfigError
from writ.jobs.together import together
from writ.pipeline import TRAIN, Plan, key_of
from writ.runners.execute import Listener, read_stage
from writ.runners.train import fetch
from writ.runners.train import train as run_train
from writ.settings import RunConfig
from writ.storage import Store, open_store

NEEDED = ("torch", "transformers", "trl", "peft", "datasets")
INSTALL = "'uv pip install --no-deps --require-hashes -r requirements/train.txt' (train-cpu.txt without a GPU) brings them"
"""Without `--no-deps` the lock for CPUs is refused: it leaves out what torch names and a CPU never loads."""

STOP = "stop"
"""Beside the weights: the file that tells processes which train together to save and end."""


@click.command()
@config_options
@click.option("--run", "run_begin", default="", metavar="ID", help="The run whose dataset is trained on; the only one of the store by default.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Folder for a copy of the weights, tokenizer and adapters.")
@click.option("--check", is_flag=True, help="Only check the rows: lengths, control tokens, the template.")
@click.option("--plain", is_flag=True, help="Plain lines instead of a live display.")
def train(
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    run_begin: str,
    target: Path | None,
    check: bool,
    plain: bool,
) -> None:
    """Fine-tune a model on a run's training rows. Rows are checked before the first step.

    Weights, card and curve are an artifact of the store, `train/KEY`: what stands is not trained again, and a killed training goes on from its last
    checkpoint there, on this machine or another. Needs the packages of requirements/train.txt (train-cpu.txt without a GPU).

    Example: writ train --config recipes/tiny.yaml --out runs --to models/tiny
    """
    config = read_config(config_file, sets, out, domain_data)
    store = open_store(config.out, s3=config.s3)
    keys = dict(only(store, run_begin).keys)
    if check:
        packages()
        _check(config, store, keys)
        return
    plan = Plan({**keys, TRAIN.name: key_of(TRAIN, config, keys)})
    with Display(plain=plain, log=config.log) as display:
        trained(config, plan, store, display.listen)
    key = plan.keys[TRAIN.name]
    if target is not None:
        fetch(store, key, target)
    click.echo(f"model   {TRAIN.name}/{key}  in {store.url}" + (f", copied to {target}" if target else ""))


def trained(config: RunConfig, plan: Plan, store: Store, listen: Listener) -> None:
    """The weights' artifact, by this process or by several that torchrun starts with this one's own arguments."""
    about = {"base model": config.training.model, "code": revision()}
    if "RANK" in os.environ:  # one of several
        scratch, rank = Path(os.environ["WRIT_TRAIN_SCRATCH"]), int(os.environ["RANK"])
        quiet: Listener = listen if rank == 0 else lambda step: None
        run_train(config, plan, store, quiet, about, scratch, main=rank == 0, stop=scratch.with_name(STOP))
        raise click.exceptions.Exit(0)  # what comes after is done by the process that started these
    if not store.exists(f"{TRAIN.name}/{plan.keys[TRAIN.name]}/manifest.json"):
        packages()
    with tempfile.TemporaryDirectory(prefix="writ-train-") as folder:
        if config.training.devices == 1:
            run_train(config, plan, store, listen, about, Path(folder))
        else:
            weights, logs = Path(folder) / "weights", Path(folder) / "logs"
            weights.mkdir()
            os.environ["WRIT_TRAIN_SCRATCH"] = str(weights)
            together(config.training.devices, [sys.executable, "-m", "writ", *sys.argv[1:]], logs, weights.with_name(STOP))


def packages() -> None:
    """Raises: ConfigError where those of training are not here."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"training needs {', '.join(missing)}; {INSTALL}")


def _check(config: RunConfig, store: Store, keys: dict[str, str]) -> None:
    from writ.training.checks import prepare
    from writ.training.sft import open_tokenizer

    rows = [row for row in read_stage(store, keys, "dataset") if row.split == "train"]
    report = prepare(open_tokenizer(config.training, rows), rows, config.training)[1]
    click.echo(f"{report.rows} rows, {report.tokens:,} tokens, {report.trained_share:.1%} with loss, longest {report.longest_tokens:,}")
    click.echo(f"left out for length: {', '.join(report.excluded) or 'none'}")
