"""How a run ends on the terminal: the funnel, the grid, and where things are."""

import json
from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from writ.report.names import term
from writ.runners.execute import read_stage
from writ.runners.local import Finished
from writ.schema import BURDEN_BINS, Task, Verdict, burden_bin

BINS = tuple(burden_bin(low) for low, _ in BURDEN_BINS)


def summarize(finished: Finished, asked: int) -> None:
    """Prints funnel, grid and paths to standard output. `asked`: kept conversations that the settings want."""
    console = Console(highlight=False)
    tasks: dict[str, Task] = {task.id: task for task in read_stage(finished.store, finished.plan.keys, "tasks")}
    verdicts: list[Verdict] = list(read_stage(finished.store, finished.plan.keys, "verify"))
    console.print(funnel(verdicts, tasks.values(), asked=asked, rows=finished.manifests["dataset"].records))
    for domain in sorted({task.domain for task in tasks.values()}):
        console.print(f"{domain}: kept, by writes (rows) and evidence burden (columns)")
        console.print(grid(domain, tasks, verdicts))
    console.print(f"run      {finished.plan.run_id}")
    console.print(f"dataset  {finished.store.url}/dataset/{finished.plan.keys['dataset']}", soft_wrap=True)
    console.print(f"sha256   {dataset_sha256(finished)}", soft_wrap=True)
    console.print(f"report   {finished.store.url}/report/{finished.plan.keys['report']}/report.html", soft_wrap=True)
    console.print(f"open it: writ report {finished.plan.run_id[:6]} --out {finished.store.url} --open", style="dim", soft_wrap=True)


def dataset_sha256(finished: Finished) -> str:
    """The dataset's identity: equal for equal rows, whatever made them."""
    facts = json.loads(finished.store.get(f"dataset/{finished.plan.keys['dataset']}/dataset.json"))
    return str(facts["sha256"])


def funnel(verdicts: list[Verdict], tasks: Iterable[Task], *, asked: int, rows: int) -> Table:
    """Attempted, each loss with its cause and owner, kept, and the rows that are left of those; where fewer than asked were kept, why."""
    table = Table(title="funnel", title_justify="left", show_header=False)
    kept = sum(verdict.kept for verdict in verdicts)
    if kept < asked:
        held = sum({task.batch.id: task.batch.wanted for task in tasks if task.batch is not None}.values())
        short = f"the databases hold tasks for {held:,}; 'writ tasks capacity' says what bounds them" if held < asked else "no spare tasks were left"
        table.add_row("asked", f"{asked:,}", short)
    table.add_row("attempted", f"{len(verdicts):,}", "")
    losses = Counter((verdict.cause, verdict.owner) for verdict in verdicts if not verdict.kept)
    for (cause, owner), number in losses.most_common():
        table.add_row(f"  lost: {term('causes', cause)}", f"{number:,}", f"{term('owners', owner or '').lower()} ({cause})")
    table.add_row("kept", f"{kept:,}", f"{kept / len(verdicts):.1%}" if verdicts else "")
    table.add_row("rows", f"{rows:,}", "without near-duplicates and contaminated ones" if rows < kept else "")
    return table


def grid(domain: str, tasks: dict[str, Task], verdicts: list[Verdict]) -> Table:
    """Kept conversations by writes and evidence burden."""
    cells = Counter(tasks[verdict.task_id].cell[1:3] for verdict in verdicts if verdict.kept and tasks[verdict.task_id].domain == domain)
    table = Table()
    for heading in ("writes", *BINS):
        table.add_column(heading, justify="right")
    for writes in sorted({cell[0] for cell in cells}):
        table.add_row(str(writes), *(str(cells[writes, column] or "·") for column in BINS))
    return table
