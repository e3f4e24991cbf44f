"""What a run shows while it is at work: a live table on a terminal, plain lines elsewhere. Standard error, so that output can be piped."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from writ.runners.execute import Progress as Step


class Display:
    """Listens to steps of stages."""

    def __init__(self, *, plain: bool = False) -> None:
        self._console = Console(stderr=True)
        self._plain = plain or not self._console.is_terminal
        self._bars: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<13}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
        )

    def __enter__(self) -> Self:
        if not self._plain:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._plain:
            self._live.stop()

    def listen(self, step: Step) -> None:
        now = time.monotonic()
        began = self._began.setdefault(step.stage, now)
        rate = f"{step.done / (now - began):,.0f}/s" if now - began > 0.2 else ""
        note = "reused" if step.reused else ", ".join(f"{cause} {number}" for cause, number in sorted(step.losses.items()))
        if self._plain:
            self._line(step, now, rate, note)
        else:
            self._bar(step, rate, note)

    def _line(self, step: Step, now: float, rate: str, note: str) -> None:
        """At most one line in five seconds, and one at the end of a stage."""
        if step.finished or now - self._last.setdefault(step.stage, now - 4) >= 5:
            self._last[step.stage] = now
            text = f"{step.stage}: {step.done:,} records" + (" done" if step.finished else "")
            self._console.print("  ".join(part for part in (text, rate, note) if part), highlight=False, soft_wrap=True)

    def _bar(self, step: Step, rate: str, note: str) -> None:
        if step.stage not in self._bars:
            self._bars[step.stage] = self._live.add_task(step.stage, total=None, rate="", note="")
        total = step.done if step.finished else None
        self._live.update(self._bars[step.stage], completed=step.done, total=total, rate=rate, note=note)
