"""The runs of one namespace: start, follow, stop, read. Whoever keeps the Workflows is an adapter of `WorkflowApi`."""

import time
from collections.abc import Callable, Iterator, Mapping

from pydantic import SecretStr

from writ.errors import ConfigError, Unavailable
from writ.runners.workflows import PART_OF, RUN_LABEL, Step, Submitted, Taken, WorkflowApi, at_work, next_attempt, read_workflow, step_of, workflow
from writ.settings import ClusterConfig


def open_cluster(settings: ClusterConfig, token: SecretStr | None = None) -> "Cluster":
    """The namespace that the settings name, over the adapter that they name; each loads its vendor's package.

    Raises: ConfigError where it cannot be reached with these settings.
    """
    if not settings.server:
        from writ.runners.kubernetes_api import KubernetesApi

        return Cluster(KubernetesApi(settings.namespace, settings.context))
    if not settings.server.startswith(("https://", "http://")):
        raise ConfigError(f"cluster.server is '{settings.server}', which is no URL of an Argo Server; it begins with https://, or http://")
    if not settings.namespace:
        raise ConfigError(f"cluster.server is {settings.server}, which has no namespace of its own; set cluster.namespace, or give -n")
    if token is None:
        raise ConfigError(f"the token for {settings.server} is read from ${settings.token_env}, which is not set; export it")
    from writ.runners.argo_server import ArgoServer

    return Cluster(ArgoServer(settings.server, token, settings.namespace, settings.ca_file))


class Cluster:
    """The Workflows of one namespace, as runs."""

    def __init__(self, api: WorkflowApi) -> None:
        self._api = api
        self.namespace = api.namespace

    def of_run(self, run_id: str) -> list[Submitted]:
        """The run's Workflows, oldest first."""
        return self._list(f"{RUN_LABEL}={run_id}")

    def all(self) -> list[Submitted]:
        """Every Workflow of writ in the namespace, oldest first."""
        return self._list(PART_OF)

    def start(self, run_id: str, parameters: Mapping[str, str]) -> tuple[Submitted, bool]:
        """The run's Workflow, and whether this call made it: one that is at work already is taken as it is."""
        found = self.of_run(run_id)
        if running := at_work(found):
            return running, False
        body = workflow(run_id, next_attempt(found), parameters)
        try:
            return read_workflow(self._api.create(body)), True
        except Taken:
            return self.get(body["metadata"]["name"]), False

    def get(self, name: str) -> Submitted:
        return read_workflow(self._api.get(name))

    def stop(self, name: str) -> None:
        """Its pods save their work and end, its exit handler runs."""
        self._api.stop(name)

    def follow(self, name: str, listen: Callable[[Submitted], None], poll_s: float = 2.0) -> Submitted:
        """Calls `listen` with each state until the Workflow is over. An API server that is away for a while is waited for."""
        while True:
            try:
                now = self.get(name)
            except Unavailable:
                time.sleep(poll_s)
                continue
            listen(now)
            if now.over:
                return now
            time.sleep(poll_s)

    def logs(self, name: str) -> Iterator[tuple[Step, str]]:
        """Step and line, pod after pod; then, of each step whose pod is gone, where its log was put away."""
        steps = self.get(name).steps
        seen = set()
        for pod, lines in self._api.logs(name):
            if step := step_of(pod, steps):
                seen.add(step.id)
                yield from ((step, line) for line in lines)
        for step in steps:
            if step.id not in seen and step.log:
                yield step, f"(its pod is gone; Argo put its log away as {step.log})"

    def _list(self, selector: str) -> list[Submitted]:
        found = sorted(self._api.find(selector), key=lambda tree: tree["metadata"]["creationTimestamp"])
        return [read_workflow(tree) for tree in found]
