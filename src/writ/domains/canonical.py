"""The hash of a whole database, as the benchmark defines it, without writing the whole database each time.

The hash is the sha256 of `json.dumps(database, sort_keys=True)`. A snapshot's text is made once; a conversation's hash reuses every stretch of
it that the conversation left alone.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

_dumps = json.JSONEncoder(sort_keys=True).encode


def canonical(value: Any) -> str:
    """JSON with sorted keys. Two JSON values are the same state iff these are equal (1, 1.0 and true differ, key order does not)."""
    return _dumps(value)


class TableText:
    """One table's records as one text, sorted by id, with each record's place in it."""

    __slots__ = ("_body", "_ends", "_head", "_ids", "_starts")

    def __init__(self, name: str, records: Mapping[str, Any]) -> None:
        self._head = f"{canonical(name)}: {{".encode()
        self._ids = sorted(records)
        entries = [_entry(record_id, records[record_id]) for record_id in self._ids]
        self._body = memoryview(b", ".join(entries))
        self._starts: list[int] = []
        self._ends: list[int] = []
        place = 0
        for entry in entries:
            self._starts.append(place)
            self._ends.append(place + len(entry))
            place += len(entry) + 2

    def pieces(self, changes: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
        """The table's text with these records in place of the snapshot's; None stands for a deleted record."""
        yield self._head
        separator = b""
        for run in self._runs(changes):
            yield separator
            yield run
            separator = b", "
        yield b"}"

    def _runs(self, changes: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
        done = 0
        for record_id in sorted(changes):
            place = bisect_left(self._ids, record_id)
            if place > done:
                yield self._body[self._starts[done] : self._ends[place - 1]]
            if changes[record_id] is not None:
                yield _entry(record_id, changes[record_id])
            known = place < len(self._ids) and self._ids[place] == record_id
            done = place + known
        if done < len(self._ids):
            yield self._body[self._starts[done] :]


class DatabaseText:
    """A snapshot's text, and sha256 states at each table's start."""

    __slots__ = ("_names", "_prefixes", "_tables")

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self._names = sorted(tables)
        self._tables = [TableText(name, tables[name]) for name in self._names]
        digest = hashlib.sha256(b"{")
        self._prefixes = []
        for number, table in enumerate(self._tables):
            if number:
                digest.update(b", ")
            self._prefixes.append(digest.copy())
            for piece in table.pieces({}):
                digest.update(piece)
        self._prefixes.append(digest)

    def hash(self, changes: Mapping[str, Mapping[str, Any]]) -> str:
        """sha256 (hex) of the database with these records changed: table -> id -> record, or None where deleted."""
        first = next((number for number, name in enumerate(self._names) if changes.get(name)), len(self._names))
        digest = self._prefixes[first].copy()
        for number in range(first, len(self._names)):
            if number > first:
                digest.update(b", ")
            for piece in self._tables[number].pieces(changes.get(self._names[number], {})):
                digest.update(piece)
        digest.update(b"}")
        return digest.hexdigest()


def _entry(record_id: str, record: Any) -> bytes:
    return f"{canonical(record_id)}: {canonical(record)}".encode()
