"""Runs as Argo Workflows: what a submit must do, given what is there already. Pure; `cluster.py` beside it acts, through one of two adapters.

A Workflow is named after its run, `writ-<run id>-<attempt>`. Two clients that submit one run at the same moment ask for the same name, and one of
them is told that it exists: so a run is never started twice, whoever starts it.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import yaml

from writ.errors import ConfigError, Unavailable, WritError
from writ.settings import RunConfig

PART_OF = "app.kubernetes.io/part-of=writ"
RUN_LABEL = "writ/run-id"
OWNER_LABEL = "writ/workflow-uid"
"""On whatever is made outside a Workflow: the uid of the Workflow that it is made for."""
OVER = ("Succeeded", "Failed", "Error")


class Taken(WritError):
    """Another client made a Workflow of that name first."""


class PodLog(NamedTuple):
    """What one pod's stage has said, line by line."""

    pod: str
    lines: Iterable[str]


class WorkflowApi(Protocol):
    """Who keeps the Workflows of one namespace: `kubernetes_api.py`, `argo_server.py`. Objects are the API's own, as JSON trees.

    Each method raises: ConfigError (refused, or not there), Unavailable (no answer).
    """

    namespace: str

    def create(self, body: dict[str, Any]) -> Mapping[str, Any]:
        """Raises also: Taken."""
        ...

    def get(self, name: str) -> Mapping[str, Any]: ...

    def find(self, selector: str) -> Sequence[Mapping[str, Any]]: ...

    def stop(self, name: str) -> None:
        """As `argo stop`: pods save their work and end, the exit handler runs."""
        ...

    def logs(self, name: str) -> Iterator[PodLog]:
        """Of the pods of a Workflow that are still there."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """A pod of a Workflow."""

    id: str
    """The node's, whose last part ends the pod's name too."""
    name: str
    phase: str
    progress: str
    message: str
    exit_code: int | None
    log: str
    """Key of its archived log in Argo's artifact repository; empty without one."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A Workflow as the API server shows it."""

    name: str
    run_id: str
    phase: str
    """Pending | Running | Succeeded | Failed | Error"""
    started: str
    """RFC 3339; empty before it begins."""
    message: str
    steps: tuple[Step, ...]

    @property
    def over(self) -> bool:
        return self.phase in OVER


def config_text(config: RunConfig) -> str:
    """The parameter `config`: what the run's settings say beyond the defaults, without what only this machine knows (`out`, `s3`, `cluster`).

    Raises: ConfigError for settings that no pod could follow.
    """
    if config.domains.data and not config.domains.artifact:
        raise ConfigError(
            f"domains.data is '{config.domains.data}', a folder of this machine; make it an artifact of the store first "
            "('writ stage domain --out s3://…'), and set domains.artifact to its key"
        )
    if any("/" in place for place in config.domains.code.values()):
        raise ConfigError("domains.code names a folder of this machine; put the domain into the images and name its module")
    tree = config.model_dump(mode="json", exclude_defaults=True, exclude={"out": True, "s3": True, "cluster": True, "domains": {"data"}})
    return yaml.safe_dump({key: value for key, value in tree.items() if value != {}}, sort_keys=True)


def workflow(run_id: str, attempt: int, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The object that starts the pipeline."""
    given = [{"name": name, "value": value} for name, value in sorted({**parameters, "run-id": run_id}.items())]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": f"writ-{run_id}-{attempt}", "labels": {RUN_LABEL: run_id, "app.kubernetes.io/part-of": "writ"}},
        "spec": {"workflowTemplateRef": {"name": "writ-pipeline"}, "arguments": {"parameters": given}},
    }


def at_work(found: Sequence[Submitted]) -> Submitted | None:
    """The Workflow of the run that is not over, if there is one."""
    return next((each for each in found if not each.over), None)


def next_attempt(found: Sequence[Submitted]) -> int:
    """1 + the highest number that a Workflow of the run bears."""
    numbers = (each.name.rpartition("-")[2] for each in found)
    return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)


def read_workflow(tree: Mapping[str, Any]) -> Submitted:
    """From the API's object."""
    metadata, status = tree["metadata"], tree.get("status", {})
    nodes = sorted(nodes_of(status).values(), key=lambda node: (node.get("startedAt") or "9", node["id"]))
    return Submitted(
        name=metadata["name"],
        run_id=metadata.get("labels", {}).get(RUN_LABEL, ""),
        phase=status.get("phase") or "Pending",
        started=status.get("startedAt") or "",
        message=status.get("message", ""),
        steps=tuple(_step(node) for node in nodes if node["type"] == "Pod"),
    )


def nodes_of(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Argo packs the nodes of a Workflow that is large: base64 of gzip of JSON. Beyond that it puts them into a database, and shows none here."""
    packed = status.get("compressedNodes")
    found: Mapping[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed))) if packed else status.get("nodes", {})
    return found


def _step(node: Mapping[str, Any]) -> Step:
    outputs = node.get("outputs", {})
    code, logs = outputs.get("exitCode"), [each for each in outputs.get("artifacts", ()) if each["name"] == "main-logs"]
    return Step(
        id=node["id"],
        name="finish" if ".onExit" in node["displayName"] else node["displayName"].removesuffix("(0)"),
        phase=node.get("phase", "Pending"),
        progress=node.get("progress", ""),
        message=node.get("message", ""),
        exit_code=int(code) if code else None,
        log=logs[0].get("s3", {}).get("key", "") if logs else "",
    )


def step_of(pod: str, steps: Sequence[Step]) -> Step | None:
    """The step whose pod bears this name."""
    return next((step for step in steps if step.id.rpartition("-")[2] == pod.rpartition("-")[2]), None)


def news(before: Submitted | None, now: Submitted) -> list[str]:
    """A line for each step whose phase or progress is new."""
    known = {(step.name, step.phase, step.progress) for step in before.steps} if before else set()
    return [_line(step) for step in now.steps if (step.name, step.phase, step.progress) not in known]


def _line(step: Step) -> str:
    told = f"  {step.progress}" if step.progress not in ("", "0/1", "1/1") else ""
    return f"  {step.name:<24} {step.phase.lower():<10}{told}{f'  {step.message}' if step.message else ''}".rstrip()


def failure(now: Submitted) -> Step | None:
    """The last step that failed: why a Workflow did."""
    return next((step for step in reversed(now.steps) if step.phase in ("Failed", "Error")), None)


_NEXT: Mapping[int, str] = {
    401: "{speaker} does not know this credential; log in again",
    403: "this account may not do that; ask for the rights of service account writ-submitter, or writ-operator to stop runs and read logs",
    404: "it is not there, or Argo Workflows is not installed; `writ runs` lists what is",
}


def told(subject: str, speaker: str, status: int, body: object) -> WritError:
    """The error that an HTTP status stands for, whoever of the two speaks."""
    if status == 409:
        return Taken(subject)
    text = " ".join((body.decode(errors="replace") if isinstance(body, bytes) else str(body)).split())[:300]
    if status in _NEXT:
        return ConfigError(f"{subject}: {_NEXT[status].format(speaker=speaker)}{f' ({text})' if status == 404 else ''}")
    if 400 <= status < 500 and status != 429:
        return ConfigError(f"{subject}: refused with {status} ({text})")
    return Unavailable(f"{subject}: {speaker} answers {status}; try the same command later")
