"""The metrics that Prometheus may read, found in the source: name, kind, labels and words of each."""

import ast
import inspect
from collections.abc import Iterator
from typing import NamedTuple

from writ.runners import metrics

KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}


class Metric(NamedTuple):
    where: str
    """The class that counts it."""
    name: str
    """As Prometheus knows it: counters end in `_total`."""
    kind: str
    labels: tuple[str, ...]
    words: str


PLACES = {
    "StageMetrics": "A stage that talks to models, on `metrics_port`",
    "_Endpoints": "The same, of each side's endpoint",
    "ServerMetrics": "The server of an embedded model, under `/metrics`",
}


def declared() -> Iterator[Metric]:
    """Every metric of the source, in its order."""
    for node in ast.parse(inspect.getsource(metrics)).body:
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node)


def _of_class(node: ast.ClassDef) -> Iterator[Metric]:
    labels: dict[str, tuple[str, ...]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name) and isinstance(inner.value, ast.List):
            labels[inner.targets[0].id] = _labels(inner.value, labels)
    calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name))
    for call in sorted(calls, key=lambda each: each.lineno):
        kind = KINDS.get(call.func.id.removesuffix("MetricFamily"))  # type: ignore[attr-defined]
        if kind is not None and call.args and isinstance(call.args[0], ast.Constant):
            named = next((each.value for each in call.keywords if each.arg == "labels"), call.args[2] if len(call.args) > 2 else None)
            name = f"{call.args[0].value}{'_total' if kind == 'counter' else ''}"
            yield Metric(node.name, name, kind, _labels(named, labels), ast.literal_eval(call.args[1]))


def _labels(node: ast.expr | None, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(node, ast.Constant):
        return (str(node.value),)
    if isinstance(node, ast.Starred):
        return _labels(node.value, known)
    if isinstance(node, ast.Name):
        return known.get(node.id, ())
    return tuple(label for each in node.elts for label in _labels(each, known)) if isinstance(node, ast.List) else ()
