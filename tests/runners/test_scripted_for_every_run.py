"""One scripted server for all runs of a store, as a cluster without GPUs has it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from writ.artifacts import Manifest
from writ.llm import EndpointSettings, server
from writ.pipeline import STAGES, plan
from writ.runners.local import run_stage
from writ.runners.scripted import EveryRun
from writ.runners.simulate import Keys
from writ.settings import DatasetConfig, DomainsConfig, RunConfig, SimulationConfig
from writ.storage import Store, open_store


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a server for everything below a folder, in a thread of its own."""
    told: list[str] = []
    listens, over = threading.Event(), threading.Event()

    async def main() -> None:
        answer = EveryRun(lambda below: open_store(f"{folder}/{below}"), {})
        async with server.serve(answer, models=("scripted",)) as running:
            told.append(running.base_url)
            listens.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    listens.wait()
    try:
        yield told[0]
    finally:
        over.set()
        thread.join()


ASKED = [{"role": "user", "content": "Hello?"}]


def conversations(out: Path, seed: int, url: str = "") -> Manifest:
    """The trajectories of a small run, made by whoever answers at `url`; without one by the embedded model."""
    side = EndpointSettings(base_url=url, ready_within_s=5.0)
    config = RunConfig(
        seed=seed,
        out=str(out),
        domains=DomainsConfig(names=("airline",), users=40),
        dataset=DatasetConfig(count=2),
        simulation=SimulationConfig(agent=side, user=side),
    )
    store: Store = open_store(config.out)
    for stage in STAGES[:4]:
        manifest = run_stage(stage, config, plan(config), store, lambda _: None, Keys())
    return manifest


@pytest.mark.long
def test_server_for_every_run_answers_runs_that_begin_after_it_as_the_embedded_model_does(tmp_path: Path) -> None:
    with served(tmp_path / "bucket") as url:
        one, two = (conversations(tmp_path / "bucket" / name, seed, url) for name, seed in (("first", 7), ("team/second", 8)))
    assert one.parts == conversations(tmp_path / "alone", 7).parts
    assert two.records > 0
    assert two.parts != one.parts


def test_server_for_every_run_says_which_conversation_it_does_not_know(tmp_path: Path) -> None:
    reply = asyncio.run(
        EveryRun(lambda below: open_store(f"{tmp_path}/{below}"), {})({"model": "scripted", "user": "agent:nobody:0", "messages": ASKED})
    )
    assert reply.status == 404
    assert b"nobody" in reply.body
