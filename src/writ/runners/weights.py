"""Fills a volume with a model's files, once, and checked: what `writ pod fetch-model` does before a model server starts.

A source is `hf://ORG/NAME` (the hub's HTTP interface, or a mirror of it) or a folder of a store, `s3://…`, with a SHA256SUMS beside its files.
`_COMPLETE` is written last and says what stands there: its source, its revision, and every file's checksum.
"""

import hashlib
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from pydantic import SecretStr

from writ.errors import ArtifactError, ConfigError, Unavailable
from writ.storage import Store

COMPLETE = "_COMPLETE"
_CHUNK = 1 << 20
_SKIPPED = re.compile(r"(\.git.*|.*\.(md|h5|msgpack|onnx|ot|gguf)|original/.*|onnx/.*)")
"""What no server here loads."""


class File(NamedTuple):
    """One file of a model, as its source vouches for it."""

    name: str
    sha256: str
    """Empty where the source only knows `git_sha1`."""
    git_sha1: str
    """Of git's blob: what the hub knows of small files."""


class Source(Protocol):
    """Where weights come from."""

    name: str

    def look(self, revision: str) -> tuple[str, list[File]]:
        """The revision that `revision` means, and its files. Raises: ConfigError, Unavailable."""
        ...

    def read(self, revision: str, name: str) -> Iterator[bytes]: ...


def fetch(source: Source, revision: str, folder: Path, say: Callable[[str], None]) -> None:
    """Makes `folder` hold exactly this revision's files. What stands and is right is not read again; a killed fetch goes on.

    Raises: ArtifactError where what arrives is not what the source vouches for; ConfigError, Unavailable.
    """
    standing = _complete(folder)
    if standing and standing["source"] == source.name and standing["revision"] == revision and _there(folder, standing["files"]):
        say(f"{source.name} at {revision} stands in {folder}")
        return
    resolved, files = source.look(revision)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COMPLETE).unlink(missing_ok=True)
    checksums = {file.name: _one(source, resolved, file, folder, say) for file in files}
    text = json.dumps({"source": source.name, "revision": revision, "resolved": resolved, "files": checksums}, indent=1)
    _put(folder / COMPLETE, iter([text.encode()]))
    say(f"{source.name} at {resolved}: {len(files)} files stand in {folder}")


def _complete(folder: Path) -> dict[str, Any] | None:
    try:
        tree: dict[str, Any] = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return tree


def _there(folder: Path, files: dict[str, list[int | str]]) -> bool:
    """Whether every file is there with its size."""
    try:
        return all((folder / name).stat().st_size == size for name, (size, _) in files.items())
    except OSError:
        return False


def _one(source: Source, revision: str, file: File, folder: Path, say: Callable[[str], None]) -> tuple[int, str]:
    path = folder / file.name
    if path.resolve().is_relative_to(folder.resolve()) is False:
        raise ArtifactError(f"{source.name} names a file '{file.name}' outside its folder; do not trust it")
    if not _right(path, file):
        say(f"  {file.name}")
        _put(path, source.read(revision, file.name))
        if not _right(path, file):
            path.unlink()
            raise ArtifactError(
                f"{source.name}: '{file.name}' is not what its checksum says; fetch again, and if it stays so do not trust the source"
            )
    return path.stat().st_size, _digest(path, hashlib.sha256())


def _right(path: Path, file: File) -> bool:
    if not path.is_file():
        return False
    if file.sha256:
        return _digest(path, hashlib.sha256()) == file.sha256
    return _digest(path, hashlib.sha1(b"blob %d\0" % path.stat().st_size)) == file.git_sha1


def _digest(path: Path, digest: "hashlib._Hash") -> str:
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _put(path: Path, chunks: Iterator[bytes]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as opened:
            for chunk in chunks:
                opened.write(chunk)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(path)
    except OSError as e:
        raise Unavailable(f"{path} cannot be written ({e.strerror}); make room on the volume, then start again") from e
    finally:
        partial.unlink(missing_ok=True)


class Hub:
    """A model on the hub, over HTTPS."""

    def __init__(self, model: str, url: str, token: SecretStr | None) -> None:
        self.name = f"hf://{model}"
        self._model, self._url, self._token = model, url.rstrip("/"), token

    def look(self, revision: str) -> tuple[str, list[File]]:
        with self._open(f"/api/models/{self._model}/revision/{revision}?blobs=true") as reply:
            tree = json.load(reply)
        files = [File(each["rfilename"], each.get("lfs", {}).get("sha256", ""), each["blobId"]) for each in tree["siblings"]]
        return str(tree["sha"]), [file for file in files if not _SKIPPED.fullmatch(file.name)]

    def read(self, revision: str, name: str) -> Iterator[bytes]:
        with self._open(f"/{self._model}/resolve/{revision}/{name}") as reply:
            try:
                while chunk := reply.read(_CHUNK):
                    yield chunk
            except OSError as e:
                raise Unavailable(f"{self.name}: the connection broke at '{name}'; start again, and it goes on from there") from e

    @contextmanager
    def _open(self, path: str) -> Iterator[IO[bytes]]:
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        try:
            reply = urllib.request.urlopen(urllib.request.Request(self._url + path, headers=headers), timeout=60)
        except urllib.error.HTTPError as e:
            if e.code in (401, 403, 404):
                raise ConfigError(
                    f"{self.name}: {self._url} answers {e.code}; name an existing model and revision, and give a token that may read it"
                ) from e
            raise Unavailable(f"{self.name}: {self._url} answers {e.code}; start again later") from e
        except OSError as e:
            raise Unavailable(f"{self.name}: {self._url} does not answer ({e}); start again later") from e
        with reply:
            yield reply


class Folder:
    """A folder of a store, with the checksums of its files in SHA256SUMS (as `sha256sum` writes them)."""

    def __init__(self, store: Store) -> None:
        self.name = store.url
        self._store = store

    def look(self, revision: str) -> tuple[str, list[File]]:
        """The revision is the checksum of SHA256SUMS, or a beginning of it; empty: whatever stands."""
        text = self._store.get("SHA256SUMS")
        found = hashlib.sha256(text).hexdigest()
        if not found.startswith(revision):
            raise ConfigError(f"{self.name} stands at revision {found[:16]}, not {revision}; set that one, or fetch from elsewhere")
        lines = (line.split(maxsplit=1) for line in text.decode().splitlines() if line.strip())
        return found, [File(name.removeprefix("*").removeprefix("./"), digest, "") for digest, name in lines]

    def read(self, revision: str, name: str) -> Iterator[bytes]:
        yield self._store.get(name)
