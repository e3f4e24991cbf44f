"""`writ train`: fine-tune a model on the rows of a run."""

from importlib.util import find_spec
from pathlib import Path

import click

from writ import __version__
from writ.commands.configuration import config_options, read_config
from writ.commands.stored import only
from writ.errors import ConfigError
from writ.runners.execute import read_stage
from writ.schema import Row
from writ.settings import RunConfig
from writ.storage import open_store

NEEDED = ("torch", "transformers", "trl", "peft", "datasets")


@click.command()
@config_options
@click.option("--run", "run_begin", default="", metavar="ID", help="The run whose dataset is trained on; the only one of the store by default.")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="Folder for weights, tokenizer, card and curve.")
@click.option("--check", is_flag=True, help="Only check the rows: lengths, control tokens, the template.")
def train(
    config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None, run_begin: str, target: Path, check: bool
) -> None:
    """Fine-tune a model on a run's training rows. Rows are checked before the first step; a killed training goes on from its last checkpoint.

    Needs the packages of requirements/train.txt (train-cpu.txt without a GPU).

    Example: writ train --config recipes/tiny.yaml --out runs --to models/tiny
    """
    config = read_config(config_file, sets, out, domain_data)
    _packages()
    key, rows = _rows(config, run_begin)
    from writ.training.checks import prepare
    from writ.training.sft import open_tokenizer
    from writ.training.sft import train as fine_tune

    if check:
        report = prepare(open_tokenizer(config.training, rows), rows, config.training)[1]
        click.echo(f"{report.rows} rows, {report.tokens:,} tokens, {report.trained_share:.1%} with loss, longest {report.longest_tokens:,}")
        click.echo(f"left out for length: {', '.join(report.excluded) or 'none'}")
        return
    trained = fine_tune(config.training, rows, target)
    from writ.training.card import card, curve

    about = {"base model": config.training.model, "dataset": key, "code": f"writ {__version__}"}
    (target / "README.md").write_text(card(trained, config.training, about), encoding="utf-8")
    (target / "loss.svg").write_bytes(curve(trained.curve))
    click.echo(f"{trained.report.rows} rows, {len(trained.curve)} logged steps, last loss {trained.curve[-1][1]:.4f}, in {target}")


def _packages() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"training needs {', '.join(missing)}; install requirements/train.txt (requirements/train-cpu.txt without a GPU)")


def _rows(config: RunConfig, run_begin: str) -> tuple[str, list[Row]]:
    """Key of the dataset, and its training rows. Raises: ArtifactError where there is no such run."""
    store = open_store(config.out, s3=config.s3)
    run = only(store, run_begin)
    return run.keys["dataset"], [row for row in read_stage(store, run.keys, "dataset") if row.split == "train"]
