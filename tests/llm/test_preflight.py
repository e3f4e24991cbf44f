"""Preflight against servers that are wrong in each way a person would have to fix, or slow to come."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web
from loopback import MODEL, TOOL, SkippingClock, always, hello, in_turn, settings_for, with_endpoint

from writ.errors import ConfigError, Unavailable
from writ.llm import open_model
from writ.llm.limits import Budget
from writ.llm.pool import Endpoint
from writ.llm.preflight import PREFLIGHT_USER, preflight
from writ.llm.server import Answer, Delivery, Reply, chat_reply, error_reply, serve
from writ.schema import ToolCall

CALL = chat_reply(None, [ToolCall(id="1", name="find_order", arguments="{}")], model=MODEL, prompt_tokens=5)


async def caller(body: dict[str, Any]) -> Reply:
    """Calls a tool when it has one."""
    return CALL if body.get("tools") else await hello(body)


def _says(text: str) -> Answer:
    return always(chat_reply(text, model=MODEL))


async def _preflight(opened: Endpoint) -> None:
    await preflight(opened, [TOOL])


def _refusal(answer: Answer, error: type[Exception] = ConfigError, **changes: Any) -> str:
    started_s = time.monotonic()
    with pytest.raises(error) as caught:
        with_endpoint(answer, _preflight, **changes)
    assert time.monotonic() - started_s < 30
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_endpoint_that_works_passes_with_a_few_small_requests() -> None:
    bodies: list[dict[str, Any]] = []

    async def answer(body: dict[str, Any]) -> Reply:
        bodies.append(body)
        return await caller(body)

    with_endpoint(answer, _preflight, temperature=0.5, max_tokens=300)
    assert [(body["max_tokens"], "tools" in body, body["temperature"]) for body in bodies] == [(1, False, 0.5), (300, True, 0.5)]
    assert {body["user"] for body in bodies} == {PREFLIGHT_USER}


def test_endpoint_without_tools_is_not_asked_to_call_one() -> None:
    with_endpoint(hello, preflight)


def test_wrong_model_name_is_told_with_the_names_that_are_served() -> None:
    assert f"set `model` to one of: {MODEL}" in _refusal(caller, model="gpt-of-somebody")


def test_refused_key_is_told() -> None:
    assert "api_key_env" in _refusal(always(error_reply(401, "no")))


def test_url_without_v1_is_told() -> None:
    async def scenario() -> None:
        async with serve(caller, models=[MODEL]) as server:
            settings = settings_for(server.base_url.removesuffix("/v1"))
            opened = Endpoint(open_model(settings), settings)
            try:
                await _preflight(opened)
            finally:
                await opened.close()

    with pytest.raises(ConfigError, match="usually ends in /v1"):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "find_order", "arguments": {}}\n</tool_call>',
        '[TOOL_CALLS][{"name": "find_order", "arguments": {}}]',
        '{"name": "find_order", "parameters": {}}',
        "<function=find_order>{}</function>",
    ],
)
def test_tool_calls_that_come_back_as_text_name_the_servers_flags(text: str) -> None:
    told = _refusal(_says(text))
    assert "returns tool calls as text" in told
    assert "--enable-auto-tool-choice --tool-call-parser hermes" in told


def test_server_that_refuses_tools_names_its_flags() -> None:
    async def answer(body: dict[str, Any]) -> Reply:
        return error_reply(400, '"auto" tool choice requires --enable-auto-tool-choice') if body.get("tools") else await hello(body)

    assert "--tool-call-parser" in _refusal(answer)


def test_model_that_only_talks_is_refused_after_three_probes() -> None:
    assert "called no tool in 3 probes (it said: 'Sure, it is done!')" in _refusal(_says("Sure, it is done!"))


def test_model_that_talks_first_and_then_calls_passes() -> None:
    with_endpoint(in_turn(chat_reply("yes", model=MODEL), chat_reply("Hm?", model=MODEL), CALL), _preflight)


def test_model_that_need_not_call_when_asked_passes_with_any_answer_to_one_request_with_tools() -> None:
    bodies: list[dict[str, Any]] = []

    async def odd(body: dict[str, Any]) -> Reply:
        bodies.append(body)
        return chat_reply('<tool_call>{"namename Shall', model=MODEL)

    assert "`tool_probe: false` spares it" in _refusal(odd)
    bodies.clear()
    with_endpoint(odd, _preflight, tool_probe=False)
    assert ["tools" in body for body in bodies] == [False, True]


def test_server_that_refuses_tools_is_told_also_of_a_model_that_need_not_call() -> None:
    async def answer(body: dict[str, Any]) -> Reply:
        return error_reply(400, "no tools here") if body.get("tools") else await hello(body)

    assert "refuses requests with tools" in _refusal(answer, tool_probe=False)


def test_plain_request_that_is_refused_is_told() -> None:
    assert "unsupported parameter" in _refusal(always(error_reply(400, "unsupported parameter: seed")))


def test_budget_over_a_server_that_reports_no_usage_is_refused() -> None:
    assert "no token usage" in _refusal(_says("yes"), budget=Budget(max_tokens=10))
    with_endpoint(caller, _preflight, budget=Budget(max_tokens=10))


def test_server_that_is_loading_is_waited_for() -> None:
    clock = SkippingClock()
    with_endpoint(in_turn(*[error_reply(503, "loading")] * 6, CALL), _preflight, clock=clock)
    assert clock.now() == pytest.approx(0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 5)


def test_server_that_comes_up_late_is_waited_for() -> None:
    async def scenario() -> None:
        async with serve(caller, models=[MODEL]) as first:
            settings = settings_for(first.base_url)
        opened = Endpoint(open_model(settings), settings)
        early = asyncio.create_task(_preflight(opened))
        await asyncio.wait([early], timeout=0.3)
        assert not early.done()
        async with serve(caller, models=[MODEL], port=first.port):
            await early
        await opened.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("reply", [error_reply(503, "loading"), Reply(b"", delivery=Delivery.RESET), Reply(b"nonsense")])
def test_server_that_is_never_ready_ends_the_waiting(reply: Reply) -> None:
    clock = SkippingClock()
    assert "not ready within 60 s" in _refusal(always(reply), Unavailable, clock=clock, ready_within_s=60)
    assert 50 <= clock.now() <= 60


def test_one_token_probe_uses_the_field_that_the_model_takes() -> None:
    bodies: list[dict[str, Any]] = []

    async def answer(body: dict[str, Any]) -> Reply:
        bodies.append(body)
        return await caller(body)

    with_endpoint(answer, _preflight, extra_body={"max_completion_tokens": 500})
    assert [body["max_completion_tokens"] for body in bodies] == [16, 500]
    assert not any("max_tokens" in body for body in bodies)


def test_server_without_a_list_of_models_is_believed_by_its_answers() -> None:
    async def handler(served: web.BaseRequest) -> web.StreamResponse:
        if served.path.endswith("/models"):
            return web.Response(status=404)
        body = await served.json()
        return web.Response(body=(await caller(body)).body)

    async def scenario() -> None:
        http = web.Server(handler)
        listener = await asyncio.get_running_loop().create_server(http, "127.0.0.1", 0)
        settings = settings_for(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")
        opened = Endpoint(open_model(settings), settings)
        await _preflight(opened)
        await opened.close()
        listener.close()
        await http.shutdown(timeout=0.1)

    asyncio.run(scenario())
