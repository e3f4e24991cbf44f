"""Where the shards of a stage keep what they have finished, and what of it counts after the batches were dealt to another number of shards.

A shard's folder is `<stage>/<key>/<shard>-of-<shards>`; undealt, it is the stage's own. `<stage>/<key>/dealt/<shards>` says that somebody began so.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from writ.artifacts import Journal, read_manifest, read_records
from writ.schema import Trajectory
from writ.storage import Store


def place(key: str, shard: int, shards: int) -> str:
    """Key of a shard's artifact and journal."""
    return key if shards == 1 else f"{key}/{shard:03d}-of-{shards:03d}"


class Dealing:
    """The journal of one shard: it appends to its own, and loads what any dealing has finished of the same block of batches."""

    def __init__(self, store: Store, stage: str, key: str, shard: int, shards: int) -> None:
        self._store, self._stage, self._key, self._shard, self._shards = store, stage, key, shard, shards
        self._mine = self._journal(shard, shards)

    def begin(self) -> None:
        """Leaves word that the batches are dealt to this number of shards."""
        self._store.put_if_absent(f"{self._stage}/{self._key}/dealt/{self._shards:03d}", b"")

    def append(self, records: Sequence[Trajectory]) -> None:
        self._mine.append(records)

    def load(self) -> Iterator[Trajectory]:
        """Each conversation once. Other shards' blocks may reach beyond this one's: the caller knows which tasks are its own.

        Raises: ArtifactError if an object is altered.
        """
        seen: set[str] = set()
        for finished in (self._mine.load, *self._elsewhere()):
            for trajectory in finished():
                if trajectory.id not in seen:
                    seen.add(trajectory.id)
                    yield trajectory

    def clear(self, *, all_dealings: bool = False) -> None:
        """Removes this shard's journal once its artifact is whole, or those of every dealing once the stage's is."""
        self._mine.clear()
        for shards in self._dealings() if all_dealings else ():
            for shard in range(shards):
                self._journal(shard, shards).clear()

    def _elsewhere(self) -> Iterator[Callable[[], Iterator[Trajectory]]]:
        for shards in self._dealings():
            for shard in range(shards) if shards != self._shards else ():
                if shard * self._shards < (self._shard + 1) * shards and self._shard * shards < (shard + 1) * self._shards:
                    yield self._journal(shard, shards).load
                    yield partial(self._whole, shard, shards)

    def _whole(self, shard: int, shards: int) -> Iterator[Trajectory]:
        """What a finished shard has made, but for what infrastructure lost: that is tried again."""
        manifest = read_manifest(self._store, self._stage, place(self._key, shard, shards))
        made = read_records(self._store, manifest, Trajectory) if manifest else ()
        return (trajectory for trajectory in made if trajectory.termination != "infrastructure")

    def _dealings(self) -> list[int]:
        """Numbers of shards that the batches were ever dealt to."""
        prefix = f"{self._stage}/{self._key}/dealt/"
        return sorted(int(name.removeprefix(prefix)) for name in self._store.list(prefix))

    def _journal(self, shard: int, shards: int) -> Journal[Trajectory]:
        return Journal(self._store, self._stage, place(self._key, shard, shards), Trajectory, lambda each: each.id)
