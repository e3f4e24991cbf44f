"""Artifacts: what one stage leaves for the next, whole or not at all.

An artifact is `<stage>/<key>/`: parts `part-00007-<sha16>.jsonl.zst`, named by their content, and `manifest.json`, put last and
only if absent. Manifest present means artifact whole; two writers at once leave one manifest, and the loser goes on with the
winner's. A key may hold a `/`: a shard is the artifact `<stage>/<key>/<shard>/`, and `join_manifests` makes the whole of
shards without copying them. A `Journal` keeps single records safe before their artifact is whole; a `Run` lists artifacts.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import zstandard
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from writ.errors import ArtifactError
from writ.schema import SCHEMA_VERSION, Record, canonical
from writ.storage import Missing, Store, check_key
from writ.storage.log import Log, read_log

R = TypeVar("R", bound=Record)

_LEVEL = 3
"""zstd level; a constant, so that equal records give equal parts."""


class Part(Record):
    """One object of an artifact: JSON lines, compressed with zstd."""

    name: str
    """Below the artifact's folder."""
    records: int
    bytes: int
    """Size of the object, compressed."""
    sha256: str
    """Of the object's bytes."""


class Manifest(Record):
    """What an artifact is made of. There is one exactly when the artifact is whole."""

    schema_version: int
    stage: str
    key: str
    record: str
    """Name of the records' class."""
    parts: tuple[Part, ...]
    records: int
    inputs: dict[str, str] = {}
    """Name of each input → its artifact's key."""
    code_version: str = ""
    """Provenance, not identity."""
    extra: dict[str, Any] = {}
    sha256: str = ""
    """Of the canonical spelling of all other fields, so that an altered manifest is noticed."""

    def sealed(self) -> "Manifest":
        """The same manifest with its `sha256`."""
        fields = self.model_dump(mode="json", exclude={"sha256"})
        return self.model_copy(update={"sha256": hashlib.sha256(canonical(fields).encode()).hexdigest()})


def artifact_key(stage: str, revision: int, semantic_config: Any, inputs: Mapping[str, str], models: Mapping[str, str] | None = None) -> str:
    """16 hex digits that identify a stage's output before it is made. `semantic_config` is what `schema.semantic` gives."""
    return _identity([stage, revision, semantic_config, dict(inputs), dict(models or {})])


def manifest_name(stage: str, key: str) -> str:
    """The store key of an artifact's manifest."""
    return check_key(f"{stage}/{key}/manifest.json")


def read_manifest(store: Store, stage: str, key: str) -> Manifest | None:
    """The manifest of a whole artifact, or None. One read of the store.

    Raises: ArtifactError if what stands there is altered, or of another schema version.
    """
    name = manifest_name(stage, key)
    try:
        data = store.get(name)
    except Missing:
        return None
    try:
        fields = from_json(data)
        version = fields["schema_version"]
        if version != SCHEMA_VERSION:
            raise _broken(store, stage, key, "manifest.json", f"is of schema version {version}, and this writ reads {SCHEMA_VERSION}")
        manifest = Manifest.model_validate(fields)
    except (ValueError, KeyError, TypeError) as e:
        raise _broken(store, stage, key, "manifest.json", "is not a manifest") from e
    if manifest != manifest.sealed() or (manifest.stage, manifest.key) != (stage, key):
        raise _broken(store, stage, key, "manifest.json", "is altered: its content does not match its sha256 and place")
    return manifest


def read_records(store: Store, manifest: Manifest, record_type: type[R]) -> Iterator[R]:
    """The records in the order in which they were added. Holds one compressed part at a time.

    Raises: ArtifactError if a part is absent or altered, or holds other records than the manifest says.
    """
    stage, key = manifest.stage, manifest.key
    if manifest.record != record_type.__name__:
        raise ArtifactError(f"{store.url}/{stage}/{key} holds {manifest.record} records, not {record_type.__name__}; name an artifact that does")
    for part in manifest.parts:
        try:
            data = store.get(f"{stage}/{key}/{part.name}")
        except Missing as e:
            raise _broken(store, stage, key, part.name, "is missing although its manifest stands") from e
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise _broken(store, stage, key, part.name, "is altered: its sha256 is not the one in the manifest")
        try:
            yield from _decode(data, record_type)
        except (ValidationError, zstandard.ZstdError) as e:
            raise _broken(store, stage, key, part.name, f"does not hold {record_type.__name__} records ({_first(e)})") from e


def join_manifests(
    store: Store, stage: str, key: str, shards: Sequence[Manifest], *, inputs: Mapping[str, str], extra: Mapping[str, Any] | None = None
) -> Manifest:
    """Commit the artifact whose parts are those of `shards` (at least one), in this order. A shard's key begins with `key/`."""
    for shard in shards:
        if shard.stage != stage or not shard.key.startswith(f"{key}/"):
            raise ArtifactError(f"{shard.stage}/{shard.key} is no shard of {stage}/{key}; join shards of one artifact")
    parts = tuple(part.model_copy(update={"name": f"{shard.key.removeprefix(f'{key}/')}/{part.name}"}) for shard in shards for part in shard.parts)
    whole = {"key": key, "parts": parts, "records": sum(part.records for part in parts), "inputs": dict(inputs), "extra": _plain(extra)}
    return _commit(store, shards[0].model_copy(update=whole))


class ArtifactWriter(Generic[R]):
    """Streams records into an artifact. As a context manager it commits at the end, unless an exception passes through.

    The same records in the same order, flushed at the same places, give the same parts and so the same manifest. What a killed
    writer leaves is parts without a manifest: nobody reads them, and its successor mostly writes the very same.
    """

    def __init__(
        self,
        store: Store,
        stage: str,
        key: str,
        record_type: type[R],
        *,
        inputs: Mapping[str, str] | None = None,
        code_version: str = "",
        part_records: int = 10_000,
        part_bytes: int = 16 * 2**20,
    ) -> None:
        """A part ends at `part_records` records or `part_bytes` bytes of JSON, whichever is first; one part is held in memory."""
        self.manifest: Manifest | None = None
        """Set by `commit`."""
        self._store, self._folder = store, check_key(f"{stage}/{key}")
        self._blank = Manifest(
            schema_version=SCHEMA_VERSION,
            stage=stage,
            key=key,
            record=record_type.__name__,
            parts=(),
            records=0,
            inputs=dict(inputs or {}),
            code_version=code_version,
        )
        self._dump = TypeAdapter(record_type).dump_json
        self._part_records, self._part_bytes = part_records, part_bytes
        self._lines: list[bytes] = []
        self._held_bytes = 0
        self._parts: list[Part] = []

    def add(self, record: R) -> None:
        line = _encode(self._dump, record, self._folder)
        self._lines.append(line)
        self._held_bytes += len(line) + 1
        if len(self._lines) >= self._part_records or self._held_bytes >= self._part_bytes:
            self.flush()

    def add_many(self, records: Iterable[R]) -> None:
        for record in records:
            self.add(record)

    def flush(self) -> None:
        """Put what is held as a part."""
        if not self._lines:
            return
        data = _compress(self._lines)
        sha256 = hashlib.sha256(data).hexdigest()
        part = Part(name=f"part-{len(self._parts):05d}-{sha256[:16]}.jsonl.zst", records=len(self._lines), bytes=len(data), sha256=sha256)
        self._store.put(f"{self._folder}/{part.name}", data)
        self._parts.append(part)
        self._lines, self._held_bytes = [], 0

    def commit(self, extra: Mapping[str, Any] | None = None) -> Manifest:
        """The artifact's manifest: this one, or that of another writer who was first."""
        if self.manifest is None:
            self.flush()
            records = sum(part.records for part in self._parts)
            mine = self._blank.model_copy(update={"parts": tuple(self._parts), "records": records, "extra": _plain(extra)})
            self.manifest = _commit(self._store, mine)
        return self.manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.commit()


class Journal(Generic[R]):
    """Finished records of a stage that is still at work, so that a killed worker loses none and repeats none."""

    def __init__(self, store: Store, stage: str, key: str, record_type: type[R], identity: Callable[[R], str], shard: str = "0") -> None:
        """`identity` tells which records are the same work: the first of them counts. Each shard appends under its own name."""
        self._store, self._type, self._identity = store, record_type, identity
        self._all = check_key(f"{stage}/{key}/journal") + "/"
        self._mine = check_key(f"{self._all}{shard}") + "/"
        self._log = Log(store, f"{self._all}{shard}")
        self._dump = TypeAdapter(record_type).dump_json

    def append(self, records: Sequence[R]) -> None:
        """Make the records durable before returning. One caller at a time; other copies of the shard may append at the same moment.

        A call costs a sync of the disk, or a request: whoever finishes many records at once appends all that gathered during the last call.
        """
        if records:
            self._log.append([_encode(self._dump, record, self._mine) for record in records])

    def load(self, *, all_shards: bool = False) -> Iterator[R]:
        """What this shard appended in all its lives, or what every shard did, each piece of work once.

        Raises: ArtifactError if an object is altered.
        """
        seen: set[str] = set()
        for line in read_log(self._store, self._all if all_shards else self._mine):
            try:
                record = self._type.model_validate_json(line)
            except ValidationError as e:
                raise ArtifactError(
                    f"{self._store.url}/{self._mine} holds other records than {self._type.__name__} ({_first(e)}); delete it and run again"
                ) from e
            if self._identity(record) not in seen:
                seen.add(self._identity(record))
                yield record

    def clear(self) -> None:
        """Remove this shard's journal, once its artifact is whole."""
        for name in list(self._store.list(self._mine)):
            self._store.delete(name)


class Run(Record):
    """The artifacts of one run. Its id is their hash, known before anything runs."""

    run_id: str
    keys: dict[str, str]
    """Stage → key."""
    config: dict[str, Any] = {}
    """The settings as given, for people who read the run later. Provenance, not identity; holds no secret."""
    code_version: str = ""


def run_id(keys: Mapping[str, str]) -> str:
    """16 hex digits of the keys of a run's stages."""
    return _identity(dict(keys))


def write_run(store: Store, run: Run) -> None:
    """Put `runs/<run_id>.json`, unless an earlier start of the same run has."""
    store.put_if_absent(f"runs/{run.run_id}.json", run.model_dump_json(indent=2).encode())


def read_run(store: Store, run_id: str) -> Run:
    """Raises: ArtifactError if the store has no such run, or its record is altered."""
    name = check_key(f"runs/{run_id}.json")
    try:
        run = Run.model_validate_json(store.get(name))
    except Missing as e:
        raise ArtifactError(f"run {run_id!r} is not in {store.url}; 'writ show --out {store.url}' lists those that are") from e
    except ValidationError as e:
        raise ArtifactError(f"{store.url}/{name} is not a run ({_first(e)}); delete it and run again") from e
    if _identity(run.keys) != run_id:
        raise ArtifactError(f"{store.url}/{name} is altered: its keys do not give its id; delete it and run again")
    return run


def list_runs(store: Store) -> Iterator[Run]:
    """All runs of the store, in the order of their ids."""
    for name in store.list("runs/"):
        yield read_run(store, name.removeprefix("runs/").removesuffix(".json"))


def _identity(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def _commit(store: Store, manifest: Manifest) -> Manifest:
    mine = manifest.sealed()
    if store.put_if_absent(manifest_name(mine.stage, mine.key), mine.model_dump_json(indent=2).encode()):
        return mine
    standing = read_manifest(store, mine.stage, mine.key)
    if standing is None:
        raise _broken(store, mine.stage, mine.key, "manifest.json", "was there and is gone")
    return standing


def _plain(extra: Mapping[str, Any] | None) -> Any:
    """As it will be read back: tuples are lists, NaN is null."""
    return from_json(to_json(dict(extra or {}), inf_nan_mode="null"))


def _encode(dump: Callable[[R], bytes], record: R, place: str) -> bytes:
    try:
        return dump(record)
    except PydanticSerializationError as e:
        raise ArtifactError(f"a {type(record).__name__} for {place} is no valid JSON text ({e}); replace what is not Unicode where it enters") from e


def _compress(lines: list[bytes]) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(b"\n".join(lines) + b"\n")


def _decode(data: bytes, record_type: type[R]) -> Iterator[R]:
    stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data))
    for line in io.BufferedReader(stream, 2**17):
        yield record_type.model_validate_json(line)


def _broken(store: Store, stage: str, key: str, name: str, fact: str) -> ArtifactError:
    folder = f"{store.url}/{stage}/{key}"
    return ArtifactError(f"{folder}/{name} {fact}; delete {folder} and run again: stage '{stage}' makes it anew")


def _first(e: Exception) -> str:
    """The first complaint, on one line."""
    if not isinstance(e, ValidationError):
        return str(e)
    error = e.errors(include_url=False)[0]
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
