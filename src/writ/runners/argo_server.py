"""Workflows over an Argo Server, with a token: for whom the Kubernetes API is out of reach. The token's rights apply, as they would there.

Replies are read as plain JSON: the package's own models refuse what the server leaves out, after it has done what it was asked to do.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from argo_workflows import ApiClient, ApiException, Configuration
from argo_workflows.api.workflow_service_api import WorkflowServiceApi
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_create_request import IoArgoprojWorkflowV1alpha1WorkflowCreateRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_lint_request import IoArgoprojWorkflowV1alpha1WorkflowLintRequest
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_stop_request import IoArgoprojWorkflowV1alpha1WorkflowStopRequest
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from writ.errors import Unavailable
from writ.runners.workflows import PodLog, told

_RAW = {"_preload_content": False, "_check_return_type": False, "_request_timeout": 30}


class ArgoServer:
    """The adapter of `WorkflowApi` for an Argo Server."""

    def __init__(self, url: str, token: SecretStr, namespace: str, ca_file: str | None = None) -> None:
        """`token`: of a service account, with or without `Bearer` before it."""
        self.namespace = namespace
        self._url = url
        configuration: Any = Configuration(host=url.rstrip("/"))
        configuration.api_key["BearerToken"] = "Bearer " + token.get_secret_value().removeprefix("Bearer ").strip()
        configuration.ssl_ca_cert = ca_file
        configuration.retries = False
        self._api: Any = WorkflowServiceApi(ApiClient(configuration))

    def create(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """Lints first: a Workflow that cannot run, as where the template is missing, is refused before it is made."""
        body = {**body, "metadata": {**body["metadata"], "namespace": self.namespace}}  # lint looks for templates in the object's own namespace
        with self._speaking(f"submit to namespace '{self.namespace}'"):
            linted = IoArgoprojWorkflowV1alpha1WorkflowLintRequest(workflow=body, _check_type=False)
            self._api.lint_workflow(self.namespace, linted, **_RAW)
            request = IoArgoprojWorkflowV1alpha1WorkflowCreateRequest(workflow=body, _check_type=False)
            return _tree(self._api.create_workflow(self.namespace, request, **_RAW))

    def get(self, name: str) -> Mapping[str, Any]:
        with self._speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            return _tree(self._api.get_workflow(self.namespace, name, **_RAW))

    def find(self, selector: str) -> Sequence[Mapping[str, Any]]:
        with self._speaking(f"Workflows of namespace '{self.namespace}'"):
            found = _tree(self._api.list_workflows(self.namespace, list_options_label_selector=selector, **_RAW))
            return found.get("items") or []

    def stop(self, name: str) -> None:
        with self._speaking(f"Workflow '{name}' in namespace '{self.namespace}'"):
            request = IoArgoprojWorkflowV1alpha1WorkflowStopRequest(name=name, namespace=self.namespace)
            self._api.stop_workflow(self.namespace, name, request, **_RAW)

    def logs(self, name: str) -> Iterator[PodLog]:
        with self._speaking(f"logs of Workflow '{name}' in namespace '{self.namespace}'"):
            answer = self._api.workflow_logs(self.namespace, name, log_options_container="main", **_RAW)
            entries = (json.loads(line)["result"] for line in answer if line.strip())
            for pod, said in groupby(entries, key=lambda entry: entry["podName"]):
                yield PodLog(pod, (entry.get("content", "") for entry in said))

    @contextmanager
    def _speaking(self, subject: str) -> Iterator[None]:
        speaker = f"the Argo Server at {self._url}"
        try:
            yield
        except ApiException as e:
            if not e.status:
                raise Unavailable(f"{subject}: {speaker} cannot be spoken to ({' '.join(str(e.reason).split())}); is ca_file right?") from e
            raise told(subject, speaker, e.status, e.body) from e
        except HTTPError as e:
            raise Unavailable(f"{subject}: {speaker} does not answer ({type(e).__name__}); try the same command later") from e


def _tree(answer: Any) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(answer.data)
    return tree
