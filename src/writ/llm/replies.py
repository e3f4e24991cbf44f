"""What comes back over the wire, made into a ChatReply or into the one error that says what to do about it. No I/O here."""

import email.utils
import math
from collections.abc import Mapping
from typing import Any

import orjson

from writ.errors import ConfigError, Unavailable, WritError
from writ.llm import Cause, ChatReply, ModelFault
from writ.schema import ToolCall

_TOO_LONG = ("context_length", "context length", "maximum context", "max_model_len", "prompt is too long", "too many tokens")
_SPENT = ("insufficient_quota", "billing_hard_limit")
_OVERLOADED = frozenset({502, 503, 504, 529})
_MAX_DETAIL_CHARS = 300


def parse_reply(body: bytes) -> ChatReply:
    """The first choice of a chat completion.

    Raises: ModelFault (invalid_reply, empty_reply) for anything that is not exactly that.
    """
    try:
        return _reply(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise ModelFault(Cause.INVALID_REPLY, f"{len(body)} bytes that are not JSON: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelFault(Cause.INVALID_REPLY, f"not a chat completion: {one_line(repr(error))}") from error


def _reply(completion: dict[str, Any]) -> ChatReply:
    choices = completion["choices"]
    if not choices:
        raise ModelFault(Cause.EMPTY_REPLY, "a chat completion without choices")
    message = choices[0]["message"]
    content = message.get("content")
    if not (content is None or isinstance(content, str)):
        raise TypeError(f"content is a {type(content).__name__}, not text")
    usage = completion.get("usage") or {}
    return ChatReply(
        content=content,
        tool_calls=tuple(map(_tool_call, message.get("tool_calls") or ())),
        finish_reason=str(choices[0].get("finish_reason") or ""),
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
        model=str(completion.get("model") or ""),
        faults=tuple(message.get("writ_faults") or ()),
    )


def _tool_call(call: dict[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(id=call["id"], name=function["name"], arguments=function["arguments"])


def refusal(status: int, text: str, headers: Mapping[str, str], *, subject: str) -> WritError:
    """The error for a reply with this HTTP status. `subject` names model and URL.

    ConfigError where no request can ever succeed, Unavailable where the account is spent, else a ModelFault.
    """
    said = one_line(text)
    if status in (401, 403):
        return ConfigError(f"{subject}: {status}, the key was refused; check the variable that `api_key_env` names")
    if status in (404, 405) or 300 <= status < 400:
        return ConfigError(f"{subject}: {status} {said}; check `base_url` (it usually ends in /v1) and `model`")
    if status == 402 or any(mark in text for mark in _SPENT):
        return Unavailable(f"{subject}: {status} {said}; the account is spent: top it up, then start the same command again")
    return ModelFault(_cause(status, text), f"{subject}: {status} {said}", retry_after_s=retry_after_s(headers))


def _cause(status: int, text: str) -> Cause:
    if status == 429:
        return Cause.RATE_LIMITED
    if status in _OVERLOADED:
        return Cause.OVERLOADED
    if status >= 500:
        return Cause.SERVER_ERROR
    if status == 408:
        return Cause.TIMEOUT
    lowered = text.lower()
    return Cause.CONTEXT_LENGTH if any(mark in lowered for mark in _TOO_LONG) else Cause.REJECTED


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, in both of its forms (a date counts from the reply's own `Date`); None if absent or malformed."""
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(asked)
        return max(0.0, (until - email.utils.parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None


def one_line(text: str) -> str:
    """Whitespace folded, at most 300 characters: a server's text inside a one-line error."""
    folded = " ".join(text.split())
    return folded if len(folded) <= _MAX_DETAIL_CHARS else folded[: _MAX_DETAIL_CHARS - 1] + "…"
