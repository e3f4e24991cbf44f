"""Proves, before any work is paid for, that an endpoint is there, knows the key and the model, and answers tools with tool calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from writ.errors import ConfigError, Unavailable
from writ.llm import Cause, ChatReply, ChatRequest, EndpointSettings, ModelFault, request_prefix
from writ.llm.pool import Endpoint
from writ.llm.replies import one_line

PREFLIGHT_USER = "writ-preflight"
"""The `user` field of every probe. A scripted model answers it with text, or with a call of the first tool if the request has tools."""

_MAX_PAUSE_S = 5.0
_TOOL_PROBES = 3
_RAW_CALL_MARKS = ("<tool_call", "<function", "[TOOL_CALLS]", "<|python_tag|>", "<|tool", "<minimax:tool_call", '"arguments":', '"parameters":')
_SERVER_FLAGS = "for vLLM: --enable-auto-tool-choice --tool-call-parser hermes (or your model's own parser), for SGLang: --tool-call-parser"
_ODD_MODEL = "a model that was taught one domain alone may not know this question: `tool_probe: false` spares it"

_Result = TypeVar("_Result")


async def preflight(endpoint: Endpoint, tools_sample: Sequence[Mapping[str, Any]] = ()) -> None:
    """Waits up to `ready_within_s` for a server that is away or loading; then lists models, completes one token and, if there are
    tools, has one called. Costs a few dozen tokens, which no budget counts.

    Raises: Unavailable if the server does not come up in time; ConfigError for what waiting will not cure.
    """
    patience = _Patience(endpoint)
    await patience.until_served(lambda: _check_name(endpoint))
    reply = await patience.until_served(lambda: _ask(endpoint, "Say yes.", max_tokens=1))
    if endpoint.budget.bounded and not reply.prompt_tokens:
        raise ConfigError(f"{endpoint.subject} reports no token usage, so no budget can be kept; drop max_tokens and max_cost_usd")
    if tools_sample:
        await patience.until_served(lambda: _check_tools(endpoint, tools_sample))


async def await_models(endpoint: Endpoint) -> tuple[str, ...]:
    """Waits as `preflight` does, and returns the names that the server serves. Raises: as `preflight`."""
    names = await _Patience(endpoint).until_served(endpoint.model.served_models)
    if not names:
        raise ConfigError(f"{endpoint.subject}: the server lists no model; let it serve some at /v1/models")
    return names


class _Patience:
    """One allowance of waiting, shared by all steps."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._started_s = endpoint.clock.now()

    async def until_served(self, step: Callable[[], Awaitable[_Result]]) -> _Result:
        pause_s = 0.2
        while True:
            try:
                return await step()
            except ModelFault as fault:
                if not fault.retryable:
                    raise ConfigError(f"{self._endpoint.subject} refuses a plain request: {fault}") from fault
                await self._pause(max(pause_s, fault.retry_after_s or 0.0), fault)
            pause_s = min(2 * pause_s, _MAX_PAUSE_S)

    async def _pause(self, pause_s: float, fault: ModelFault) -> None:
        clock, patience_s = self._endpoint.clock, self._endpoint.settings.ready_within_s
        if clock.now() + pause_s - self._started_s > patience_s:
            raise Unavailable(
                f"{self._endpoint.subject} was not ready within {patience_s:g} s (last: {fault}); start it, or raise `ready_within_s`"
            ) from fault
        await clock.sleep(pause_s)


async def _check_name(endpoint: Endpoint) -> None:
    served = await endpoint.model.served_models()
    if served and endpoint.settings.model not in served:
        names = ", ".join(served[:10])
        raise ConfigError(f"{endpoint.subject}: the server does not serve that name; set `model` to one of: {names}")


async def _check_tools(endpoint: Endpoint, tools: Sequence[Mapping[str, Any]]) -> None:
    """Asks a few times, since a model that samples may answer in words once. With `tool_probe` off any answer will do."""
    said = ""
    for _ in range(_TOOL_PROBES):
        try:
            reply = await _ask(endpoint, _tool_wish(tools[0]), tools=tools)
        except ModelFault as fault:
            if fault.cause is Cause.REJECTED:
                raise ConfigError(f"{endpoint.subject} refuses requests with tools: {fault}; set {_SERVER_FLAGS}") from fault
            raise
        if reply.tool_calls or not endpoint.settings.tool_probe:
            return
        said = reply.content or ""
        if any(mark in said for mark in _RAW_CALL_MARKS):
            raise ConfigError(f"{endpoint.subject} returns tool calls as text ({one_line(said)[:80]}); set {_SERVER_FLAGS}; {_ODD_MODEL}")
    raise ConfigError(
        f"{endpoint.subject} called no tool in {_TOOL_PROBES} probes (it said: {one_line(said)[:80]!r}); "
        f"use a model that calls tools, or set {_SERVER_FLAGS}; {_ODD_MODEL}"
    )


def _tool_wish(tool: Mapping[str, Any]) -> str:
    name = tool["function"]["name"]
    return f"This is a test of the connection. Call the tool `{name}` once, with any plausible arguments, and say nothing else."


async def _ask(endpoint: Endpoint, text: str, *, tools: Sequence[Mapping[str, Any]] = (), max_tokens: int | None = None) -> ChatReply:
    """One attempt with the run's own sampling settings, past limiter, breaker and retries."""
    settings = endpoint.settings if max_tokens is None else _with_max_tokens(endpoint.settings, max_tokens)
    message = orjson.dumps({"role": "user", "content": text})
    return await endpoint.model.complete(ChatRequest(request_prefix(settings, tools), (message,), user=PREFLIGHT_USER))


def _with_max_tokens(settings: EndpointSettings, max_tokens: int) -> EndpointSettings:
    """Models that refuse `max_tokens` are configured with `extra_body.max_completion_tokens`; then that one changes."""
    if "max_completion_tokens" in settings.extra_body:
        return settings.model_copy(update={"extra_body": {**settings.extra_body, "max_completion_tokens": 16}})
    return settings.model_copy(update={"max_tokens": max_tokens})
