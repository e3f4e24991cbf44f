"""Checkpoints of a training in the store, where a killed one, or one that is begun again elsewhere, finds them.

A checkpoint is `<folder>/<step>/`: chunks, and `whole.json`, which lists its files and is put last. Without it nobody reads the rest.
"""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from writ.errors import ArtifactError
from writ.schema import StoredFile
from writ.storage import Store
from writ.storage.folders import clear_folder, get_files, put_file

KEPT = 2
"""Whole checkpoints that stay: one, and the one before in case it cannot be read."""

_FILES = TypeAdapter(tuple[StoredFile, ...])
_MARK = "whole.json"


class Checkpoints:
    """Those of one training. `folder`: of the store; it belongs to this training alone."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder

    def keep(self, checkpoint: Path, step: int) -> None:
        """Durable when it returns; older ones go."""
        place = self._place(step)
        names = sorted(path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file())
        files = tuple(put_file(self._store, place, checkpoint / name, name) for name in names)
        self._store.put(f"{place}/{_MARK}", _FILES.dump_json(files))
        for old in self._steps()[:-KEPT]:
            self._drop(old)

    def restore(self, into: Path) -> Path | None:
        """The last checkpoint that is whole and can be read, as `into/checkpoint-<step>`; None where there is none."""
        for step in reversed(self._steps()):
            target = into / f"checkpoint-{step}"
            try:
                files = _FILES.validate_json(self._store.get(f"{self._place(step)}/{_MARK}"))
                get_files(self._store, self._place(step), files, target)
            except (ArtifactError, ValidationError):
                self._drop(step)  # torn: what is lost is the work since the one before
            else:
                return target
        return None

    def clear(self) -> None:
        """Once the training is done."""
        for step in self._steps():
            self._drop(step)
        clear_folder(self._store, self._folder)

    def _place(self, step: int) -> str:
        return f"{self._folder}/{step:08d}"

    def _steps(self) -> list[int]:
        """Steps of the whole ones, in order."""
        keys = (key.removeprefix(f"{self._folder}/").split("/") for key in self._store.list(f"{self._folder}/"))
        return sorted(int(parts[0]) for parts in keys if parts[1:] == [_MARK])

    def _drop(self, step: int) -> None:
        self._store.delete(f"{self._place(step)}/{_MARK}")
        clear_folder(self._store, self._place(step))
