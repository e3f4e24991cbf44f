"""A domain's database: one immutable snapshot that all conversations of a process share, and a copy-on-write overlay for each of them.

Whoever gets a record from `get`, `items` or `values` must not change it; `edit` gives a private copy that may be changed until the next `mark`.
"""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from writ.domains.canonical import DatabaseText, canonical
from writ.errors import ArtifactError, ConfigError
from writ.schema import canonical as spelled

Record = dict[str, Any]
Tables = Mapping[str, Mapping[str, Record]]
Changes = dict[str, dict[str, Record | None]]
Looked = frozenset[tuple[str, Any]]
"""What a tool looked at: (table, record's id), or (table, None) for a whole table."""
T = TypeVar("T")


class Database:
    """Tables of records keyed by id: name -> id -> record. Never changed after it is made."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._memo: dict[Hashable, Any] = {}

    @classmethod
    def load(cls, path: Path, shape: type[BaseModel] | None = None) -> "Database":
        """Read a database file.

        Raises: ConfigError if there is no such file; ArtifactError if what it holds is not a database of that shape.
        """
        try:
            data = path.read_bytes()
        except OSError as e:
            raise ConfigError(f"database {path} cannot be read ({e.strerror}); name a directory that holds <domain>/db.json") from e
        return cls.from_bytes(data, shape, source=str(path))

    @classmethod
    def from_bytes(cls, data: bytes, shape: type[BaseModel] | None = None, source: str = "database") -> "Database":
        """Parse JSON text. With a shape, records get its field order, its number types and null for absent optional fields.

        Raises: ArtifactError if it is torn, not UTF-8, repeats an id, holds NaN, or has another shape.
        """
        return cls.from_tables(parsed(data, source), shape, source)

    @classmethod
    def from_tables(cls, tables: Any, shape: type[BaseModel] | None = None, source: str = "database") -> "Database":
        """Take tables that are in memory already, checked and brought into shape as `from_bytes` does."""
        return cls(shaped(tables, shape, source) if shape else plain(tables, source))

    def memo(self, key: Hashable, build: Callable[[Tables], T]) -> T:
        """An index over the snapshot, built once. Only for facts that no tool changes."""
        try:
            return cast(T, self._memo[key])
        except KeyError:
            return cast(T, self._memo.setdefault(key, build(self.tables)))

    @cached_property
    def text(self) -> DatabaseText:
        """The snapshot as the benchmark hashes it; costs as much as one full dump, once."""
        return DatabaseText(self.tables)


class Overlay:
    """One conversation's view of a database: what it changed, above the snapshot."""

    __slots__ = ("_changed", "_journal", "_looked", "_tables", "database", "writes")

    def __init__(self, database: Database) -> None:
        self.database = database
        self._tables = database.tables
        self._changed: Changes = {}
        self._journal: list[tuple[str, str, bool, bool, Record | None]] = []
        """Table, id, whether the new record is private throughout, whether it was changed before, and what it was then."""
        self._looked: set[tuple[str, Any]] | None = None
        self.writes = 0
        """How many writes there were, undone ones included: while it stands still, so does the state."""

    def get(self, table: str, record_id: Any) -> Record | None:
        """The record as this conversation sees it; not to be changed. Raises TypeError for an id that cannot be one (a list)."""
        if self._looked is not None:
            self._looked.add((table, record_id))
        changed = self._changed.get(table)
        if changed and record_id in changed:
            return changed[record_id]
        return self._tables[table].get(record_id)

    def ids(self, table: str) -> Iterator[str]:
        """Ids in the snapshot's order, then what was inserted."""
        return (record_id for record_id, _ in self.items(table))

    def values(self, table: str) -> Iterator[Record]:
        return (record for _, record in self.items(table))

    def items(self, table: str) -> Iterator[tuple[str, Record]]:
        if self._looked is not None:
            self._looked.add((table, None))
        snapshot, changed = self._tables[table], self._changed.get(table, {})
        for record_id, record in snapshot.items():
            seen = changed.get(record_id, record) if changed else record
            if record_id not in changed or seen is not None:
                yield record_id, cast(Record, seen)
        for record_id, inserted in changed.items():
            if record_id not in snapshot and inserted is not None:
                yield record_id, inserted

    def edit(self, table: str, record_id: str, *path: str) -> Record:
        """A private copy that replaces the record and may be changed until the next `mark`. Raises KeyError if there is no such record.

        With a path of keys, only the object there is copied and may be changed: for a small change in a large record.
        """
        record = self.get(table, record_id)
        if record is None:
            raise KeyError(record_id)
        if any(entry[:2] == (table, record_id) and entry[2] for entry in self._journal):
            private = record
        else:
            private = _copied_at(record, path)
            self._put(table, record_id, private, whole=not path)
        for key in path:
            private = private[key]
        return private

    def insert(self, table: str, record_id: str, record: Record) -> None:
        """Add a record, or replace one whole. The record belongs to the overlay from here on."""
        self._put(table, record_id, record)

    def delete(self, table: str, record_id: str) -> None:
        if self.get(table, record_id) is None:
            raise KeyError(record_id)
        self._put(table, record_id, None)

    def mark(self) -> None:
        """What was written so far stays; `rollback` returns to here."""
        self._journal.clear()

    def rollback(self) -> None:
        """Undo every write since the last `mark`."""
        for table, record_id, _, was_changed, before in reversed(self._journal):
            if was_changed:
                self._changed[table][record_id] = before
            else:
                del self._changed[table][record_id]
        self._journal.clear()

    def fork(self) -> "Overlay":
        """An independent overlay in the same state. Marks this one."""
        self.mark()
        twin = Overlay(self.database)
        twin._changed = {table: dict(records) for table, records in self._changed.items()}
        return twin

    @contextmanager
    def watched(self) -> Iterator[set[tuple[str, Any]]]:
        """Notes what is looked at, until the block ends."""
        looked: set[tuple[str, Any]] = set()
        self._looked = looked
        try:
            yield looked
        finally:
            self._looked = None

    def untouched(self, looked_at: Looked) -> bool:
        """Whether nothing of this was ever written here, so that it reads as in the snapshot."""
        changed = self._changed
        return not changed or not any(
            (table, None) in looked_at or any((table, record_id) in looked_at for record_id in records)
            for table, records in changed.items()
            if records
        )

    def delta(self) -> Changes:
        """The records that differ from the snapshot, None where deleted: table -> id -> record. Not to be changed.

        Compare end states with `fingerprint`: to Python 3 == 3.0 == True would be, to JSON they are three values.
        """
        differing = {
            table: {record_id: record for record_id, record in records.items() if self._differs(table, record_id, record)}
            for table, records in self._changed.items()
        }
        return {table: records for table, records in differing.items() if records}

    def fingerprint(self) -> str:
        """One spelling of `delta()`: over one snapshot, two end states are equal iff these are (NaN, which is no JSON, counts as null)."""
        return spelled(self.delta())

    def hash(self) -> str:
        """The benchmark's hash of the whole database, as this conversation sees it."""
        return self.database.text.hash(self._changed)

    def _put(self, table: str, record_id: str, record: Record | None, *, whole: bool = True) -> None:
        changed = self._changed.setdefault(table, {})
        self.writes += 1
        self._journal.append((table, record_id, whole, record_id in changed, changed.get(record_id)))
        changed[record_id] = record

    def _differs(self, table: str, record_id: str, record: Record | None) -> bool:
        original = self._tables[table].get(record_id)
        if record is original:
            return False
        # What Python finds unequal is unequal as JSON too; only what it finds equal needs the longer look (1 == 1.0 == True).
        return record != original or canonical(record) != canonical(original)


def gist(looked_at: set[tuple[str, Any]]) -> Looked:
    """What was looked at, in few words: a tool that looks at many records counts as looking at their whole tables."""
    return frozenset(looked_at) if len(looked_at) <= _FEW else frozenset((table, None) for table, _ in looked_at)


_FEW = 16


def copied(value: Any) -> Any:
    """A deep copy of a JSON value, several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        twin = value.copy()
        for key, item in value.items():
            if isinstance(item, _NESTED):
                twin[key] = copied(item)
        return twin
    if isinstance(value, list):
        return [copied(item) if isinstance(item, _NESTED) else item for item in value]
    return value


_NESTED = (dict, list)


def _copied_at(record: Record, path: tuple[str, ...]) -> Record:
    """A copy that shares with the record all that does not lie at the path or on the way to it."""
    if not path:
        twin: Record = copied(record)
        return twin
    return record | {path[0]: _copied_at(record[path[0]], path[1:])}


def leaf_paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Scalar leaves of a JSON value with their paths, such as `flights.0.date`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaf_paths(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaf_paths(item, f"{path}.{index}")
    else:
        yield path, value


def parsed(data: bytes, source: str) -> Any:
    """JSON, strictly: no NaN, no key twice in one object. Raises: ArtifactError, in one line."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as e:
        raise ArtifactError(f"{source} is not UTF-8 (byte {e.start}); restore the file") from e
    except json.JSONDecodeError as e:
        raise ArtifactError(f"{source} is not whole JSON ({e.msg}, line {e.lineno} column {e.colno}); restore the file") from e
    except (ValueError, RecursionError) as e:
        raise ArtifactError(f"{source} is not a database: {e}; restore the file") from e


def shaped(tables: Any, shape: type[BaseModel], source: str) -> Tables:
    """Tables with the shape's field order and types. Raises: ArtifactError naming the first field that does not fit."""
    try:
        return cast(Tables, shape.model_validate(tables).model_dump())
    except ValidationError as e:
        raise ArtifactError(f"{source} does not fit {shape.__name__}: {_first_problem(e)}; restore the file") from e


def plain(tables: Any, source: str) -> Tables:
    """Tables without a shape: still objects of objects of objects."""
    for table in tables.values() if isinstance(tables, dict) else [None]:
        if not isinstance(table, dict) or not all(isinstance(record, dict) for record in table.values()):
            raise ArtifactError(f"{source} is not a database: wanted tables of records keyed by id; restore the file")
    return cast(Tables, tables)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return record


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    place = ".".join(str(part) for part in problems[0]["loc"]) or "the whole"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {problems[0]['msg']}{more}"
