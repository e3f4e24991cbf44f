"""The Jobs port on a cluster: plain Jobs, JobSets and TrainJobs over the Kubernetes API."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes import config as kubernetes_config
from urllib3.exceptions import HTTPError

from writ.errors import ConfigError, Unavailable, WritError
from writ.jobs.launch import CONTAINER, LAST_LINES, SPEC_NOTE, Job, LastWords, Seen

_TIMEOUT_S = 30
_DELETED_WITHIN_S = 60.0
credentials: Any = kubernetes_config
"""The package has no types here."""


class ClusterJobs:
    """Jobs of one namespace, with the rights of the kubeconfig or of the pod's service account."""

    def __init__(self, namespace: str) -> None:
        """Raises: ConfigError where neither a kubeconfig nor a service account is here."""
        try:
            credentials.load_incluster_config()
        except credentials.ConfigException:
            try:
                credentials.load_kube_config()
            except credentials.ConfigException as e:
                raise ConfigError(f"no cluster: {' '.join(str(e).split())}; set KUBECONFIG, or run as service account writ-launcher") from e
        self._namespace = namespace
        self._objects: Any = client.CustomObjectsApi()
        self._core: Any = client.CoreV1Api()

    def start(self, job: Job) -> bool:
        group, version, plural = job.kind
        try:
            with _speaking(f"{plural} '{job.name}'"):
                self._objects.create_namespaced_custom_object(group, version, self._namespace, plural, dict(job.body), _request_timeout=_TIMEOUT_S)
            return True
        except _Exists:
            there = self._get(job)
        if there is None:
            raise Unavailable(f"{plural} '{job.name}' is being deleted; the same command later goes on")
        if there["metadata"].get("annotations", {}).get(SPEC_NOTE) != job.spec_hash:
            raise ConfigError(
                f"{plural} '{job.name}' is there with another specification (image or resources were changed meanwhile); wait for its end, or "
                f"kubectl delete {plural} {job.name} -n {self._namespace}: finished steps are kept"
            )
        return False

    def look(self, job: Job) -> Seen:
        there = self._get(job)
        if there is None:
            return Seen("gone")
        conditions = {each["type"]: each for each in there.get("status", {}).get("conditions", []) if each["status"] == "True"}
        if conditions.keys() & {"Complete", "Completed"}:
            return Seen("done")
        if failed := conditions.get("Failed"):
            return Seen("failed", failed.get("message", ""))
        if there["spec"].get("suspend") or "Suspended" in conditions:
            return Seen("suspended", conditions.get("Suspended", {}).get("message", ""))
        pods = self._pods(job)
        if any(pod.status.phase == "Running" for pod in pods):
            return Seen("running")
        return Seen("waiting", _why(pods[-1]) if pods else "")

    def last_words(self, job: Job) -> LastWords:
        pods = [pod for pod in self._pods(job) if pod.status.phase in ("Failed", "Running", "Succeeded")]
        if not pods:
            return LastWords(None, ())
        pod = pods[-1]
        try:
            with _speaking(f"log of pod '{pod.metadata.name}'"):
                text = self._core.read_namespaced_pod_log(
                    pod.metadata.name, self._namespace, container=CONTAINER, tail_lines=LAST_LINES, _request_timeout=_TIMEOUT_S
                )
        except WritError as e:
            text = str(e)
        return LastWords(_exit_code(pod), tuple(str(text).splitlines()))

    def remove(self, job: Job) -> None:
        """Returns once it is gone, with its pods asked to end."""
        group, version, plural = job.kind
        until_s = time.monotonic() + _DELETED_WITHIN_S
        try:
            with _speaking(f"{plural} '{job.name}'"):
                self._objects.delete_namespaced_custom_object(
                    group, version, self._namespace, plural, job.name, propagation_policy="Background", _request_timeout=_TIMEOUT_S
                )
        except _Absent:
            return
        while self._get(job) is not None and time.monotonic() < until_s:
            time.sleep(0.5)

    def _get(self, job: Job) -> Mapping[str, Any] | None:
        group, version, plural = job.kind
        try:
            with _speaking(f"{plural} '{job.name}'"):
                found: Mapping[str, Any] = self._objects.get_namespaced_custom_object(
                    group, version, self._namespace, plural, job.name, _request_timeout=_TIMEOUT_S
                )
                return found
        except _Absent:
            return None

    def _pods(self, job: Job) -> list[Any]:
        """Oldest first."""
        with _speaking(f"pods of '{job.name}'"):
            found = self._core.list_namespaced_pod(self._namespace, label_selector=job.selector, _request_timeout=_TIMEOUT_S).items
        return sorted(found, key=lambda pod: (str(pod.metadata.creation_timestamp), pod.metadata.name))


def _why(pod: Any) -> str:
    """Why a pod does not run: its container's reason (an image that cannot be pulled), else the scheduler's."""
    for status in pod.status.container_statuses or ():
        waiting = status.state.waiting
        if waiting and waiting.reason not in ("ContainerCreating", "PodInitializing"):
            return f"{waiting.reason}: {waiting.message or ''}".strip()
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"{condition.reason}: {condition.message}"
    return f"pod {pod.metadata.name} is {pod.status.phase}"


def _exit_code(pod: Any) -> int | None:
    for status in pod.status.container_statuses or ():
        if status.name == CONTAINER and status.state.terminated:
            return int(status.state.terminated.exit_code)
    return None


class _Exists(WritError):
    """409."""


class _Absent(WritError):
    """404."""


@contextmanager
def _speaking(subject: str) -> Iterator[None]:
    try:
        yield
    except client.ApiException as e:
        raise _told(subject, e) from e
    except HTTPError as e:
        raise Unavailable(f"{subject}: the API server does not answer ({type(e).__name__}); try again later") from e


def _told(subject: str, e: Any) -> WritError:
    if e.status in (404, 409):
        return (_Absent if e.status == 404 else _Exists)(f"{subject}: {e.reason}")
    if 400 <= e.status < 500 and e.status != 429:
        return ConfigError(f"{subject}: refused with {e.status} ({' '.join(str(e.body).split())[:300]}); writ-launcher has the rights")
    return Unavailable(f"{subject}: the API server answers {e.status}; try again later")
