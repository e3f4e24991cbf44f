"""`writ tasks`: show, count and export tasks."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from writ.commands.configuration import config_options, read_config
from writ.commands.files import NewFile, write_file
from writ.domains.registry import BUILT_IN, load_domain
from writ.domains.sources import fingerprint, snapshots
from writ.errors import ArtifactError, ConfigError
from writ.report.terminal import show_task
from writ.schema import BURDEN_BINS, Kind, Task, burden_bin
from writ.settings import RunConfig
from writ.tasks.grid import WELL_FILLED, Bucket
from writ.tasks.stage import Supply, survey, synthesize, unfilled

BINS = tuple(burden_bin(low) for low, _ in BURDEN_BINS)


@click.group()
def tasks() -> None:
    """Show, count and export tasks.

    Example: writ tasks capacity --domain-data tau2-bench
    """


@tasks.command()
@config_options
def capacity(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None) -> None:
    """Each cell's capacity in these databases, what bounds it, and which cells a run of these settings would leave empty.

    Example: writ tasks capacity --set domains.names='[retail]'
    """
    config = read_config(config_file, sets, out, domain_data)
    supply = survey(config.tasks, seed=config.seed, domain=snapshots(config.domains, seed=config.seed, content=fingerprint(config.domains)))
    console = Console()
    for domain in supply.sites:
        users = sum(1 for name, _ in supply.shelves if name == domain)
        for title, rows in _tables(domain, supply.capacity).items():
            table = Table(title=f"{domain}: {title} (tasks by evidence burden, {users} eligible users)", title_justify="left")
            for heading in ("tool or rule", "writes", *BINS, "largest cell is bounded by"):
                table.add_column(heading, justify="right" if heading in ("writes", *BINS) else "left")
            for (tool, writes), cells in sorted(rows.items()):
                largest = max(cells.values(), key=lambda bucket: (supply.capacity[bucket], bucket))
                numbers = (str(supply.capacity[cells[column]]) if column in cells else "·" for column in BINS)
                table.add_row(tool, str(writes), *numbers, supply.bound(largest, config.tasks))
            console.print(table)
    console.print(
        "A cell counts the decisions that can lead a task in it: a lower bound, as one lead can be filled in several ways. '·': no user has such a"
        f" decision among the first {config.tasks.proposals_per_kind} certified of a kind; generated databases of more `domains.users`, or with"
        " `domains.deep`, have more."
    )
    _tell_unfilled(console, supply, config)


@tasks.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--number", "wanted", type=click.IntRange(min=1), default=3, show_default=True, help="Tasks to print, of as many kinds as there are.")
@click.option("--kind", type=click.Choice(get_args(Kind)), help="Only tasks of this kind.")
def show(file: Path, wanted: int, kind: str | None) -> None:
    """Print tasks of a file that `writ tasks export` wrote: each wish in words, its gold, the candidates and why the winner wins.

    Example: writ tasks show tasks.jsonl --number 10
    """
    made = [task for task in _read(file) if kind in (None, task.kind)]
    turns: Counter[tuple[str, str, bool]] = Counter()
    ranked = []
    for task in sorted(made, key=lambda task: task.id):  # an id is a hash of the content: as good as a shuffle
        group = (task.domain, task.kind, task.pair is not None)
        ranked.append((turns[group], task))
        turns[group] += 1
    console = Console(highlight=False)
    for _, task in sorted(ranked, key=lambda each: each[0])[:wanted]:
        console.print(
            f"\n{task.domain}, {task.kind}, {len(task.writes)} writes, burden {task.burden}, user {task.user_id}", style="bold cyan", markup=False
        )
        for part in show_task(task, {"rules": _rules(task.domain)}):
            console.print(part)


def _rules(domain: str) -> dict[str, str]:
    """The clauses of a built-in domain's rules; of another one, a file of tasks does not say where it lies."""
    return {rule.id: rule.clause for rule in load_domain(domain).rules.values()} if domain in BUILT_IN else {}


def _read(file: Path) -> Iterator[Task]:
    """Raises: ConfigError where there is no such file; ArtifactError naming the line that is no task."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"tasks {file} cannot be read ({e}); name a file that 'writ tasks export' wrote") from e
    for number, line in enumerate(lines, start=1):
        try:
            yield Task.model_validate_json(line)
        except ValidationError as e:
            raise ArtifactError(f"{file} line {number} is no task of this version; write it again with 'writ tasks export --format writ'") from e


def _tell_unfilled(console: Console, supply: Supply, config: RunConfig) -> None:
    """Which well filled cells a run of these settings would leave empty."""
    missing = unfilled(supply, config.tasks, count=config.dataset.count, seed=config.seed)
    large = sum(number >= WELL_FILLED for number in supply.capacity.values())
    console.print(f"dataset.count={config.dataset.count} fills {large - len(missing)} of {large} cells of capacity >= {WELL_FILLED}.")
    for reason, number in sorted(Counter(missing.values()).items()):
        console.print(f"  {number} stay empty: {reason}")


def _tables(domain: str, capacity: dict[Bucket, int]) -> dict[str, dict[tuple[str, int], dict[str, Bucket]]]:
    """Title -> row -> burden -> bucket. A row has one kind for each burden."""
    tables: dict[str, dict[tuple[str, int], dict[str, Bucket]]] = defaultdict(lambda: defaultdict(dict))
    for bucket in sorted(capacity):
        if bucket.cell.domain == domain:
            title = "matched pairs" if bucket.pair else "refusals" if bucket.kind == "refusal" else "tasks"
            tables[title][bucket.cell.tool, bucket.cell.writes][bucket.cell.burden] = bucket
    return tables


@tasks.command()
@config_options
@click.option("--format", "form", type=click.Choice(["writ", "tau2"]), default="writ", show_default=True, help="Our records, or tau2-bench's tasks.")
@click.option("--to", "target", type=NewFile(), metavar="FILE", required=True, help="File to write: JSON lines (writ), or JSON (tau2).")
def export(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None, form: str, target: Path) -> None:
    """Write the tasks of a run's settings to a file: our own records, or tau2-bench's tasks.json.

    Example: writ tasks export --format tau2 --set domains.names='[retail]' --to tasks.json
    """
    from writ.tasks.export import tau2_task

    config = read_config(config_file, sets, out, domain_data)
    domain = snapshots(config.domains, seed=config.seed, content=fingerprint(config.domains))
    made = synthesize(config.tasks, count=config.dataset.count, seed=config.seed, domain=domain)
    if form == "tau2":
        write_file(target, json.dumps([tau2_task(task) for task in made], indent=2, ensure_ascii=False))
    else:
        write_file(target, "".join(task.model_dump_json() + "\n" for task in made))
    click.echo(f"wrote {target}")
