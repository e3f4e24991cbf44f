"""Turns Argo's own manifests (stdin) into those of the test cluster: no server, our image, fast requeue, and the S3 of the node."""

from __future__ import annotations

import sys
from typing import Any

import yaml

REPOSITORY = {
    "s3": {
        "bucket": "writ",
        "endpoint": "192.0.2.10:9000",
        "insecure": True,
        "keyFormat": "argo/{{workflow.namespace}}/{{workflow.uid}}/{{pod.name}}",
        "accessKeySecret": {"name": "writ-credentials", "key": "AWS_ACCESS_KEY_ID"},
        "secretKeySecret": {"name": "writ-credentials", "key": "AWS_SECRET_ACCESS_KEY"},
    },
}

# As docs/cluster.md advises: else the controller asks for the limit of a pool for each shard that waits, each time that it looks at the Workflow.
SYNCHRONIZATION = {"semaphoreLimitCacheSeconds": 10, "pollSeconds": 5}


def adapted(document: dict[str, Any], version: str) -> dict[str, Any]:
    if document["kind"] == "Deployment":
        container = document["spec"]["template"]["spec"]["containers"][0]
        container["image"] = f"quay.io/argoproj/workflow-controller:v{version}"
        container["args"] = ["--executor-image", f"quay.io/argoproj/argoexec:v{version}", "--executor-image-pull-policy", "IfNotPresent"]
        # A busy machine, on which an answer takes ten seconds, is no reason to end the one controller there is, or for it to step down.
        # MAX_WORKFLOW_SIZE: a Workflow above it, in bytes, is kept with its nodes packed, as docs/cluster.md advises for many shards.
        settings = {"DEFAULT_REQUEUE_TIME": "1s", "LEADER_ELECTION_DISABLE": "true", "MAX_WORKFLOW_SIZE": "200000"}
        container["env"] += [{"name": name, "value": value} for name, value in settings.items()]
        container["livenessProbe"] |= {"timeoutSeconds": 60}
        document["spec"]["strategy"] = {"type": "Recreate"}
    if document["kind"] == "ConfigMap":
        document["data"] = {"artifactRepository": yaml.safe_dump(REPOSITORY), "synchronization": yaml.safe_dump(SYNCHRONIZATION)}
    return document


if __name__ == "__main__":
    kept = [d for d in yaml.safe_load_all(sys.stdin) if d and "argo-server" not in d["metadata"]["name"]]
    yaml.safe_dump_all([adapted(d, sys.argv[1]) for d in kept], sys.stdout)
