"""A log in the store: lines that are durable when `append` returns, whatever kills the writer.

A store that can append (a folder) gets segments, one per life of a writer, which grow; any other (S3) gets one object per
call. Each line is guarded by its CRC: `1a2b3c4d {"json": …}`. What a kill leaves behind the last line end was never reported as
done, and is dropped.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import zstandard

from writ.errors import ArtifactError
from writ.storage import Missing, Store, check_key

_SEGMENT_BYTES = 16 * 2**20
"""A segment that has reached this is closed, so that a reader holds no more than about this much."""


@runtime_checkable
class Appendable(Protocol):
    """A store that can add to an object that is there."""

    def append(self, key: str, data: bytes) -> None:
        """Add `data` at the object's end; durable when it returns. A kill may leave the beginning of `data`.

        Raises: Missing if nothing stands at the key.
        """
        ...


class Log:
    """Appends to the log in `folder`. Other writers may append to the same log at the same moment; one caller at a time per Log."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, check_key(folder) + "/"
        self._next: int | None = None
        self._segment = ""
        self._segment_bytes = 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Lines hold no line end."""
        data = b"".join(b"%08x %b\n" % (zlib.crc32(line), line) for line in lines)
        if isinstance(self._store, Appendable):
            self._grow(self._store, data)
        else:
            packed = zstandard.ZstdCompressor().compress(data)
            sha16 = hashlib.sha256(packed).hexdigest()[:16]  # two writers with one number do not collide
            self._store.put(f"{self._folder}{self._number():08d}-{sha16}.jsonl.zst", packed)

    def _grow(self, store: Appendable, data: bytes) -> None:
        try:
            segment = self._segment or self._new_segment()
            self._segment = ""  # whatever goes wrong now, it may end in half a line
            store.append(segment, data)
        except Missing:  # a copy of this writer has finished the work, and cleared the log
            segment = self._new_segment()
            store.append(segment, data)
        self._segment_bytes += len(data)
        self._segment = segment if self._segment_bytes < _SEGMENT_BYTES else ""

    def _new_segment(self) -> str:
        """An empty segment that is this writer's alone."""
        self._segment_bytes = 0
        while True:
            segment = f"{self._folder}{self._number():08d}.jsonl"
            if self._store.put_if_absent(segment, b""):
                return segment

    def _number(self) -> int:
        if self._next is None:
            self._next = sum(1 for _ in self._store.list(self._folder))
        self._next += 1
        return self._next


def read_log(store: Store, prefix: str) -> Iterator[bytes]:
    """The lines of all logs below `prefix`, in the order of their objects' names.

    Raises: ArtifactError if one is altered.
    """
    for name in store.list(prefix):
        try:
            lines = _lines(store, name)
        except Missing:  # cleared since it was listed
            continue
        for line in lines:
            guard, _, text = line[:-1].partition(b" ")
            if guard != b"%08x" % zlib.crc32(text):
                raise _altered(store, name)
            yield text


def _lines(store: Store, name: str) -> Iterator[bytes]:
    """Whole lines, each with its end."""
    data = store.get(name)
    if name.endswith(".zst"):
        try:
            data = zstandard.ZstdDecompressor().decompress(data)
        except zstandard.ZstdError as e:
            raise _altered(store, name) from e
    return (line for line in io.BytesIO(data) if line.endswith(b"\n"))


def _altered(store: Store, name: str) -> ArtifactError:
    url = f"{store.url}/{name}"
    return ArtifactError(f"{url} is altered: a line does not match its checksum; delete {url} and run again: what it held is made anew")
