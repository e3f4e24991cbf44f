"""The scripted model on a thread of this process, with faults on the wire and a switch that takes it away."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from writ.artifacts import read_manifest, read_records
from writ.domains.registry import open_domain
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.server import Reply, serve
from writ.pipeline import BY_NAME
from writ.simulation.scripted.server import Scripted
from writ.storage import Store

MODEL = "scripted"


class Server:
    """Where the model is, and what it did."""

    def __init__(self, store: Store, plan: FaultPlan, rates: Mapping[str, float]) -> None:
        sites = {snapshot.name: open_domain(snapshot) for snapshot in _records(store, "domain")}
        told = {instruction.id: instruction for instruction in _records(store, "instructions")}
        self._faulty = Faulty(Scripted(sites, told.__getitem__, rates), plan)
        self.url = ""
        self.asked = 0
        """Requests that arrived."""
        self.longest_s = 0.0
        """That a request stayed open, answered or given up."""
        self._loop = asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._pause_s = 0.0
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._live()), daemon=True)

    @property
    def injected(self) -> Counter[str]:
        return self._faulty.injected

    async def __call__(self, body: dict[str, Any]) -> Reply:
        self.asked += 1
        began = time.monotonic()
        try:
            return await self._faulty(body)
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - began)

    def away_s(self, seconds: float) -> None:
        """Stops listening, cuts every connection, and comes back on the same port."""
        self._pause_s = seconds
        self._loop.call_soon_threadsafe(self._end.set)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(30)

    def stop(self) -> None:
        self._pause_s = 0.0
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    async def _live(self) -> None:
        port = 0
        while True:
            self._end.clear()
            async with serve(self, models=[MODEL], port=port) as running:
                self.url, port = running.base_url, running.port
                self._ready.set()
                await self._end.wait()
            if not self._pause_s:
                return
            await asyncio.sleep(self._pause_s)


@contextmanager
def served(store: Store, plan: FaultPlan, rates: Mapping[str, float] = MappingProxyType({})) -> Iterator[Server]:
    """`rates`: of the scripted model's labelled faults."""
    server = Server(store, plan, rates)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _records(store: Store, stage: str) -> Iterator[Any]:
    """Of the one artifact of a stage in this store."""
    key = next(iter(store.list(f"{stage}/"))).split("/")[1]
    manifest = read_manifest(store, stage, key)
    assert manifest is not None
    return read_records(store, manifest, BY_NAME[stage].writes)
