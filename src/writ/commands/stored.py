"""Finding what a person names in a store: a run by its id or the beginning of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from writ.artifacts import Run, list_runs
from writ.commands.configuration import read_config
from writ.errors import ArtifactError
from writ.runners.execute import read_stage
from writ.storage import Store, open_store


@dataclass(frozen=True, slots=True)
class Stored:
    """A run, and the store that it lies in."""

    store: Store
    run: Run

    def records(self, stage: str) -> Iterator[Any]:
        """Raises: ArtifactError where the stage is unfinished."""
        return read_stage(self.store, self.run.keys, stage)


def store_of(config_file: str | None, out: str | None) -> Store:
    """The store of `--out`, else of the settings, else of the default."""
    config = read_config(config_file, (), out)
    return open_store(config.out, s3=config.s3)


def find_run(name: str, config_file: str | None, out: str | None) -> Stored:
    """`name`: a run's id or its beginning; `STORE/ID` for another store. Raises: ArtifactError unless exactly one run fits."""
    folder, slash, begin = name.rpartition("/")
    store = store_of(config_file, folder or out if slash else out)
    return Stored(store, only(store, begin))


def only(store: Store, begin: str) -> Run:
    """The one run of the store whose id begins so. Raises: ArtifactError."""
    runs = list(list_runs(store))
    fitting = [run for run in runs if run.run_id.startswith(begin)]
    if len(fitting) == 1:
        return fitting[0]
    if not runs:
        raise ArtifactError(f"{store.url} holds no run; 'writ run --out {store.url}' makes one, or name another store with --out")
    there = ", ".join(run.run_id for run in (fitting or runs)[:8])
    fact = f"{len(fitting)} runs begin with '{begin}'" if fitting else f"no run begins with '{begin}'"
    raise ArtifactError(f"{store.url}: {fact}; name one of: {there}")
