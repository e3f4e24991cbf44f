"""Finished conversations: made durable before they count, and kept at hand until it is their turn to leave."""

import asyncio
import tempfile
from collections.abc import Container, Iterator, Sequence
from typing import IO, Protocol

from writ.errors import Unavailable
from writ.schema import Trajectory


class Journal(Protocol):
    """The part of `writ.artifacts.Journal` that a simulation needs."""

    def append(self, records: Sequence[Trajectory]) -> None:
        """Durable when it returns."""
        ...

    def load(self) -> Iterator[Trajectory]: ...


class Selected:
    """A journal of which only the conversations of some tasks are taken up."""

    def __init__(self, journal: Journal, tasks: Container[str]) -> None:
        self._journal, self._tasks = journal, tasks

    def append(self, records: Sequence[Trajectory]) -> None:
        self._journal.append(records)

    def load(self) -> Iterator[Trajectory]:
        return (trajectory for trajectory in self._journal.load() if trajectory.task_id in self._tasks)


class Recorder:
    """Appends to a journal what gathers while the last append is under way: a slow store costs latency, not throughput."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Trajectory, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def save(self, trajectory: Trajectory) -> None:
        """Returns once the conversation is durable. Raises what the journal raises (Unavailable: store away, disk full)."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((trajectory, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def flush(self) -> None:
        """Wait until all that was handed over is durable, or known not to be."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            append = asyncio.to_thread(self._journal.append, [trajectory for trajectory, _ in taken])
            [error] = await asyncio.gather(append, return_exceptions=True)
            for _, done in taken:
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)


class Shelf:
    """Conversations by id until they are taken: a few hundred in memory, the rest in a temporary file, so that memory stays flat."""

    def __init__(self, in_memory: int = 512) -> None:
        self._in_memory = in_memory
        self._held: dict[str, Trajectory] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None

    def put(self, trajectory: Trajectory) -> None:
        """Raises: Unavailable if the disk is full."""
        if len(self._held) < self._in_memory:
            self._held[trajectory.id] = trajectory
        else:
            self._places[trajectory.id] = self._write(trajectory.model_dump_json().encode())

    def get(self, trajectory_id: str) -> Trajectory | None:
        if trajectory_id in self._held or trajectory_id not in self._places:
            return self._held.get(trajectory_id)
        place, size = self._places[trajectory_id]
        assert self._file is not None
        self._file.seek(place)
        return Trajectory.model_validate_json(self._file.read(size))

    def take(self, trajectory_id: str) -> Trajectory:
        """The conversation, which leaves the shelf. Raises: KeyError if it is not there."""
        trajectory = self.get(trajectory_id)
        if trajectory is None:
            raise KeyError(trajectory_id)
        self._held.pop(trajectory_id, None)
        self._places.pop(trajectory_id, None)
        return trajectory

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, data: bytes) -> tuple[int, int]:
        try:
            self._file = self._file or tempfile.TemporaryFile(prefix="writ-")  # noqa: SIM115 - closed by `close`
            place = self._file.seek(0, 2)
            self._file.write(data)
        except OSError as e:
            raise Unavailable(f"the folder for temporary files cannot take a conversation ({e.strerror}); free space, then start again") from e
        return place, len(data)
