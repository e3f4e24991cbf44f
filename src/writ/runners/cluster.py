"""Workflows over the Kubernetes API, with the rights of whoever's kubeconfig or service account it is."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes import config as kubernetes_config
from urllib3.exceptions import HTTPError

from writ.errors import ConfigError, Unavailable, WritError
from writ.runners.workflows import PART_OF, RUN_LABEL, Submitted, at_work, next_attempt, read_workflow, workflow

_GROUP = ("argoproj.io", "v1alpha1")
_TIMEOUT_S = 30
credentials: Any = kubernetes_config
"""The package has no types here."""


class Cluster:
    """The Workflows of one namespace."""

    def __init__(self, namespace: str | None = None, context: str | None = None, kubeconfig: str | None = None) -> None:
        """Without a namespace: the kubeconfig's, or the pod's own. Raises: ConfigError where neither a kubeconfig nor a service account is here."""
        try:
            credentials.load_kube_config(kubeconfig, context=context)
            contexts, active = credentials.list_kube_config_contexts(kubeconfig)
            chosen = next((each for each in contexts if each["name"] == context), active)
            self.namespace = namespace or chosen["context"].get("namespace", "default")
        except credentials.ConfigException as e:
            self.namespace = namespace or _inside(e)
        self._api: Any = client.CustomObjectsApi()

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
            with _speaking(f"submit to namespace '{self.namespace}'"):
                made = self._api.create_namespaced_custom_object(*_GROUP, self.namespace, "workflows", body, _request_timeout=_TIMEOUT_S)
        except _Exists:
            return self.get(body["metadata"]["name"]), False
        return read_workflow(made), True

    def get(self, name: str) -> Submitted:
        with _speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            return read_workflow(self._api.get_namespaced_custom_object(*_GROUP, self.namespace, "workflows", name, _request_timeout=_TIMEOUT_S))

    def stop(self, name: str) -> None:
        """As `argo stop`: pods save their work and end, the exit handler runs."""
        body = {"spec": {"shutdown": "Stop"}}
        with _speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            self._api.patch_namespaced_custom_object(*_GROUP, self.namespace, "workflows", name, body, _request_timeout=_TIMEOUT_S)

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

    def _list(self, selector: str) -> list[Submitted]:
        with _speaking(f"Workflows of namespace '{self.namespace}'"):
            found = self._api.list_namespaced_custom_object(
                *_GROUP, self.namespace, "workflows", label_selector=selector, _request_timeout=_TIMEOUT_S
            )
        return [read_workflow(tree) for tree in sorted(found["items"], key=lambda tree: tree["metadata"]["creationTimestamp"])]


def _inside(no_file: Exception) -> str:
    """The namespace of the pod that this is, with its service account."""
    try:
        credentials.load_incluster_config()
        with open("/var/run/secrets/kubernetes.io/serviceaccount/namespace", encoding="utf-8") as file:
            return file.read().strip()
    except (credentials.ConfigException, OSError):
        raise ConfigError(f"no cluster: {' '.join(str(no_file).split())}; set KUBECONFIG, or run in a pod with a service account") from no_file


class _Exists(WritError):
    """Another client made the same Workflow first."""


@contextmanager
def _speaking(subject: str) -> Iterator[None]:
    """Raises: ConfigError (refused, not there), Unavailable (no answer), _Exists."""
    try:
        yield
    except client.ApiException as e:
        raise _told(subject, e) from e
    except HTTPError as e:
        raise Unavailable(f"{subject}: the API server does not answer ({type(e).__name__}); try the same command later") from e


_NEXT: dict[int, str] = {
    401: "the API server does not know this credential; log in again",
    403: "this account may not do that; ask for the rights of service account writ-submitter",
    404: "it is not there, or Argo Workflows is not installed; `writ runs` lists what is",
}


def _told(subject: str, e: Any) -> WritError:
    if e.status == 409:
        return _Exists(subject)
    if e.status in _NEXT:
        return ConfigError(f"{subject}: {_NEXT[e.status]}")
    if 400 <= e.status < 500 and e.status != 429:
        return ConfigError(f"{subject}: refused with {e.status} ({' '.join(str(e.body).split())[:300]})")
    return Unavailable(f"{subject}: the API server answers {e.status}; try the same command later")
