"""The HTTP front, as any other client sees it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from loopback import MODEL, hello

from writ.llm.server import Answer, Reply, chat_reply, serve

CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}

_SERVE = """
import asyncio
from writ.llm.server import chat_reply, serve_until_signalled

async def answer(body):
    await asyncio.sleep(body.get("nap_s", 0))
    return chat_reply("Hello!", model="the-model")

asyncio.run(serve_until_signalled(answer, models=["the-model"], host="127.0.0.1", port=0, announce=lambda server: print(server.port, flush=True)))
print("closed", flush=True)
"""


def _visit(use: Callable[[aiohttp.ClientSession, str], Awaitable[Any]], answer: Answer = hello) -> Any:
    async def scenario() -> Any:
        async with serve(answer, models=[MODEL, "second"]) as server, aiohttp.ClientSession() as session:
            return await use(session, server.base_url)

    return asyncio.run(scenario())


def test_front_lists_models_and_its_health() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> None:
        listed = await (await session.get(f"{url}/models")).json()
        assert [entry["id"] for entry in listed["data"]] == [MODEL, "second"]
        assert (await session.get(url.removesuffix("/v1") + "/health")).status == 200

    _visit(use)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/chat/completions", b'{"model": "other", "messages": []}', 404, "`other` does not exist"),
        ("/chat/completions", b"{", 400, "not a chat completion request"),
        ("/chat/completions", b'{"messages": []}', 400, "'model'"),
        ("/chat/completions", b"[]", 400, "not a chat completion request"),
        ("/completions", b"{}", 404, "no such path"),
    ],
)
def test_request_that_is_wrong_gets_an_error_in_openai_form(path: str, body: bytes, status: int, words: str) -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> None:
        reply = await session.post(url + path, data=body)
        assert reply.status == status
        assert words in (await reply.json())["error"]["message"]

    _visit(use)


def test_request_by_get_is_told_to_post() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> None:
        assert (await session.get(f"{url}/chat/completions")).status == 405

    _visit(use)


def test_request_in_chunks_of_unknown_length_is_answered() -> None:
    async def chunks() -> Any:
        for chunk in (b'{"model": "the-', b'model", "messages": [', b"]}"):
            yield chunk

    async def use(session: aiohttp.ClientSession, url: str) -> None:
        reply = await (await session.post(f"{url}/chat/completions", data=chunks())).json()
        assert reply["choices"][0]["message"] == {"role": "assistant", "content": "Hello!"}

    _visit(use)


def test_equal_answers_are_equal_bytes() -> None:
    async def use(session: aiohttp.ClientSession, url: str) -> None:
        bodies = [await (await session.post(f"{url}/chat/completions", json=CHAT)).read() for _ in range(2)]
        assert bodies[0] == bodies[1]

    _visit(use)


def test_many_connections_are_answered_at_once() -> None:
    arrived = asyncio.Event()
    waiting = 0

    async def answer(_body: dict[str, Any]) -> Reply:
        nonlocal waiting
        waiting += 1
        if waiting == 300:
            arrived.set()
        await arrived.wait()
        return chat_reply("all here", model=MODEL)

    async def scenario() -> list[int]:
        connector = aiohttp.TCPConnector(limit=0)
        async with serve(answer, models=[MODEL]) as server, aiohttp.ClientSession(connector=connector) as session:
            replies = await asyncio.gather(*(session.post(f"{server.base_url}/chat/completions", json=CHAT) for _ in range(300)))
            return [reply.status for reply in replies]

    assert asyncio.run(scenario()) == [200] * 300


def test_answer_that_nobody_waits_for_is_cancelled() -> None:
    async def scenario() -> bool:
        cancelled = asyncio.Event()

        async def answer(_body: dict[str, Any]) -> Reply:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            raise AssertionError

        async with serve(answer, models=[MODEL]) as server, aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                await session.post(f"{server.base_url}/chat/completions", json=CHAT, timeout=aiohttp.ClientTimeout(total=0.2))
            async with asyncio.timeout(5):
                return await cancelled.wait()

    assert asyncio.run(scenario())


def test_front_that_is_left_answers_no_more_on_connections_it_had() -> None:
    async def scenario() -> None:
        async with aiohttp.ClientSession() as session:
            async with serve(hello, models=[MODEL]) as server:
                await (await session.post(f"{server.base_url}/chat/completions", json=CHAT)).read()
            with pytest.raises(aiohttp.ClientError):
                await session.post(f"{server.base_url}/chat/completions", json=CHAT)

    asyncio.run(scenario())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_that_is_signalled_closes_and_exits_cleanly_although_a_client_waits(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    port = int(process.stdout.readline())

    async def wait_and_signal() -> None:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            assert (await session.post(url, json=CHAT)).status == 200
            slow = asyncio.create_task(session.post(url, json={**CHAT, "nap_s": 60}))
            await asyncio.wait([slow], timeout=0.2)
            os.kill(process.pid, number)
            with pytest.raises(aiohttp.ClientError):
                await slow

    asyncio.run(wait_and_signal())
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "closed\n", "")
