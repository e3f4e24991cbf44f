"""Files of any size in a store, in chunks that are named by their content: one that is there already is not sent again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from writ.errors import ArtifactError
from writ.schema import StoredFile
from writ.storage import Store

CHUNK_BYTES = 32 * 2**20
"""Small enough to be sent within the time that a request may take, large enough that 16 GB are 500 requests."""


def put_file(store: Store, folder: str, path: Path, name: str) -> StoredFile:
    """Sends `path` as `name` of the store's `folder`; holds one chunk in memory."""
    whole, chunks, size = hashlib.sha256(), list[str](), 0
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            whole.update(data)
            size += len(data)
            chunks.append(hashlib.sha256(data).hexdigest())
            if not store.exists(_key(folder, chunks[-1])):
                store.put(_key(folder, chunks[-1]), data)
    return StoredFile(name=name, bytes=size, sha256=whole.hexdigest(), chunks=tuple(chunks))


def get_files(store: Store, folder: str, files: Iterable[StoredFile], target: Path) -> None:
    """Writes the files below `target`. Raises: ArtifactError where a chunk is missing or altered, or a name leads out of `target`."""
    for file in files:
        path = (target / file.name).resolve()
        if not path.is_relative_to(target.resolve()):
            raise ArtifactError(f"{store.url}/{folder} names a file {file.name!r}, which would lie outside of {target}; make that artifact again")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as sink:
            for chunk in file.chunks:
                data = store.get(_key(folder, chunk))
                if hashlib.sha256(data).hexdigest() != chunk:
                    raise ArtifactError(f"{store.url}/{_key(folder, chunk)} is altered: its sha256 is not its name; delete {folder}, make it again")
                sink.write(data)


def clear_folder(store: Store, folder: str) -> None:
    """Deletes all that lies below the folder."""
    for key in list(store.list(f"{folder}/")):
        store.delete(key)


def _key(folder: str, chunk: str) -> str:
    return f"{folder}/chunks/{chunk}"
