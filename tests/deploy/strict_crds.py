"""JSON Schemas from Argo's own CRDs that refuse what the CRDs' loose form lets pass: unknown fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator


def validators(folder: Path) -> dict[str, Draft202012Validator]:
    """A validator by kind, from every CRD file in `folder`."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
            if document and document.get("kind") == "CustomResourceDefinition":
                schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
                found[document["spec"]["names"]["kind"]] = Draft202012Validator(_strict(schema, at_root=True))
    return found


def faults(validator: Draft202012Validator, document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(document)]


def _strict(node: Any, *, at_root: bool = False) -> Any:
    if isinstance(node, list):
        return [_strict(n) for n in node]
    if not isinstance(node, dict):
        return node
    out = {k: {n: _strict(s) for n, s in v.items()} if k == "properties" else _strict(v) for k, v in node.items()}
    if out.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "properties" in out and "additionalProperties" not in out and not out.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    if at_root:
        out["properties"]["metadata"] = {"type": "object"}
        out["properties"].pop("status", None)
    return out
