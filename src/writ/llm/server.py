"""An OpenAI-compatible HTTP front for any async answer function: scripted models, playback, tests, benchmarks.

`/v1/chat/completions`, `/v1/models`, `/health`, and `/metrics` where somebody counts. It stands on aiohttp's low-level `web.Server`: 0.10 ms of
CPU per request of 17 kB, against 0.13 ms with aiohttp's router and 0.05 ms for a hand-written protocol, which would also have to
be a correct HTTP server.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from aiohttp import web
from multidict import CIMultiDict

from writ.schema import ToolCall

_MAX_REQUEST_BYTES = 64 * 2**20
_BACKLOG = 4096


class Delivery(StrEnum):
    """How a reply leaves the server; all but `WHOLE` are faults."""

    WHOLE = "whole"
    CUT = "cut"
    """Half the announced body, then the connection closes."""
    RESET = "reset"
    """The connection is aborted without a byte."""
    HANG = "hang"
    """Nothing is ever sent; ends when the client leaves."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE


Answer = Callable[[dict[str, Any]], Awaitable[Reply]]
"""From the decoded body of a chat completion request to its reply."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    host: str
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"


def chat_reply(
    content: str | None,
    tool_calls: Sequence[ToolCall] = (),
    *,
    model: str,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    finish_reason: str | None = None,
) -> Reply:
    """A chat completion with one choice. It carries no clock and a constant id, so that equal answers are equal bytes."""
    calls = [{"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in tool_calls]
    message = {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}
    completion = {
        "id": "chatcmpl-writ",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason or ("tool_calls" if calls else "stop")}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }
    return Reply(orjson.dumps(completion))


def error_reply(status: int, message: str, *, code: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """An error in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error" if status < 500 else "server_error", "code": code}
    return Reply(orjson.dumps({"error": error}), status, headers)


@asynccontextmanager
async def serve(
    answer: Answer, *, models: Sequence[str], host: str = "127.0.0.1", port: int = 0, metrics: Callable[[], bytes] | None = None
) -> AsyncIterator[RunningServer]:
    """Listens while the context is open; port 0 takes a free one. On leaving, open connections are closed at once.

    Raises: OSError if the address is taken.
    """
    front = _Front(answer, tuple(models), metrics)
    loop = asyncio.get_running_loop()
    http = web.Server(front.handle, access_log=None, request_factory=front.request, handler_cancellation=True)
    listener = await loop.create_server(http, host, port, backlog=_BACKLOG)
    try:
        yield RunningServer(host, listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        await http.shutdown(timeout=0.1)


async def serve_until_signalled(
    answer: Answer,
    *,
    models: Sequence[str],
    host: str,
    port: int,
    announce: Callable[[RunningServer], None],
    with_input: bool = False,
    metrics: Callable[[], bytes] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then closes and returns. `announce` is called once it listens. Needs the main thread.

    `with_input`: also until standard input ends, as a pipe does when whoever started this process is gone, killed or not.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    async with serve(answer, models=models, host=host, port=port, metrics=metrics) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if with_input:
            loop.add_reader(0, _heed_input, stop)
        try:
            announce(server)
            await stop.wait()
        finally:
            loop.remove_reader(0)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def _heed_input(stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        stop.set()


class _Front:
    def __init__(self, answer: Answer, models: tuple[str, ...], metrics: Callable[[], bytes] | None) -> None:
        self._answer = answer
        self._models = models
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()

    def request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=_MAX_REQUEST_BYTES)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        reply = await self._route(request)
        if reply.delivery is not Delivery.WHOLE:
            return await _deliver_badly(request, reply)
        headers = CIMultiDict(reply.headers)
        headers.setdefault("Content-Type", "application/json")
        return web.Response(body=reply.body, status=reply.status, headers=headers)

    async def _route(self, request: web.BaseRequest) -> Reply:
        match request.path:
            case "/v1/chat/completions":
                return await self._complete(request)
            case "/v1/models":
                return Reply(orjson.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]}))
            case "/health":
                return Reply(b"{}")
            case "/metrics" if self._metrics:
                return Reply(self._metrics(), headers=(("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),))
            case path:
                return error_reply(404, f"no such path: {path}")

    async def _complete(self, request: web.BaseRequest) -> Reply:
        if request.method != "POST":
            return error_reply(405, "use POST")
        try:
            body = orjson.loads(await request.read())
            model = body["model"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            return error_reply(400, f"the body is not a chat completion request: {error!r}")
        if model not in self._models:
            return error_reply(404, f"the model `{model}` does not exist", code="model_not_found")
        return await self._answer(body)


async def _deliver_badly(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    if reply.delivery is Delivery.HANG:
        await asyncio.Event().wait()
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": "application/json", "Content-Length": str(len(reply.body))})
    if reply.delivery is Delivery.CUT:
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
    if request.transport:
        request.transport.abort() if reply.delivery is Delivery.RESET else request.transport.close()
    return response
