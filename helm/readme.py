"""Writes helm/writ/README.md from values.yaml: its comments that begin with `# --` are the descriptions. A test holds the two together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "writ"
HEAD = """# writ

{description}

Install it once per tenant, into a namespace that enforces Pod Security `restricted`. Argo Workflows 4.0.7 or later must be there.

    kubectl create namespace writ
    kubectl label namespace writ pod-security.kubernetes.io/enforce=restricted
    helm install writ helm/writ --namespace writ --values my-values.yaml
    helm test writ --namespace writ

The chart makes no ClusterRole, no CRD and no Secret. Scenarios to start from: `ci/*-values.yaml`.

| value | default | meaning |
|---|---|---|
"""
LINE = re.compile(r"^(?P<indent> *)(?P<key>[\w.-]+):")


def rows(text: str) -> Iterator[tuple[str, str]]:
    """Dotted key and description, in the order of the file."""
    path: list[str] = []
    description = ""
    for line in text.splitlines():
        if line.strip().startswith("# --"):
            description = line.split("# --", 1)[1].strip()
        elif found := LINE.match(line):
            path = [*path[: len(found["indent"]) // 2], found["key"]]
            yield ".".join(path), description
            description = ""


def readme() -> str:
    text = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    lines = [HEAD.format(description=yaml.safe_load((CHART / "Chart.yaml").read_text())["description"])]
    for key, description in rows(text):
        value = values
        for part in key.split("."):
            value = value[part]
        if not isinstance(value, dict) or not value or description:
            shown = f"`{json.dumps(value)}`" if not (isinstance(value, dict) and value) else ""
            lines.append(f"| `{key}` | {shown} | {description} |\n")
    return "".join(lines)


if __name__ == "__main__":
    (CHART / "README.md").write_text(readme())
