"""`writ tasks`: show, count and export tasks."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from writ.commands.configuration import config_options, read_config
from writ.commands.files import NewFile, write_file
from writ.domains.sources import fingerprint, snapshots
from writ.schema import BURDEN_BINS, burden_bin
from writ.tasks.grid import Bucket
from writ.tasks.stage import survey, synthesize

BINS = tuple(burden_bin(low) for low, _ in BURDEN_BINS)


@click.group()
def tasks() -> None:
    """Show, count and export tasks.

    Example: writ tasks capacity --domain-data tau2-bench
    """


@tasks.command()
@config_options
def capacity(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None) -> None:
    """Each cell's capacity in these databases, and what bounds it.

    Example: writ tasks capacity --set domains.names='[retail]'
    """
    config = read_config(config_file, sets, out, domain_data)
    supply = survey(config.tasks, seed=config.seed, domain=snapshots(config.domains, seed=config.seed, content=fingerprint(config.domains)))
    console = Console()
    for domain in supply.sites:
        users = sum(1 for name, _ in supply.shelves if name == domain)
        for title, rows in _tables(domain, supply.capacity).items():
            table = Table(title=f"{domain}: {title} (tasks by evidence burden, {users} eligible users)", title_justify="left")
            for heading in ("tool or rule", "writes", *BINS):
                table.add_column(heading, justify="left" if heading == "tool or rule" else "right")
            for (tool, writes), cells in sorted(rows.items()):
                table.add_row(tool, str(writes), *(str(cells.get(column, "·")) for column in BINS))
            console.print(table)
    console.print(
        "A cell counts the decisions that can lead a task in it: a lower bound, as one lead can be filled in several ways. It is bounded by the"
        " eligible users, by `tasks.proposals_per_kind` certified wishes of a kind per user, and by what those users' records hold."
        " '·': no user has such a decision."
    )


def _tables(domain: str, capacity: dict[Bucket, int]) -> dict[str, dict[tuple[str, int], Counter[str]]]:
    tables: dict[str, dict[tuple[str, int], Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for bucket, number in sorted(capacity.items()):
        if bucket.cell.domain == domain:
            title = "matched pairs" if bucket.pair else "refusals" if bucket.kind == "refusal" else "tasks"
            tables[title][bucket.cell.tool, bucket.cell.writes][bucket.cell.burden] += number
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
