"""A store in a folder. A write goes to a temporary file, is synced, and appears under its name in one step."""

import errno
import io
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from writ.errors import ConfigError, Unavailable, WritError
from writ.storage import Missing, check_key, check_prefix

T = TypeVar("T")

_TEMPORARY = ".tmp"
_STALE_S = 3600
"""A temporary file of this age was left by a killed writer: no write takes an hour."""
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BAD_PATH = {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
"""What `link` answers on file systems without hard links."""


class LocalStore:
    """Objects as files under `root`, which the first write creates."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = str(self.root)

    def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            with _refused("read", path), _missing(path):
                return path.read_bytes()
        except Missing:
            self._check_root()
            raise

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with _refused("write", path), self._temporary(data) as temporary:
            _in_folder(path, lambda: os.replace(temporary, path))
            _sync_folder(path.parent)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        with _refused("write", path), self._temporary(data) as temporary:
            won = _in_folder(path, lambda: _place(temporary, path, data))
            _sync_folder(path.parent)
            return won

    def append(self, key: str, data: bytes) -> None:
        """Add to an object that is there; durable when it returns. A kill or a full disk may leave the beginning of `data`."""
        path = self._path(key)
        with _refused("write", path), _missing(path), path.open("r+b", buffering=0) as file:
            file.seek(0, os.SEEK_END)
            _write_all(file, data)

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _refused("read", path):
            return path.is_file()

    def list(self, prefix: str) -> Iterator[str]:
        folder = self.root / check_prefix(prefix).rpartition("/")[0]
        self._check_root()
        with _refused("list", folder):
            yield from sorted(key for key in self._keys(folder) if key.startswith(prefix))

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _refused("delete", path), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            _sync_folder(path.parent)

    def probe(self) -> None:
        """Also removes the temporary files of killed writers."""
        with _refused("write", self.root), self._temporary(b"probe") as temporary:
            now_s = temporary.stat().st_mtime
            for other in temporary.parent.iterdir():
                with suppress(FileNotFoundError):
                    if now_s - other.stat().st_mtime > _STALE_S:
                        other.unlink()

    def hurry(self, within_s: float) -> None:
        """Nothing is tried again here."""

    def _check_root(self) -> None:
        """A store that is not there yet is empty; a file in its place is a mistake."""
        if self.root.exists() and not self.root.is_dir():
            raise ConfigError(f"store {self.root} is a file, not a folder; name another folder with --out")

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _keys(self, folder: Path) -> Iterator[str]:
        for base, folders, files in os.walk(folder, onerror=_raise_unless_absent):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith("."):
                    yield (Path(base) / name).relative_to(self.root).as_posix()

    @contextmanager
    def _temporary(self, data: bytes) -> Iterator[Path]:
        """A synced file with `data` on the store's own file system, under a name of its own; gone afterwards."""
        path = self.root / _TEMPORARY / uuid.uuid4().hex
        try:
            _in_folder(path, lambda: _write_synced(path, data))
            yield path
        finally:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()


@contextmanager
def _missing(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as e:
        raise Missing(f"{path} does not exist; check the store's path, or run the stage that writes it") from e


@contextmanager
def _refused(action: str, path: Path) -> Iterator[None]:
    """The operating system's refusals in the store's terms."""
    try:
        yield
    except OSError as e:
        raise _refusal(e, action, path) from e


def _refusal(e: OSError, action: str, path: Path) -> WritError:
    fact = f"store cannot {action} {path}: {os.strerror(e.errno) if e.errno else e}"
    if e.errno in _NO_SPACE:
        return Unavailable(f"{fact}; free some space and run the same command again, it goes on where it was")
    if e.errno in _NOT_ALLOWED:
        return ConfigError(f"{fact}; allow it, or name another store with --out")
    if e.errno in _BAD_PATH:
        return ConfigError(f"{fact}; name another folder with --out")
    return Unavailable(f"{fact}; run the same command again when the disk answers")


def _in_folder(path: Path, act: Callable[[], T]) -> T:
    """What `act` does, with the folder of `path` made first if it turns out to be absent."""
    try:
        return act()
    except FileNotFoundError:
        _make_folder(path.parent)
        return act()


def _make_folder(folder: Path) -> None:
    """Durably: each new name is synced in its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        _write_all(file, data)


def _write_all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(temporary: Path, path: Path, data: bytes) -> bool:
    """Give `temporary` its final name unless the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as e:
        if e.errno not in _NO_LINKS:
            raise
        if path.exists():
            return False
        os.replace(temporary, path)
        return path.read_bytes() == data
    return True


def _raise_unless_absent(e: OSError) -> None:
    if not isinstance(e, FileNotFoundError | NotADirectoryError):
        raise e
