"""Runs one stage, wherever that is: skips it if its artifact stands, else makes it whole or not at all."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from writ.artifacts import ArtifactWriter, Manifest, read_manifest, read_records
from writ.errors import ArtifactError
from writ.pipeline import BY_NAME, Plan, Stage, code_version
from writ.runners.traces import traced
from writ.schema import Record
from writ.settings import RunConfig
from writ.storage import Store


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a stage, for whoever shows it."""

    stage: str
    done: int
    """Records made so far."""
    finished: bool = False
    reused: bool = False
    losses: Mapping[str, int] = field(default_factory=dict)
    """Lost conversations so far, by cause."""
    wanted: int = 0
    """Records that are not lost when the stage ends, as far as that is known before; 0: unknown."""
    in_flight: int = 0
    """Requests that models are working on."""

    @property
    def kept(self) -> int:
        """Records that are not lost."""
        return self.done - sum(self.losses.values())


Listener = Callable[[Progress], None]


def execute(
    stage: Stage, config: RunConfig, plan: Plan, store: Store, listen: Listener, ports: Mapping[str, Callable[[], Any]] | None = None
) -> Manifest:
    """The stage's artifact. One read of the store where it stands already. `ports`: what a stage that may talk is handed, opened when it runs.

    Raises: ArtifactError where an input is not whole, and whatever the stage raises.
    """
    key = plan.keys[stage.name]
    standing = read_manifest(store, stage.name, key)
    if standing is not None:
        listen(Progress(stage.name, standing.records, finished=True, reused=True))
        return standing
    wanted = expected(stage, config, plan, store)
    listen(Progress(stage.name, 0, wanted=wanted))
    arguments: dict[str, Any] = dict(stage.arguments(config))
    arguments |= {name: read_input(store, plan, stage, name) for name in stage.reads}
    arguments |= {name: read_beside(store, plan, place) for name, place in stage.beside.items()}
    arguments |= {name: opened() for name, opened in (ports or {}).items()}
    if stage.names_run:
        arguments["run_id"] = plan.run_id
    if stage.files:
        arguments["emit"] = lambda name, data: store.put(f"{stage.name}/{key}/{name}", data)
    with traced(config.traces_url, plan.run_id, stage.name) as trace:
        records = stage.load()(**arguments)
        made = write(stage, plan, store, counted(stage, records, listen, wanted), listen)
        trace.note(records=made.records)
        return made


def expected(stage: Stage, config: RunConfig, plan: Plan, store: Store) -> int:
    """About how many records the stage will make: as many as its last input has; of tasks, as many as are wanted."""
    if stage.name == "tasks":
        return config.dataset.count
    source = list(stage.reads.values())[-1] if stage.reads else ""
    manifest = read_manifest(store, source, plan.keys[source]) if source else None
    return manifest.records if manifest else 0


def read_input(store: Store, plan: Plan, stage: Stage, argument: str) -> Iterator[Any]:
    """The records of an input, streamed. Raises: ArtifactError where the artifact is not whole."""
    source = BY_NAME[stage.reads[argument]]
    key = plan.keys[source.name]
    manifest = read_manifest(store, source.name, key)
    if manifest is None:
        raise ArtifactError(
            f"stage '{stage.name}' needs '{argument}' in {store.url}/{source.name}/{key}, which is unfinished; "
            f"run 'writ stage {source.name}' with the same settings first"
        )
    return read_records(store, manifest, source.writes)


def read_beside(store: Store, plan: Plan, place: str) -> Any:
    """A JSON file that stands beside an artifact's records. Raises: ArtifactError where it is missing or torn."""
    source, _, name = place.partition("/")
    try:
        return json.loads(store.get(f"{source}/{plan.keys[source]}/{name}"))
    except ValueError as e:
        raise ArtifactError(f"{store.url}/{source}/{plan.keys[source]}/{name} is not JSON; delete that folder and run '{source}' again") from e


def counted(stage: Stage, records: Iterator[Record], listen: Listener, wanted: int = 0) -> Iterator[Record]:
    """Passes records on and tells of every twentieth."""
    for number, record in enumerate(records, start=1):
        yield record
        if number % 20 == 0:
            listen(Progress(stage.name, number, wanted=wanted))


def write(stage: Stage, plan: Plan, store: Store, records: Iterator[Record], listen: Listener) -> Manifest:
    """Streams records into the stage's artifact and commits it."""
    writer = open_writer(stage, plan, store)
    writer.add_many(records)
    manifest = writer.commit()
    listen(Progress(stage.name, manifest.records, finished=True))
    return manifest


def open_writer(stage: Stage, plan: Plan, store: Store, *, key: str = "") -> ArtifactWriter[Any]:
    """Of the stage's artifact; `key`: another place than the plan's, for a shard."""
    return ArtifactWriter(store, stage.name, key or plan.keys[stage.name], stage.writes, inputs=plan.inputs(stage), code_version=code_version())


def read_stage(store: Store, keys: Mapping[str, str], name: str) -> Iterator[Any]:
    """Records of a finished stage of a run, for verbs that show things. Raises: ArtifactError where it is not whole."""
    stage = BY_NAME[name]
    manifest = read_manifest(store, name, keys[name])
    if manifest is None:
        raise ArtifactError(f"stage '{name}' of this run is unfinished in {store.url}; run 'writ run' again: it goes on where it stopped")
    return read_records(store, manifest, stage.writes)
