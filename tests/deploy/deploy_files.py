"""Where the deployment files are, and how the tests read them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
_CACHE = os.environ.get("WRIT_CLUSTER_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "writ/cluster"
CACHE = Path(_CACHE)


def documents(*folders: str) -> list[dict[str, Any]]:
    """Every YAML document beneath the folders, kustomizations aside."""
    paths = [p for f in folders for p in sorted((ROOT / f).rglob("*.yaml")) if p.name != "kustomization.yaml"]
    return [d for p in paths for d in parse(p.read_text())]


def parse(text: str) -> list[dict[str, Any]]:
    return [d for d in yaml.load_all(text, Loader=yaml.CSafeLoader) if d]


def tool(name: str) -> str:
    """The path of a binary that the cluster's build left behind, or on PATH; the test is skipped where there is none."""
    built = CACHE / "bin" / name
    found = str(built) if built.is_file() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not on this machine: tests/e2e/cluster/build.sh {name} builds it")
    return found


def run(*command: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT, check=False)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command[:6])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done


def pods(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pod specs that a core Kubernetes object makes."""
    spec = document.get("spec") or {}
    if document["kind"] == "Pod":
        yield spec
    elif document["kind"] == "CronJob":
        yield spec["jobTemplate"]["spec"]["template"]["spec"]
    elif document["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"):
        yield spec["template"]["spec"]


def containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]
