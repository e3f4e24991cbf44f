"""The report stage: any run becomes one HTML page."""

import html
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from writ.schema import DomainSnapshot, Instruction, Record, Row, Task, Trajectory, Verdict


def write_report(
    config: dict[str, Any],
    *,
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    rows: Iterable[Row],
    emit: Callable[[str, bytes], None],
) -> Iterator[Record]:
    """Emits `report.html`; makes no records."""
    losses = Counter(verdict.cause or "kept" for verdict in verdicts)
    lines = "".join(f"<tr><td>{html.escape(cause)}</td><td>{number}</td></tr>" for cause, number in losses.most_common())
    settings = html.escape(json.dumps(config, indent=1))
    emit("report.html", f"<!doctype html><title>writ run</title><table>{lines}</table><pre>{settings}</pre>".encode())
    yield from ()
