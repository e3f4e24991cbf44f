"""What a container of the Argo pipeline does: one or two stages under the run's lease, and small files that Argo carries on.

`plan` opens a run and `release` ends it; between them each pod is a stage, with what belongs to it: `tasks` also makes the domain's
snapshot, `verify` first joins the shards. argo/templates/writ-stages.yaml is the other end of this contract.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from writ.artifacts import Manifest, Run, read_manifest, write_run
from writ.errors import ConfigError, Unavailable
from writ.pipeline import BY_NAME, STAGES, Plan, code_version
from writ.runners.execute import Listener, Progress
from writ.runners.local import run_stage
from writ.runners.simulate import Keys, join
from writ.settings import RunConfig
from writ.storage import Store
from writ.storage.lease import Lease, acquire_lease, read_lease, release_lease

LEASE_TTL_S = 600.0
"""After this long without a sign of life a run is free for another Workflow."""
HEARTBEAT_S = 60.0
PODS: dict[str, tuple[str, ...]] = {
    "tasks": ("domain", "tasks"),
    "instructions": ("instructions",),
    "simulate": ("simulate",),
    "verify": ("verify",),
    "dataset": ("dataset",),
    "report": ("report",),
}
"""Pod -> the stages it runs, in order. The last one's manifest and files are what Argo shows."""
MODEL_PODS = ("launch", "train", "weights", "evaluate")
"""Pods that come after the dataset, and have a runner each."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One container's surroundings."""

    config: RunConfig
    plan: Plan
    store: Store
    outputs: Path
    """Folder for files that Argo carries on."""
    owner: str
    """The Workflow, as `namespace/uid`, who holds the run's lease; empty: no lease."""


def open_run(pod: Pod, shards: int, say: Callable[[str], None], *, wait_s: float, poll_s: float = 5.0) -> None:
    """Takes the lease, records the run, and tells Argo what is left to do. Raises: Unavailable when another holds the lease for `wait_s`."""
    pod.store.probe()
    say(f"run {pod.plan.run_id} in {pod.store.url}")
    _wait_for_lease(pod, say, time.monotonic() + wait_s, poll_s)
    write_run(
        pod.store, Run(run_id=pod.plan.run_id, keys=dict(pod.plan.keys), config=pod.config.model_dump(mode="json"), code_version=code_version())
    )
    standing = {stage.name: read_manifest(pod.store, stage.name, pod.plan.keys[stage.name]) for stage in STAGES}
    for name, manifest in standing.items():
        say(f"  {name:<13} {pod.plan.keys[name]}  {f'reuse {manifest.records:,} records' if manifest else 'make'}")
    _put(pod.outputs, "run-id", pod.plan.run_id)
    _put(pod.outputs, "state", "done" if all(standing.values()) else "open")
    _put(pod.outputs, "shards.json", json.dumps([] if standing["simulate"] else list(range(shards))))
    _put(
        pod.outputs,
        "plan.json",
        json.dumps({"run_id": pod.plan.run_id, "keys": dict(pod.plan.keys), "reused": [n for n, m in standing.items() if m]}),
    )
    for stage in STAGES if all(standing.values()) else ():
        _show(pod, stage.name)


def run_pod(pod: Pod, name: str, listen: Listener, keys: Keys, *, shard: int, shards: int) -> Manifest:
    """The pod's stages, while the lease is kept alive. Raises whatever a stage raises."""
    with heartbeat(pod):
        if name == "verify":
            join(pod.plan, pod.store, shards)
        for stage in PODS[name]:
            manifest = run_stage(BY_NAME[stage], pod.config, pod.plan, pod.store, listen, keys, shard=shard, shards=shards)
    show(pod, manifest)
    return manifest


def show(pod: Pod, manifest: Manifest) -> None:
    """Hands Argo an artifact's manifest, and what its stage left for people."""
    _put(pod.outputs, "manifest.json", manifest.model_dump_json(indent=1))
    _show(pod, manifest.stage)


def release_run(pod: Pod, say: Callable[[str], None]) -> None:
    """Gives the lease up if this Workflow holds it."""
    lease = read_lease(pod.store, _lease_name(pod))
    if lease and lease.holder == pod.owner:
        release_lease(pod.store, lease)
        say(f"run {pod.plan.run_id}: lease of {pod.owner} released")


def progress_file(path: Path, total: int, then: Listener) -> Listener:
    """Writes `N/M` where Argo reads it, and passes the step on."""

    def listen(step: Progress) -> None:
        path.write_text(f"{total if step.finished else min(step.done, total)}/{total}\n", encoding="utf-8")
        then(step)

    return listen


def _lease_name(pod: Pod) -> str:
    return f"run-{pod.plan.run_id}"


def _claim(pod: Pod) -> Lease | None:
    return acquire_lease(pod.store, _lease_name(pod), pod.owner, LEASE_TTL_S, time.time())


def _wait_for_lease(pod: Pod, say: Callable[[str], None], until_s: float, poll_s: float) -> None:
    told = not pod.owner
    while pod.owner and _claim(pod) is None:
        if not told:
            say(f"run {pod.plan.run_id}: another Workflow is at work on it; waiting, as its artifacts will be ours too")
            told = True
        if time.monotonic() > until_s:
            raise Unavailable(f"run {pod.plan.run_id}: another Workflow still holds its lease; submit again later")
        time.sleep(poll_s)


@contextmanager
def heartbeat(pod: Pod) -> Iterator[None]:
    """Renews the lease while a stage works. A renewal that fails is tried again at the next beat: a lease saves money, no more."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_S):
            try:
                _claim(pod)
            except Unavailable:
                continue

    if pod.owner:
        threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _show(pod: Pod, stage: str) -> None:
    """Hands Argo what a stage left for people: the card, the report."""
    for file in BY_NAME[stage].files:
        _put(pod.outputs, file, pod.store.get(f"{stage}/{pod.plan.keys[stage]}/{file}").decode())


def _put(folder: Path, name: str, text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    except OSError as e:
        raise ConfigError(f"--outputs {folder}: {name} cannot be written ({e.strerror}); name a folder that can be") from e
