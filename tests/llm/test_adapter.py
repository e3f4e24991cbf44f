"""The OpenAI-compatible adapter against real servers."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from loopback import HELLO, MODEL, TOOL, always, hello, request, settings_for, with_model
from pydantic import SecretStr

from writ.errors import ConfigError, Unavailable, WritError
from writ.llm import Cause, ChatModel, ChatReply, ChatRequest, EndpointSettings, ModelFault, open_model, request_prefix
from writ.llm.server import Delivery, Reply, chat_reply, error_reply
from writ.schema import ToolCall

RIGHT = chat_reply("Hello!", model=MODEL).body


async def _complete(model: ChatModel, settings: EndpointSettings) -> ChatReply:
    return await model.complete(request(settings))


async def _listed(model: ChatModel, settings: EndpointSettings) -> tuple[str, ...]:
    return await model.served_models()


def _error(reply: Reply, **changes: Any) -> WritError:
    with pytest.raises(WritError) as caught:
        with_model(always(reply), _complete, **changes)
    return caught.value


def _raw_server(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], use: Callable[[str], Awaitable[Any]]) -> Any:
    """For replies that `serve` would never give."""

    async def scenario() -> Any:
        http = web.Server(handler, handler_cancellation=True)
        listener = await asyncio.get_running_loop().create_server(http, "127.0.0.1", 0)
        try:
            return await use(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")
        finally:
            listener.close()
            await http.shutdown(timeout=0.1)

    return asyncio.run(scenario())


async def _complete_at(url: str, api_key: SecretStr | None = None, **changes: Any) -> ChatReply:
    settings = settings_for(url, **changes)
    model = open_model(settings, api_key)
    try:
        return await model.complete(request(settings))
    finally:
        await model.close()


def test_reply_with_text_and_calls_arrives_whole() -> None:
    call = ToolCall(id="call-1", name="find_order", arguments='{"id": "#W1", "naïve": "“yes”"}')
    reply = with_model(always(chat_reply("Let me see.", [call], model=MODEL, prompt_tokens=40, completion_tokens=9)), _complete)
    assert reply == ChatReply("Let me see.", (call,), "tool_calls", 40, 9, MODEL)


def test_arguments_that_are_not_json_arrive_as_they_were_written() -> None:
    call = ToolCall(id="call-1", name="find_order", arguments='{"id": "#W1')
    assert with_model(always(chat_reply(None, [call], model=MODEL)), _complete).tool_calls == (call,)


def test_request_body_holds_settings_tools_user_and_messages_in_order() -> None:
    seen: list[dict[str, Any]] = []

    async def answer(body: dict[str, Any]) -> Reply:
        seen.append(body)
        return await hello(body)

    async def use(model: ChatModel, settings: EndpointSettings) -> None:
        prefix = request_prefix(settings, [TOOL], seed=5)
        await model.complete(ChatRequest(prefix, (b'{"role":"system","content":"\xe2\x80\x9cBe\xe2\x80\x9d"}', HELLO), user='task "7"'))

    with_model(answer, use, temperature=0.7, seed=1, extra_body={"top_k": 20})
    assert seen == [
        {
            "model": MODEL,
            "temperature": 0.7,
            "seed": 5,
            "tools": [TOOL],
            "top_k": 20,
            "user": 'task "7"',
            "messages": [{"role": "system", "content": "“Be”"}, {"role": "user", "content": "hello"}],
        }
    ]


def test_growing_history_keeps_the_bytes_before_it() -> None:
    settings = settings_for("http://unused/v1")
    short = request(settings, HELLO, user="t").body()
    assert request(settings, HELLO, b'{"role":"assistant","content":"hi"}', user="t").body().startswith(short.removesuffix(b"]}"))


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (error_reply(429, "slow down"), Cause.RATE_LIMITED),
        (error_reply(503, "loading"), Cause.OVERLOADED),
        (error_reply(529, "overloaded"), Cause.OVERLOADED),
        (Reply(b"<html>Bad gateway</html>", 502), Cause.OVERLOADED),
        (error_reply(500, "engine dead"), Cause.SERVER_ERROR),
        (error_reply(408, "too late"), Cause.TIMEOUT),
        (Reply(RIGHT, delivery=Delivery.RESET), Cause.CONNECTION),
        (Reply(RIGHT, delivery=Delivery.CUT), Cause.TRUNCATED),
        (Reply(RIGHT[:-1]), Cause.INVALID_REPLY),
        (Reply(b""), Cause.INVALID_REPLY),
        (Reply(b'{"choices": [{"message": {"content": ["a"]}}]}'), Cause.INVALID_REPLY),
        (Reply(b'{"choices": [{"message": {"tool_calls": [{"id": "1", "function": {"name": "t", "arguments": {}}}]}}]}'), Cause.INVALID_REPLY),
        (Reply(b'{"object": "chat.completion"}'), Cause.INVALID_REPLY),
        (Reply(b'{"choices": []}'), Cause.EMPTY_REPLY),
        (error_reply(400, "This model's maximum context length is 4096 tokens"), Cause.CONTEXT_LENGTH),
        (error_reply(400, "too big", code="context_length_exceeded"), Cause.CONTEXT_LENGTH),
        (error_reply(400, "unknown role"), Cause.REJECTED),
        (error_reply(422, "unprocessable"), Cause.REJECTED),
    ],
)
def test_failed_exchange_has_its_cause(reply: Reply, cause: Cause) -> None:
    fault = _error(reply)
    assert isinstance(fault, ModelFault)
    assert fault.cause is cause
    assert fault.retryable == (cause not in {Cause.CONTEXT_LENGTH, Cause.REJECTED})
    assert "\n" not in str(fault)


def test_refused_connection_is_a_connection_fault() -> None:
    with pytest.raises(ModelFault) as caught:
        asyncio.run(_complete_at("http://127.0.0.1:1/v1"))
    assert caught.value.cause is Cause.CONNECTION


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_is_a_configuration_error_without_the_key(status: int) -> None:
    error = _error(error_reply(status, "Incorrect API key provided: sk-secret"))
    assert isinstance(error, ConfigError)
    assert "api_key_env" in str(error)
    assert "sk-secret" not in str(error)


def test_unknown_model_is_a_configuration_error_that_names_it() -> None:
    async def use(model: ChatModel, settings: EndpointSettings) -> ChatReply:
        return await model.complete(ChatRequest(b'{"model":"another"}', (HELLO,)))

    with pytest.raises(ConfigError, match="`another` does not exist"):
        with_model(hello, use)


def test_redirect_is_a_configuration_error() -> None:
    assert isinstance(_error(Reply(b"", 307, (("Location", "/elsewhere"),))), ConfigError)


def test_spent_account_asks_to_start_again_later() -> None:
    error = _error(error_reply(429, "You exceeded your current quota", code="insufficient_quota"))
    assert type(error) is Unavailable
    assert type(_error(error_reply(402, "payment required"))) is Unavailable


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ((("Retry-After", "7"),), 7.0),
        ((("Retry-After", "Mon, 23 Nov 2026 10:00:30 GMT"), ("Date", "Mon, 23 Nov 2026 10:00:00 GMT")), 30.0),
        ((("Retry-After", "soon"),), None),
        ((), None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: tuple[tuple[str, str], ...], expected_s: float | None) -> None:
    fault = _error(error_reply(429, "slow down", headers=headers))
    assert isinstance(fault, ModelFault)
    assert fault.retry_after_s == expected_s


def test_silent_server_costs_no_more_than_the_deadline() -> None:
    started_s = time.monotonic()
    fault = _error(Reply(RIGHT, delivery=Delivery.HANG), call_deadline_s=0.3)
    assert isinstance(fault, ModelFault)
    assert fault.cause is Cause.TIMEOUT
    assert 0.3 <= time.monotonic() - started_s < 2


def test_body_that_trickles_costs_no_more_than_the_deadline() -> None:
    async def trickle(served: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(served)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    started_s = time.monotonic()
    with pytest.raises(ModelFault) as caught:
        _raw_server(trickle, lambda url: _complete_at(url, call_deadline_s=0.3))
    assert caught.value.cause is Cause.TIMEOUT
    assert time.monotonic() - started_s < 2


def test_deadline_of_the_request_goes_before_the_settings() -> None:
    async def use(model: ChatModel, settings: EndpointSettings) -> ChatReply:
        return await model.complete(request(settings, deadline_s=0.2))

    with pytest.raises(ModelFault, match=r"within 0\.2 s"):
        with_model(always(Reply(RIGHT, delivery=Delivery.HANG)), use, call_deadline_s=60)


def test_compressed_reply_is_read_although_none_was_asked_for() -> None:
    async def compressed(_served: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=gzip.compress(RIGHT), headers={"Content-Encoding": "gzip"})

    assert _raw_server(compressed, _complete_at).content == "Hello!"


def test_headers_carry_the_given_key_and_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer of-somebody\nX-Of-Somebody: 1")
    seen: list[dict[str, str]] = []

    async def note(served: web.BaseRequest) -> web.StreamResponse:
        seen.append({name.lower(): value for name, value in served.headers.items()})
        return web.Response(body=RIGHT)

    async def both(url: str) -> None:
        settings = settings_for(url)
        model = open_model(settings, SecretStr("sk-ours"))
        await model.complete(request(settings))
        await model.served_models()
        await model.close()

    _raw_server(note, both)
    assert [headers["authorization"] for headers in seen] == ["Bearer sk-ours"] * 2
    assert all("somebody" not in str(headers) for headers in seen)
    assert set(seen[0]) == {"host", "accept", "accept-encoding", "authorization", "content-type", "content-length", "user-agent"}


def test_served_models_are_the_names_that_the_server_lists() -> None:
    assert with_model(hello, _listed) == (MODEL,)


@pytest.mark.parametrize("body", [b'{"detail":"Not Found"}', b"<html>", b"[]"])
def test_server_without_a_list_of_models_lists_none(body: bytes) -> None:
    async def handler(_served: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, status=404 if b"detail" in body else 200)

    async def use(url: str) -> tuple[str, ...]:
        model = open_model(settings_for(url))
        try:
            return await model.served_models()
        finally:
            await model.close()

    assert _raw_server(handler, use) == ()


def test_model_without_url_or_key_is_refused_with_the_next_action() -> None:
    for url in ("", "localhost:8000/v1", "ftp://h/v1", "http:///v1", "/v1", "http://h:port/v1", "http://[x/v1"):
        with pytest.raises(ConfigError, match=r"base_url.*such as http://host:8000/v1"):
            open_model(EndpointSettings(model="m", base_url=url))
    for url in ("http://agent:8000/v1", "https://api.example.com", "http://[::1]:8000/v1", "http://10.0.0.1/proxy/v1/"):
        assert open_model(EndpointSettings(model="m", base_url=url)).name == "m"
    with pytest.raises(ConfigError, match=r"\$THE_KEY.*export"):
        open_model(EndpointSettings(model="m", base_url="http://h/v1", api_key_env="THE_KEY"))


def test_request_with_a_large_history_goes_through() -> None:
    async def answer(body: dict[str, Any]) -> Reply:
        return chat_reply(str(sum(len(message["content"]) for message in body["messages"])), model=MODEL)

    async def use(model: ChatModel, settings: EndpointSettings) -> ChatReply:
        text = orjson.dumps({"role": "tool", "tool_call_id": "1", "content": "x" * 40_000})
        return await model.complete(request(settings, *[text] * 100))

    assert with_model(answer, use).content == "4000000"
