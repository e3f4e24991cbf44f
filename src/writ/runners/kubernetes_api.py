"""Workflows over the Kubernetes API, with the rights of whoever's kubeconfig or service account it is."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kubernetes import client
from kubernetes import config as kubernetes_config
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from writ.errors import ConfigError, Unavailable
from writ.runners.workflows import OWNER_LABEL, PodLog, told

_WORKFLOWS = {"group": "argoproj.io", "version": "v1alpha1", "plural": "workflows"}
_TIMEOUT_S = 30
credentials: Any = kubernetes_config
"""The package has no types here."""


_MADE_OUTSIDE = (("trainer.kubeflow.org", "v1alpha1", "trainjobs"), ("jobset.x-k8s.io", "v1alpha2", "jobsets"), ("batch", "v1", "jobs"))
"""Kinds that a Workflow's pods may create, the ones that own others first."""


class Made(NamedTuple):
    """An object that was made for a Workflow, outside it."""

    kind: tuple[str, str, str]
    """Group, version, plural."""
    name: str
    owner: str
    """The Workflow's uid."""


class KubernetesApi:
    """The adapter of `WorkflowApi` for a cluster's own API."""

    def __init__(self, namespace: str = "", context: str = "", kubeconfig: str | None = None) -> None:
        """Without a namespace: the kubeconfig's, or the pod's own. Raises: ConfigError where neither a kubeconfig nor a service account is here."""
        try:
            credentials.load_kube_config(kubeconfig, context=context or None)
            contexts, active = credentials.list_kube_config_contexts(kubeconfig)
            chosen = next((each for each in contexts if each["name"] == context), active)
            self.namespace = namespace or chosen["context"].get("namespace", "default")
        except (OSError, ValueError, TypeError, YAMLError) as e:  # a folder, not UTF-8, not a mapping, torn
            where = kubeconfig or credentials.KUBE_CONFIG_DEFAULT_LOCATION
            raise ConfigError(f"the kubeconfig {where} cannot be read ({' '.join(str(e).split())}); mend it, or set KUBECONFIG to another") from e
        except credentials.ConfigException as e:
            inside = _inside(e)
            self.namespace = namespace or inside
        speaker = _lenient(client.ApiClient())
        self._objects: Any = client.CustomObjectsApi(speaker)
        self._core: Any = client.CoreV1Api(speaker)

    def create(self, body: dict[str, Any]) -> Mapping[str, Any]:
        with _speaking(f"submit to namespace '{self.namespace}'"):
            made: Mapping[str, Any] = self._objects.create_namespaced_custom_object(**self._here(), body=body)
            return made

    def get(self, name: str) -> Mapping[str, Any]:
        with _speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            found: Mapping[str, Any] = self._objects.get_namespaced_custom_object(**self._here(), name=name)
            return found

    def find(self, selector: str) -> Sequence[Mapping[str, Any]]:
        with _speaking(f"Workflows of namespace '{self.namespace}'"):
            found: Sequence[Mapping[str, Any]] = self._objects.list_namespaced_custom_object(**self._here(), label_selector=selector)["items"]
            return found

    def stop(self, name: str) -> None:
        with _speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            self._objects.patch_namespaced_custom_object(**self._here(), name=name, body={"spec": {"shutdown": "Stop"}})

    def logs(self, name: str) -> Iterator[PodLog]:
        label = f"workflows.argoproj.io/workflow={name}"
        with _speaking(f"pods of Workflow '{name}' in namespace '{self.namespace}'"):
            pods = self._core.list_namespaced_pod(self.namespace, label_selector=label, _request_timeout=_TIMEOUT_S).items
        for pod in sorted(pods, key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name)):
            if pod.status.phase != "Pending":
                yield PodLog(pod.metadata.name, self._lines(pod.metadata.name))

    def made_outside(self) -> list[Made]:
        """What pods of Workflows made in this namespace; kinds that the cluster does not know are left out."""
        found = []
        for kind in _MADE_OUTSIDE:
            try:
                with _speaking(f"{kind[2]} of namespace '{self.namespace}'"):
                    page = self._objects.list_namespaced_custom_object(
                        *kind[:2], self.namespace, kind[2], label_selector=OWNER_LABEL, _request_timeout=_TIMEOUT_S
                    )
            except _Absent:
                continue
            found += [Made(kind, item["metadata"]["name"], item["metadata"]["labels"][OWNER_LABEL]) for item in page["items"]]
        return found

    def remove(self, made: Made) -> None:
        """Deletes it with all that it owns; gone already is fine."""
        try:
            with _speaking(f"{made.kind[2]} '{made.name}' in namespace '{self.namespace}'"):
                self._objects.delete_namespaced_custom_object(
                    *made.kind[:2], self.namespace, made.kind[2], made.name, propagation_policy="Background", _request_timeout=_TIMEOUT_S
                )
        except _Absent:
            return

    def _lines(self, pod: str) -> Iterator[str]:
        with _speaking(f"log of pod '{pod}'"):
            answer = self._core.read_namespaced_pod_log(pod, self.namespace, container="main", _preload_content=False, _request_timeout=_TIMEOUT_S)
            for line in answer:
                yield line.decode(errors="replace").rstrip("\n")

    def _here(self) -> dict[str, Any]:
        return {**_WORKFLOWS, "namespace": self.namespace, "_request_timeout": _TIMEOUT_S}


def _lenient(speaker: Any) -> Any:
    """Certificates are checked as kubectl checks them. Python 3.13's defaults refuse the authorities of many clusters for a missing extension."""
    if speaker.configuration.verify_ssl:
        speaker.rest_client.pool_manager.connection_pool_kw["ssl_context"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return speaker


def _inside(no_file: Exception) -> str:
    """The namespace of the pod that this is, with its service account."""
    try:
        credentials.load_incluster_config()
        with open("/var/run/secrets/kubernetes.io/serviceaccount/namespace", encoding="utf-8") as file:
            return file.read().strip()
    except (credentials.ConfigException, OSError):
        raise ConfigError(f"no cluster: {' '.join(str(no_file).split())}; set KUBECONFIG, or run in a pod with a service account") from no_file


class _Absent(ConfigError):
    """404."""


@contextmanager
def _speaking(subject: str) -> Iterator[None]:
    try:
        yield
    except client.ApiException as e:
        error = told(subject, "the API server", e.status, e.body)
        raise (_Absent(str(error)) if e.status == 404 else error) from e
    except HTTPError as e:
        raise Unavailable(f"{subject}: the API server does not answer ({getattr(e, 'reason', e)}); try the same command later") from e
