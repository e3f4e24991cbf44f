"""Turns the manifests of a controller (stdin) into those of the test cluster: our image, ready soon, one copy without an election."""

from __future__ import annotations

import sys
from typing import Any

import yaml

DROPPED = ("--leader-elect",)
KEDA = ["--enable-webhook-patching=false", "--enable-apiservice-patching=false", "--ca-dir=/var/run/secrets/kubernetes.io/serviceaccount"]
"""No webhooks and no adapter are here; and KEDA trusts the cluster's own authority, as it asks the API server for the pods of other namespaces."""


def adapted(document: dict[str, Any], image: str) -> dict[str, Any]:
    if document["kind"] == "Deployment":
        container = document["spec"]["template"]["spec"]["containers"][0]
        container |= {"image": image, "imagePullPolicy": "IfNotPresent"}
        container["args"] = [word for word in container.get("args", []) if word not in DROPPED]
        if "keda" in image:
            container["args"] += KEDA
        if "argo-events" in image:  # the pods that it makes
            own = {"ARGO_EVENTS_IMAGE": image, "IMAGE_PULL_POLICY": "IfNotPresent"}
            others = [variable for variable in container["env"] if variable["name"] not in own]
            container["env"] = [*others, *({"name": name, "value": value} for name, value in own.items())]
        container["readinessProbe"] |= {"initialDelaySeconds": 1, "periodSeconds": 1, "timeoutSeconds": 10}
        container["livenessProbe"] |= {"initialDelaySeconds": 60, "timeoutSeconds": 60}  # a busy machine is no reason to start again
        container.setdefault("resources", {})["requests"] = {"cpu": "50m", "memory": "64Mi"}
    if document["kind"] == "ConfigMap":
        document["data"] = {name: text.replace("leaderElect: true", "leaderElect: false") for name, text in document["data"].items()}
    return document


if __name__ == "__main__":
    yaml.safe_dump_all([adapted(d, sys.argv[1]) for d in yaml.safe_load_all(sys.stdin) if d], sys.stdout)
