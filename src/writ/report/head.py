"""What the top of a page says: what was run, over what, with which settings, and what it was asked for."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from writ import __version__
from writ.domains.registry import load_domain
from writ.report.index import AXES
from writ.schema import BURDEN_BINS, Behavior, DomainSnapshot, Task, burden_bin, semantic
from writ.settings import RunConfig


class Head:
    """Gathers while tasks pass by."""

    def __init__(self, config: RunConfig, run_id: str = "", certificate: Mapping[str, Any] | None = None) -> None:
        self.config, self.run_id, self.certificate = config, run_id, certificate
        self.domains: list[dict[str, Any]] = []
        self._tasks = 0
        self._asked: dict[str, tuple[str, int, str, int]] = {}

    def see_task(self, task: Task) -> Task:
        """Counts a task; its batch says how many kept conversations its cell was asked for."""
        self._tasks += 1
        if task.batch is not None:
            self._asked.setdefault(task.batch.id, (task.domain, task.cell.writes, task.cell.burden, task.batch.wanted))
        return task

    def facts(self) -> dict[str, Any]:
        asked: Counter[tuple[str, int, str]] = Counter()
        for *cell, wanted in self._asked.values():
            asked[tuple(cell)] += wanted  # type: ignore[index]
        return {
            "run": self.run_id,
            "version": __version__,
            "settings": semantic(self.config),
            "domains": self.domains,
            "tasks": self._tasks,
            "asked": [[*cell, wanted] for cell, wanted in sorted(asked.items())],
            "axes": {axis: _values(axis) for axis in AXES},
            "bins": [burden_bin(low) for low, _ in BURDEN_BINS],
            "prices": prices(self.config),
            "certificate": self.certificate,
        }


def _values(axis: str) -> list[str]:
    """All values of a behavior axis, in the order of its declaration."""
    choices = getattr(Behavior.model_fields[axis].annotation, "__args__", (False, True))
    return [str(choice) for choice in choices]


def prices(config: RunConfig) -> dict[str, list[float]] | None:
    """Dollars per million tokens, prompt and completion, of agent and user; None where no price is configured."""
    sides = {"agent": config.simulation.agent, "user": config.simulation.user}
    found = {role: [side.usd_per_million_prompt_tokens, side.usd_per_million_completion_tokens] for role, side in sides.items()}
    return found if any(any(pair) for pair in found.values()) else None


def domain_facts(snapshot: DomainSnapshot) -> dict[str, Any]:
    """What a reader wants to know of a domain: its tools, which of them change something, and its rules in words."""
    domain = load_domain(snapshot.code)
    tools = domain.toolkit.tools
    return {
        "name": snapshot.name,
        "origin": snapshot.origin,
        "license": snapshot.license,
        "records": {table: len(records) for table, records in snapshot.database.items()},
        "tools": [tool["function"]["name"] for tool in snapshot.tools],
        "writes": sorted(name for name, tool in tools.items() if tool.kind == "write"),
        "rules": {rule.id: rule.clause for rule in domain.rules.values()},
        "policy": snapshot.policy,
        "benchmark_tasks": len(snapshot.benchmark_tasks),
    }
