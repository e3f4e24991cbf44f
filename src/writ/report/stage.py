"""The report stage: any run becomes one HTML page. Streams: of the conversations only compressed text and one index line each are held."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from writ.errors import ArtifactError
from writ.report.blocks import Blocks
from writ.report.head import Head, domain_facts
from writ.report.index import Index
from writ.report.page import run_page
from writ.schema import DomainSnapshot, Instruction, Record, Row, Task, Trajectory, Verdict
from writ.settings import RunConfig
from writ.streams import conversations


def write_report(
    config: RunConfig,
    *,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    rows: Iterable[Row],
    emit: Callable[[str, bytes], None],
    certificate: Mapping[str, Any] | None = None,
    run_id: str = "",
) -> Iterator[Record]:
    """Emits `report.html`; makes no records.

    The endpoints' prices give the page money beside tokens; `certificate` is the dataset's decontamination.json.
    Raises: ArtifactError where verdicts do not follow the trajectories.
    """
    head, blocks = Head(config, run_id, certificate), Blocks()
    for snapshot in domain:
        head.domains.append(domain_facts(snapshot))
    index = index_of(head, tasks, instructions, trajectories, verdicts, rows, blocks)
    emit("report.html", run_page(head.facts(), index, blocks))
    yield from ()


def index_of(
    head: Head,
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    rows: Iterable[Row],
    blocks: Blocks | None = None,
) -> Index:
    """One line per conversation; the conversations themselves go to `blocks`."""
    index, verdict_stream, row_stream = Index(), iter(verdicts), iter(rows)
    seen_tasks = map(head.see_task, tasks)
    row = next(row_stream, None)
    domains = {facts["name"]: facts for facts in head.domains}
    for conversation in conversations(seen_tasks, instructions, trajectories):
        verdict = next(verdict_stream, None)
        if verdict is None or verdict.trajectory_id != conversation.trajectory.id:
            raise ArtifactError(f"no verdict follows for trajectory {conversation.trajectory.id}; run 'writ stage verify' again")
        is_row = row is not None and row.id == conversation.trajectory.id
        index.add(conversation, verdict, row.split if row is not None and is_row else "")
        if blocks is not None:
            blocks.add(conversation, verdict, domains[conversation.task.domain])
        if is_row:
            row = next(row_stream, None)
    for _ in seen_tasks:
        pass
    return index
