"""A run whose endpoints cannot serve it says so before any work; one whose endpoints are late waits."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest

from writ.errors import ConfigError, Unavailable
from writ.llm import EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.server import chat_reply, error_reply, serve
from writ.runners.local import run
from writ.runners.ready import await_ready
from writ.settings import DatasetConfig, DomainsConfig, RunConfig, SimulationConfig
from writ.simulation.scripted.server import Scripted


@contextmanager
def served(answer, models=("the-model",)):
    """A server on a loop and thread of its own."""
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    urls = []

    async def live():
        async with serve(answer, models=models) as running:
            urls.append(running.base_url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
    thread.start()
    ready.wait(10)
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def config(folder, url, model="the-model", **settings):
    each = EndpointSettings(model=model, base_url=url, backoff_base_s=0.01, **settings)
    small = {"domains": DomainsConfig(names=("airline",), users=20), "dataset": DatasetConfig(count=2)}
    return RunConfig(out=str(folder), simulation=SimulationConfig(agent=each, user=each), **small)


async def refused(_body):
    return error_reply(401, "no such key")


async def says_it_in_words(body):
    return chat_reply('<tool_call>{"name": "look_up_parcel"}', model="the-model", prompt_tokens=1, completion_tokens=1)


@pytest.mark.parametrize(
    ("answer", "model", "wanted"),
    [(refused, "the-model", "key"), (refused, "another", "the-model"), (says_it_in_words, "the-model", "tool-call-parser")],
)
def test_run_whose_endpoint_will_never_serve_it_ends_within_seconds_before_any_work(tmp_path, answer, model, wanted):
    began = time.monotonic()
    with served(answer) as url, pytest.raises(ConfigError, match=wanted) as raised:
        run(config(tmp_path, url, model), lambda step: None)
    assert raised.value.exit_code == 2
    assert time.monotonic() - began < 30
    assert not (tmp_path / "tasks").exists()


def test_run_whose_endpoint_stays_away_ends_with_the_code_for_trying_again(tmp_path):
    with pytest.raises(Unavailable, match="ready_within_s") as raised:
        run(config(tmp_path, "http://127.0.0.1:9/v1", ready_within_s=0.5), lambda step: None)
    assert raised.value.exit_code == 75
    assert list((tmp_path / "instructions").rglob("manifest.json")), "what can be made without the models is made"


def test_wait_for_an_absent_endpoint_ends_when_told_to_stop():
    async def scenario():
        settings = EndpointSettings(model="m", base_url="http://127.0.0.1:9/v1", ready_within_s=600)
        agent, user, stop = open_endpoint(settings), open_endpoint(settings), asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        try:
            await await_ready(agent, user, stop)
        finally:
            await agent.close()
            await user.close()

    began = time.monotonic()
    with pytest.raises(Unavailable, match="told to stop"):
        asyncio.run(scenario())
    assert time.monotonic() - began < 10


def test_scripted_server_answers_those_who_ask_whether_it_is_ready():
    async def scenario(url):
        settings = EndpointSettings(model="the-model", base_url=url)
        agent, user = open_endpoint(settings), open_endpoint(settings)
        await await_ready(agent, user, asyncio.Event())
        await agent.close()
        await user.close()

    with served(Scripted({}, {}.__getitem__)) as url:
        asyncio.run(scenario(url))
