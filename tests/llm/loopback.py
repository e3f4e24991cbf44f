"""Real servers on loopback and the endpoints that talk to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from writ.llm import ChatModel, ChatRequest, EndpointSettings, open_model, request_prefix
from writ.llm.clock import Clock
from writ.llm.limits import Budget
from writ.llm.pool import Endpoint
from writ.llm.server import Answer, Reply, chat_reply, serve

MODEL = "the-model"
HELLO = b'{"role":"user","content":"hello"}'
TOOL = {"type": "function", "function": {"name": "find_order", "description": "Finds it.", "parameters": {"type": "object", "properties": {}}}}

Result = TypeVar("Result")


def settings_for(base_url: str, **changes: Any) -> EndpointSettings:
    return EndpointSettings(**{"model": MODEL, "base_url": base_url, "call_deadline_s": 5.0, "backoff_base_s": 0.001, **changes})


def request(settings: EndpointSettings, *messages: bytes, **fields: Any) -> ChatRequest:
    return ChatRequest(request_prefix(settings), messages or (HELLO,), **fields)


async def hello(_body: dict[str, Any]) -> Reply:
    return chat_reply("Hello!", model=MODEL, prompt_tokens=7, completion_tokens=2)


def always(reply: Reply) -> Answer:
    async def answer(_body: dict[str, Any]) -> Reply:
        return reply

    return answer


def in_turn(*replies: Reply) -> Answer:
    """Each once, then the last one for ever."""
    left = list(replies)

    async def answer(_body: dict[str, Any]) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@asynccontextmanager
async def endpoint(answer: Answer, *, clock: Clock | None = None, budget: Budget | None = None, **changes: Any) -> AsyncIterator[Endpoint]:
    async with serve(answer, models=[MODEL]) as server:
        settings = settings_for(server.base_url, **changes)
        opened = Endpoint(open_model(settings), settings, clock=clock, budget=budget)
        try:
            yield opened
        finally:
            await opened.close()


def with_model(answer: Answer, use: Callable[[ChatModel, EndpointSettings], Awaitable[Result]], **changes: Any) -> Result:
    """Runs `use` with the bare adapter against a server that answers so."""

    async def scenario() -> Result:
        async with endpoint(answer, **changes) as opened:
            return await use(opened.model, opened.settings)

    return asyncio.run(scenario())


def with_endpoint(answer: Answer, use: Callable[[Endpoint], Coroutine[Any, Any, Result]], **changes: Any) -> Result:
    async def scenario() -> Result:
        async with endpoint(answer, **changes) as opened:
            return await use(opened)

    return asyncio.run(scenario())


class SkippingClock:
    """Time that passes only by sleeping, at once; it remembers the sleeps."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []
        self._now_s = 0.0

    def now(self) -> float:
        return self._now_s

    async def sleep(self, delay_s: float) -> None:
        self.slept_s.append(delay_s)
        self._now_s += delay_s
        await asyncio.sleep(0)
