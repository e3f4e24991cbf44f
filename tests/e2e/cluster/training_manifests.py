"""Turns the manifests of a training controller (stdin) into those of the test cluster: our image, ready soon, one copy without an election."""

from __future__ import annotations

import sys
from typing import Any

import yaml


def adapted(document: dict[str, Any], image: str) -> dict[str, Any]:
    if document["kind"] == "Deployment":
        container = document["spec"]["template"]["spec"]["containers"][0]
        container |= {"image": image, "imagePullPolicy": "IfNotPresent"}
        container["readinessProbe"] |= {"initialDelaySeconds": 1, "periodSeconds": 1, "timeoutSeconds": 10}
        container["livenessProbe"] |= {"initialDelaySeconds": 60, "timeoutSeconds": 60}  # a busy machine is no reason to start again
        container.setdefault("resources", {})["requests"] = {"cpu": "50m", "memory": "64Mi"}
    if document["kind"] == "ConfigMap":
        document["data"] = {name: text.replace("leaderElect: true", "leaderElect: false") for name, text in document["data"].items()}
    return document


if __name__ == "__main__":
    yaml.safe_dump_all([adapted(d, sys.argv[1]) for d in yaml.safe_load_all(sys.stdin) if d], sys.stdout)
