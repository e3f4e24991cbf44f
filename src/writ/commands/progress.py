"""What a run shows while it is at work: a live table on a terminal, plain lines elsewhere, JSON lines by setting. On standard error, so that
output can be piped."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from writ.runners.execute import Progress as Step

_EVERY_S = 5.0
"""Between two lines of a stage."""
_SURE_S = 0.5
"""A rate over less time than this says nothing, ..."""
_SURE_RECORDS = 3
"""... and so does a forecast from fewer records."""


@dataclass(slots=True)
class _Pace:
    """How fast a stage has been in this process; what an earlier start had finished does not count."""

    began_s: float
    first: int
    first_kept: int

    def of(self, step: Step, now_s: float) -> tuple[float | None, float | None]:
        """Records per second and seconds left, where they are known."""
        took_s = now_s - self.began_s
        if took_s < _SURE_S or step.done <= self.first:
            return None, None
        gained, left = step.kept - self.first_kept, step.wanted - step.kept
        return (step.done - self.first) / took_s, left * took_s / gained if gained >= _SURE_RECORDS and left > 0 else None


class Display:
    """Listens to steps of stages."""

    def __init__(self, *, plain: bool = False, log: Literal["auto", "plain", "json"] = "auto", clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True)
        self._clock = clock
        self._json = log == "json"
        self._plain = plain or log != "auto" or not self._console.is_terminal
        self._bars: dict[str, TaskID] = {}
        self._paces: dict[str, _Pace] = {}
        self._last: dict[str, float] = {}
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<13}"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[count]:>13}"),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=self._console,
        )

    def __enter__(self) -> Self:
        if not self._plain:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._plain:
            self._live.stop()
        if self._json and error is not None:
            self._say({"event": "failed", "error": type(error).__name__, "text": str(error)})

    def listen(self, step: Step) -> None:
        now_s = self._clock()
        pace = self._paces.setdefault(step.stage, _Pace(now_s, step.done, step.kept))
        rate, left_s = (None, None) if step.finished else pace.of(step, now_s)
        if not self._plain:
            self._bar(step, rate, left_s)
        elif step.finished or now_s - self._last.setdefault(step.stage, now_s) >= _EVERY_S:
            self._last[step.stage] = now_s
            self._line(step, rate, left_s)

    def _line(self, step: Step, rate: float | None, left_s: float | None) -> None:
        if self._json:
            self._say(
                {
                    "event": "finished" if step.finished else "progress",
                    "stage": step.stage,
                    "records": step.done,
                    "wanted": step.wanted or None,
                    "reused": step.reused,
                    "in_flight": step.in_flight,
                    "per_second": rate and round(rate, 2),
                    "seconds_left": left_s and round(left_s),
                    "losses": dict(step.losses),
                }
            )
            return
        made = f"{_count(step)} records " if step.done or not step.finished else ""
        text = f"{step.stage}: {made}" + ("done" if step.finished else "so far")
        self._console.print("  ".join((text, *_notes(step, rate, left_s))), highlight=False, markup=False, soft_wrap=True)

    def _bar(self, step: Step, rate: float | None, left_s: float | None) -> None:
        if step.stage not in self._bars:
            self._bars[step.stage] = self._live.add_task(step.stage, total=None, count="", note="")
        total = max(step.kept, 1) if step.finished else max(step.wanted, step.kept) or None
        done = total if step.finished else step.kept
        note = "  ".join(_notes(step, rate, left_s))
        self._live.update(self._bars[step.stage], completed=done, total=total, count=_count(step), note=note)

    def _say(self, entry: dict[str, object]) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._console.file.write(json.dumps({"time": stamp, **entry}) + "\n")
        self._console.file.flush()


def _count(step: Step) -> str:
    return f"{step.kept:,} of {step.wanted:,}" if not step.finished and step.wanted >= step.kept > 0 else f"{step.done:,}"


def _notes(step: Step, rate: float | None, left_s: float | None) -> Iterable[str]:
    if step.reused:
        yield "reused"
    if rate is not None:
        yield f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    if left_s is not None:
        yield f"{_span(left_s)} left"
    if step.in_flight:
        yield f"{step.in_flight} in flight"
    if step.losses:
        yield "lost: " + ", ".join(f"{cause} {number}" for cause, number in sorted(step.losses.items(), key=lambda loss: (-loss[1], loss[0])))


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
