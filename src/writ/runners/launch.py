"""Launches the train stage in a pod of its own, follows it and brings its end home."""

from collections.abc import Callable

from writ.artifacts import Manifest, read_manifest
from writ.errors import ArtifactError
from writ.jobs.launch import Jobs, follow, training_job
from writ.pipeline import TRAIN, Plan
from writ.runners.workflows import OWNER_LABEL, PART_OF, RUN_LABEL
from writ.settings import RunConfig
from writ.storage import Store


def launch(
    config: RunConfig, plan: Plan, store: Store, jobs: Jobs, say: Callable[[str], None], *, text: str, owner: str, run: str, wait_s: float
) -> Manifest:
    """The weights' artifact. `text`: the run's settings, which the pod is given as they are; `owner`: the Workflow as NAMESPACE/UID; `run`: its id.

    Told to stop, it just ends: the job goes on, and the next launcher adopts it. Raises: as `follow`.
    """
    key = plan.keys[TRAIN.name]
    standing = read_manifest(store, TRAIN.name, key)
    if standing is not None:
        say(f"{TRAIN.name}/{key} stands already: nothing to launch")
        return standing
    command = ["writ", "pod", "train", "--config-text", text, "--platform", "/etc/writ/platform.yaml", "--out", store.url, "--outputs", "/tmp/out"]
    part, _, writ = PART_OF.partition("=")
    labels = {part: writ, RUN_LABEL: run} | ({OWNER_LABEL: owner.rpartition("/")[2]} if owner else {})
    job = training_job(config.launch, f"writ-train-{key}", command, config.training.devices, labels)
    follow(jobs, job, say, wait_s=wait_s)
    jobs.remove(job)
    made = read_manifest(store, TRAIN.name, key)
    if made is None:
        raise ArtifactError(f"training {job.name} ended well, but {store.url}/{TRAIN.name}/{key} is not there; do its pods write to the same store?")
    return made
