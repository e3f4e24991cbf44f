"""A training in pods of its own: what is created, and how it is followed to its end, whoever runs it.

A job is named after what it makes, so that a launcher which was killed finds it again. It carries the hash of its specification: one of the same name
and another specification is never taken for it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NamedTuple, Protocol

from writ.errors import ArtifactError, ConfigError, Unavailable, WritError
from writ.schema import Record, canonical, execution

SPEC_NOTE = "writ/spec"
"""Annotation with the hash of the specification."""
CONTAINER = "node"
"""Name of the container that trains; Kubeflow Trainer looks for it."""
LAST_LINES = 100
POD_LABELS = {"app.kubernetes.io/name": "writ", "app.kubernetes.io/component": "training", "app.kubernetes.io/part-of": "writ"}
"""By which network policies know the pods."""

State = Literal["waiting", "suspended", "running", "failed", "done", "gone"]
"""waiting: no pod runs yet. suspended: a queue holds it back, which is not its fault. gone: somebody deleted it."""


class LaunchConfig(Record):
    """As what a cluster trains, and in which pod. Nothing here changes the model."""

    kind: Literal["job", "jobset", "trainjob"] = execution("job")
    """A plain Job; a JobSet; a TrainJob of Kubeflow Trainer, which needs `runtime`."""
    runtime: str = execution("writ-train")
    """TrainingRuntime of the namespace that a TrainJob uses; k8s/trainer holds one."""
    image: str = execution("ghcr.io/writ-project/writ-train:0.1.0")
    """Holds writ and the packages of training."""
    cpu: str = execution("2")
    """Requested; as `memory`, a Kubernetes quantity."""
    memory: str = execution("8Gi")
    """Requested, and the limit."""
    gpu_resource: str = execution("nvidia.com/gpu")
    """Name of the resource of which `training.devices` are requested; empty: none, on a CPU."""
    disk: str = execution("200Gi")
    """Most that weights and checkpoints may take on the node."""
    queue: str = execution("")
    """LocalQueue of Kueue; the job then starts suspended, and waits as long as it must."""
    node_selector: dict[str, str] = execution({})
    """Labels of the nodes on which it may train."""
    service_account: str = execution("writ-model")
    """Of the training's pods: it needs no rights."""
    credentials_secret: str = execution("writ-credentials")
    """Its keys become environment variables; may be absent."""
    platform_config: str = execution("writ-settings")
    """ConfigMap with platform.yaml; may be absent."""


class Job(NamedTuple):
    """What is to be there."""

    kind: tuple[str, str, str]
    """Group, version, plural."""
    name: str
    body: Mapping[str, Any]
    selector: str
    """Labels of its pods."""

    @property
    def spec_hash(self) -> str:
        return str(self.body["metadata"]["annotations"][SPEC_NOTE])


@dataclass(frozen=True, slots=True)
class Seen:
    """A job at one moment."""

    state: State
    why: str = ""
    """What a person would want to know: why it waits, or failed."""


class LastWords(NamedTuple):
    """Of the pod that failed last."""

    exit_code: int | None
    """None where no pod is left to tell."""
    lines: tuple[str, ...]


class Jobs(Protocol):
    """The port. Every method may raise ConfigError (no right, refused) and Unavailable (no answer)."""

    def start(self, job: Job) -> bool:
        """False if it was there already. Raises: ConfigError where one of this name has another specification."""
        ...

    def look(self, job: Job) -> Seen: ...

    def last_words(self, job: Job) -> LastWords: ...

    def remove(self, job: Job) -> None: ...


def training_job(config: LaunchConfig, name: str, command: list[str], devices: int, labels: Mapping[str, str]) -> Job:
    """`labels`: of the object; those of its pods are its kind's own."""
    make = {"job": _plain, "jobset": _jobset, "trainjob": _trainjob}[config.kind]
    body = make(config, command, devices)
    if config.queue:
        labels = {**labels, "kueue.x-k8s.io/queue-name": config.queue}
    digest = sha256(canonical(body).encode()).hexdigest()[:16]
    body["metadata"] = {"name": name, "labels": dict(labels), "annotations": {SPEC_NOTE: digest}}
    pods = f"batch.kubernetes.io/job-name={name}" if config.kind == "job" else f"jobset.sigs.k8s.io/jobset-name={name}"
    return Job(KINDS[config.kind], name, body, pods)


KINDS: Mapping[str, tuple[str, str, str]] = {
    "job": ("batch", "v1", "jobs"),
    "jobset": ("jobset.x-k8s.io", "v1alpha2", "jobsets"),
    "trainjob": ("trainer.kubeflow.org", "v1alpha1", "trainjobs"),
}


def _plain(config: LaunchConfig, command: list[str], devices: int) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": _job(config, command, devices)}


def _jobset(config: LaunchConfig, command: list[str], devices: int) -> dict[str, Any]:
    replicated = {"name": CONTAINER, "replicas": 1, "template": {"spec": _job(config, command, devices)}}
    return {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "spec": {"failurePolicy": {"maxRestarts": 0}, "replicatedJobs": [replicated]}}


def _trainjob(config: LaunchConfig, command: list[str], devices: int) -> dict[str, Any]:
    """Its runtime holds what a TrainJob may not: volumes, credentials, the account, the pod's rules."""
    trainer = {"image": config.image, "command": command, "numNodes": 1, "resourcesPerNode": _resources(config, devices)}
    runtime = {"name": config.runtime, "kind": "TrainingRuntime", "apiGroup": "trainer.kubeflow.org"}
    return {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "spec": {"runtimeRef": runtime, "trainer": trainer}}


def _job(config: LaunchConfig, command: list[str], devices: int) -> dict[str, Any]:
    """A lost pod is made again, and the training goes on from its checkpoint; what would fail again is not tried again.

    No time to live: a job that vanishes when it is done would be made again by what stands above it.
    """
    never = {"action": "FailJob", "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": [1, 2, 3]}}
    lost = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    policy = {"rules": [never, lost]}
    template = {"metadata": {"labels": POD_LABELS}, "spec": _pod(config, command, devices)}
    return {"backoffLimit": 6, "completions": 1, "parallelism": 1, "podFailurePolicy": policy, "template": template}


def _pod(config: LaunchConfig, command: list[str], devices: int) -> dict[str, Any]:
    shut = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": CONTAINER,
        "image": config.image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "envFrom": [{"secretRef": {"name": config.credentials_secret, "optional": True}}],
        "resources": _resources(config, devices),
        "securityContext": shut,
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "platform", "mountPath": "/etc/writ", "readOnly": True}],
    }
    return {
        "restartPolicy": "Never",
        "serviceAccountName": config.service_account,
        "automountServiceAccountToken": False,
        "nodeSelector": dict(config.node_selector),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": config.disk}},
            {"name": "platform", "configMap": {"name": config.platform_config, "optional": True}},
        ],
    }


def _resources(config: LaunchConfig, devices: int) -> dict[str, Any]:
    gpus = {config.gpu_resource: str(devices)} if config.gpu_resource else {}
    return {"requests": {"cpu": config.cpu, "memory": config.memory, **gpus}, "limits": {"memory": config.memory, **gpus}}


def follow(
    jobs: Jobs,
    job: Job,
    say: Callable[[str], None],
    *,
    wait_s: float,
    poll_s: float = 5.0,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Sees to it that the job is there, and returns once it is done. What failed in an earlier life is begun again; what is at work is adopted.

    Raises: what the training's exit code says, with its last lines told before; Unavailable where no pod came within `wait_s`.
    """
    _begin(jobs, job, say)
    since, last = now_s(), Seen("waiting")
    while True:
        try:
            seen = jobs.look(job)
        except Unavailable as e:
            say(f"{job.name}: {e}")
            seen = last
        if seen != last:
            say(f"{job.name}: {seen.state}{f' ({seen.why})' if seen.why else ''}")
        last = seen
        if seen.state == "done":
            return
        if seen.state == "gone":
            raise Unavailable(f"training {job.name} was deleted while it was followed; submit again, it goes on from its checkpoint")
        if seen.state == "failed":
            raise _failed(jobs, job, seen, say)
        if seen.state != "waiting":
            since = now_s()
        elif now_s() - since > wait_s:
            jobs.remove(job)
            raise ConfigError(
                f"training {job.name} got no running pod within {wait_s:g} s ({seen.why or 'none was made: a quota or Pod Security may refuse'}); "
                "free a GPU or lower launch.* requests, or raise gpu-wait-s, and submit again"
            )
        sleep(poll_s)


def _begin(jobs: Jobs, job: Job, say: Callable[[str], None]) -> None:
    if jobs.start(job):
        say(f"{job.name}: created as {job.kind[2]}")
        return
    seen = jobs.look(job)
    if seen.state != "failed":
        say(f"{job.name}: adopted, {seen.state}")
        return
    say(f"{job.name}: failed in an earlier life, begun again")
    jobs.remove(job)
    if not jobs.start(job):
        raise Unavailable(f"training {job.name} is being deleted; the same command later goes on")


_BY_CODE: Mapping[int | None, type[WritError]] = {1: WritError, 2: ConfigError, 3: ArtifactError}


def _failed(jobs: Jobs, job: Job, seen: Seen, say: Callable[[str], None]) -> WritError:
    """The training's own kind of error; a pod that vanished or was killed is worth another try."""
    words = jobs.last_words(job)
    for line in words.lines[-LAST_LINES:]:
        say(f"  {line}")
    kind = _BY_CODE.get(words.exit_code, Unavailable)
    code = "no pod of it is left" if words.exit_code is None else f"exit code {words.exit_code}"
    said = f"; its last line: {words.lines[-1]}" if words.lines else ""
    return kind(f"training {job.name} failed ({code}{f', {seen.why}' if seen.why else ''}){said}; mend that, submit again: finished steps are kept")
