"""Runs the train stage: skips what stands, goes on from the checkpoint in the store, leaves weights that `fetch` brings back."""

import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from writ.artifacts import Manifest, read_manifest, read_records
from writ.errors import ArtifactError
from writ.pipeline import TRAIN, Plan
from writ.runners.execute import Listener, Progress, open_writer, read_input
from writ.schema import StoredFile
from writ.settings import RunConfig
from writ.storage import Store
from writ.storage.folders import get_files, put_file
from writ.training.checkpoints import Checkpoints
from writ.training.stage import Workshop


def train(
    config: RunConfig,
    plan: Plan,
    store: Store,
    listen: Listener,
    about: Mapping[str, str],
    scratch: Path,
    *,
    main: bool = True,
    stop: Path | None = None,
) -> Manifest | None:
    """The weights' artifact; None in a process that helps the main one. `scratch`: an empty folder, the same for all processes of a machine.

    Told to stop, by SIGTERM or, where one of several is this process, by a file `stop`, it saves and raises Unavailable. Raises: ConfigError,
    ArtifactError before the first step.
    """
    key = plan.keys[TRAIN.name]
    standing = read_manifest(store, TRAIN.name, key)
    if standing is not None:
        listen(Progress(TRAIN.name, standing.records, finished=True, reused=True))
        return standing
    folder = f"{TRAIN.name}/{key}"
    checkpoints = Checkpoints(store, f"{folder}/checkpoints")
    workshop = Workshop(
        scratch,
        checkpoints,
        keep=lambda path, name: put_file(store, folder, path, name),
        emit=lambda name, data: store.put(f"{folder}/{name}", data),
        step=_step(listen, stop),
        about={"dataset": plan.keys["dataset"], **about},
    )
    arguments: dict[str, Any] = dict(TRAIN.arguments(config)) | {"rows": read_input(store, plan, TRAIN, "rows")}
    made = list(TRAIN.load()(**arguments, workshop=workshop))
    if not main:
        return None
    writer = open_writer(TRAIN, plan, store)
    writer.add_many(made)
    manifest = writer.commit()
    checkpoints.clear()
    listen(Progress(TRAIN.name, manifest.records, finished=True))
    return manifest


def _step(listen: Listener, stop: Path | None) -> Callable[[int], bool]:
    """Tells of each step, and asks for an end after one once SIGTERM came, or the file was made."""
    asked = threading.Event()
    if stop is None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: asked.set())

    def step(number: int) -> bool:
        listen(Progress(TRAIN.name, number))
        return asked.is_set() if stop is None else stop.exists()

    return step


def fetch(store: Store, key: str, target: Path) -> list[StoredFile]:
    """Brings a model's files to a folder. `key`: of a train artifact. Raises: ArtifactError where it is not whole."""
    manifest = read_manifest(store, TRAIN.name, key)
    if manifest is None:
        raise ArtifactError(f"{store.url}/{TRAIN.name}/{key} is unfinished; run 'writ train' again: it goes on where it stopped")
    files = list(read_records(store, manifest, StoredFile))
    get_files(store, f"{TRAIN.name}/{key}", files, target)
    return files
