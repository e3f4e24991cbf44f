"""`writ show`: a run, a task or a conversation in the terminal."""

from collections.abc import Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from writ.artifacts import list_runs
from writ.commands.stored import Stored, only, store_of
from writ.commands.summary import funnel, grid
from writ.errors import ArtifactError
from writ.report.head import domain_facts
from writ.report.names import term
from writ.report.terminal import show_conversation, show_task
from writ.schema import Task, Verdict
from writ.storage import Store
from writ.streams import Conversation, conversations


@click.command()
@click.argument("name", default="", metavar="[RUN|TASK|CONVERSATION]")
@click.option("--out", metavar="DIR|s3://…", help="The store to look in (key: out).")
@click.option("--config", "config_file", metavar="FILE", help="Settings as YAML, for a store on S3.")
@click.option("--run", "run_id", metavar="RUN", default="", help="The run that holds the conversation or task, where several do.")
@click.option("--full", is_flag=True, help="Tool results whole instead of one line each.")
def show(name: str, out: str | None, config_file: str | None, run_id: str, full: bool) -> None:
    """Print a run, a task or a conversation; without a name, the runs of the store.

    An id may be cut short. What justifies an argument of a write is lit where it was said or shown, as on the page.

    Example: writ show conversation-beba97
    """
    store, console = store_of(config_file, out), Console(highlight=False)
    if not name:
        _list(console, store)
    elif name.startswith("conversation-"):
        _show_conversation(console, store, name, run_id, full)
    elif "-" in name:
        _show_task(console, store, name, run_id)
    else:
        _show_run(console, Stored(store, only(store, name)))


def _list(console: Console, store: Store) -> None:
    table = Table(title=f"runs in {store.url}", title_justify="left")
    for heading in ("run", "domains", "wanted", "agent"):
        table.add_column(heading)
    for run in list_runs(store):
        simulation, domains = run.config.get("simulation", {}), run.config.get("domains", {})
        wanted = str(run.config.get("dataset", {}).get("count", ""))
        table.add_row(run.run_id, ", ".join(domains.get("names", ())), wanted, str(simulation.get("agent", {}).get("model", "")))
    console.print(table)


def _show_run(console: Console, stored: Stored) -> None:
    tasks: dict[str, Task] = {task.id: task for task in stored.records("tasks")}
    verdicts: list[Verdict] = list(stored.records("verify"))
    console.print(f"run {stored.run.run_id}")
    asked = int(stored.run.config.get("dataset", {}).get("count", 0))
    console.print(funnel(verdicts, tasks.values(), asked=asked, rows=sum(1 for _ in stored.records("dataset"))))
    for domain in sorted({task.domain for task in tasks.values()}):
        console.print(f"{domain}: kept, by writes (rows) and evidence burden (columns)")
        console.print(grid(domain, tasks, verdicts))
    examples = {verdict.cause: verdict.trajectory_id for verdict in reversed(verdicts) if not verdict.kept}
    for cause, example in examples.items():
        console.print(f"for '{term('causes', cause)}': writ show {example} --run {stored.run.run_id[:6]}", style="dim", soft_wrap=True)


def _show_conversation(console: Console, store: Store, name: str, run_id: str, full: bool) -> None:
    found: list[tuple[Stored, str, Conversation, Verdict]] = []
    for stored in _runs(store, "verify", run_id):
        streams = (stored.records(stage) for stage in ("tasks", "instructions", "simulate"))
        told = zip(conversations(*streams), stored.records("verify"), strict=False)
        found += [(stored, talk.trajectory.id, talk, verdict) for talk, verdict in told if talk.trajectory.id.startswith(name)]
    stored, _, conversation, verdict = _only("conversation", name, store, found)
    console.print(f"run {stored.run.run_id}", style="dim")
    for part in show_conversation(conversation, verdict, _facts(stored, conversation.task), full=full):
        console.print(part)


def _show_task(console: Console, store: Store, name: str, run_id: str) -> None:
    found: list[tuple[Stored, str, Task]] = []
    for stored in _runs(store, "tasks", run_id):
        found += [(stored, task.id, task) for task in stored.records("tasks") if task.id.startswith(name)]
    stored, _, task = _only("task", name, store, found)
    console.print(f"run {stored.run.run_id}", style="dim")
    for part in show_task(task, _facts(stored, task)):
        console.print(part)


Hit = TypeVar("Hit", bound=tuple[Any, ...])
"""A run, the id of what it holds, and the rest."""


def _only(what: str, name: str, store: Store, found: Sequence[Hit]) -> Hit:
    """Raises: ArtifactError unless exactly one run holds exactly one of them."""
    ids, runs = list(dict.fromkeys(hit[1] for hit in found)), list(dict.fromkeys(hit[0].run.run_id for hit in found))
    if not found:
        raise ArtifactError(f"{store.url}: no finished run holds a {what} '{name}'; 'writ show' lists the runs, and their pages every conversation")
    if len(ids) > 1:
        raise ArtifactError(f"{store.url}: {len(ids)} {what}s begin with '{name}'; write more of the id: {', '.join(ids[:4])}")
    if len(runs) > 1:
        raise ArtifactError(
            f"{store.url}: {len(runs)} runs hold {what} '{ids[0]}'; name one: writ show {ids[0]} --run {runs[0]} (or {', '.join(runs[1:4])})"
        )
    return found[0]


def _facts(stored: Stored, task: Task) -> dict[str, Any]:
    return next(domain_facts(snapshot) for snapshot in stored.records("domain") if snapshot.name == task.domain)


def _runs(store: Store, stage: str, begin: str) -> list[Stored]:
    """The runs in which the stage is finished, or the named one alone; one per artifact: runs may share it."""
    runs = [only(store, begin)] if begin else list_runs(store)
    found = {run.keys[stage]: Stored(store, run) for run in runs if store.exists(f"{stage}/{run.keys[stage]}/manifest.json")}
    return list(found.values())
