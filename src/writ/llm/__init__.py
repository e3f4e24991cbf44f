"""The ChatModel port: who answers. One adapter (`openai.py`) speaks to any OpenAI-compatible endpoint.

Read in this order: this file, `pool.py` (`Endpoint`, what a simulation calls), `limits.py`, `openai.py`, `preflight.py`, `questions.py` (one question
each about many things); `server.py` and `faults.py` are the other end of the wire, for scripted models, tests and benchmarks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import orjson
from pydantic import Field, JsonValue, SecretStr

from writ.errors import ConfigError, Unavailable
from writ.schema import Record, ToolCall, execution

_URL = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?(/[^\s?#]*)?")


class Cause(StrEnum):
    """Why one attempt gave no reply. Closed: a new cause is a new line here."""

    RATE_LIMITED = "rate_limited"
    """429."""
    OVERLOADED = "overloaded"
    """502, 503, 504, 529."""
    SERVER_ERROR = "server_error"
    """Any other 5xx."""
    TIMEOUT = "timeout"
    """No whole reply within the deadline, or a 408."""
    CONNECTION = "connection"
    """Refused, reset, no such host, TLS."""
    TRUNCATED = "truncated"
    """The body ended before its announced length."""
    INVALID_REPLY = "invalid_reply"
    """A whole body that is not JSON, or not a chat completion."""
    EMPTY_REPLY = "empty_reply"
    """A chat completion without choices."""
    CONTEXT_LENGTH = "context_length"
    """The conversation no longer fits the model: permanent for this conversation."""
    REJECTED = "rejected"
    """Another 4xx for this one request: permanent for this conversation."""


PERMANENT = frozenset({Cause.CONTEXT_LENGTH, Cause.REJECTED})
"""Causes that the same request would meet again."""

OVERLOAD = frozenset({Cause.RATE_LIMITED, Cause.OVERLOADED})
"""Causes that ask for fewer requests in flight."""


class ModelFault(Unavailable):
    """One request got no reply. Inside a conversation it is data (an infrastructure loss), with its cause."""

    def __init__(self, cause: Cause, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        return self.cause not in PERMANENT


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One completion to ask for, in parts that are already JSON, so that a growing history is never serialized twice."""

    prefix: bytes
    """A JSON object with at least one member and without `messages` and `user`; `request_prefix` makes it."""
    messages: Sequence[bytes]
    """Each message as one JSON object; the history only grows at its end."""
    user: str = ""
    """OpenAI's `user` field: whom the request is for."""
    deadline_s: float | None = None
    """Most seconds that one attempt may take; None: the endpoint's `call_deadline_s`."""

    def body(self) -> bytes:
        return b"".join((self.prefix[:-1], b',"user":', orjson.dumps(self.user), b',"messages":[', b",".join(self.messages), b"]}"))


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What the model answered, the first choice only."""

    content: str | None
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    prompt_tokens: int
    """0 where the server reports no usage."""
    completion_tokens: int
    """0 where the server reports no usage."""
    model: str
    faults: tuple[Mapping[str, Any], ...] = ()
    """Labels of faults that the embedded scripted model made on purpose (`writ_faults` in its message); no other server sends any."""


class ChatModel(Protocol):
    """Answers one request, once: no retries and no queue (those are `pool.Endpoint`'s)."""

    name: str

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Raises: ModelFault for this request; ConfigError where no request can succeed (key, model name, URL)."""
        ...

    async def served_models(self) -> tuple[str, ...]:
        """Names that the server says it serves; empty where it has no such list. Raises as `complete`."""
        ...

    async def close(self) -> None: ...


PLAIN = "scripted-plain"
"""The embedded scripted model in words that never vary: for models too small to learn that a thing can be said in many ways."""
EMBEDDED = ("scripted", PLAIN)
"""Names that need no URL: a run starts this model itself."""


class EndpointSettings(Record):
    """One model behind one OpenAI-compatible URL. Fields declared with `execution` change no output and enter no artifact key."""

    model: str = "scripted"
    """The name the server knows the model by."""
    revision: str = ""
    """Declared revision of the weights; part of every key made with this model."""
    temperature: float | None = Field(None, ge=0)
    """None: the server's default, as for `top_p`, `max_tokens` and `seed`."""
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    """Most tokens of one reply."""
    seed: int | None = None
    """Sent with each request that names no seed of its own."""
    extra_body: dict[str, JsonValue] = {}
    """Further members of the request body, such as `chat_template_kwargs`."""

    base_url: str = execution("")
    """Such as `http://agent:8000/v1`; empty: the embedded scripted model, which the run starts itself."""
    api_key_env: str | None = execution(None)
    """Name of the environment variable with the key; None: the endpoint needs none."""
    call_deadline_s: float = execution(120.0, gt=0)
    """Most seconds for one attempt, from connecting to the last byte."""
    connect_deadline_s: float = execution(10.0, gt=0)
    """Most seconds to open a connection."""
    retries: int = execution(8, ge=0)
    """Attempts after the first."""
    backoff_base_s: float = execution(0.5, gt=0)
    """Before retry n a wait is drawn from 0 to `backoff_base_s * 2**n`."""
    backoff_cap_s: float = execution(30.0, gt=0)
    """Longest drawn wait."""
    start_concurrency: int = execution(32, ge=1)
    """Requests in flight to begin with; the limit then follows what the server bears."""
    max_concurrency: int = execution(512, ge=1)
    """Most requests in flight."""
    breaker_failures: int = execution(20, ge=1)
    """Failures in a row (connection, timeout, 5xx) after which requests wait while one at a time probes the server."""
    breaker_open_s: float = execution(1.0, gt=0)
    """Seconds before the first probe; doubles with each that fails, up to `backoff_cap_s`."""
    ready_within_s: float = execution(600.0, ge=0)
    """Seconds that an endpoint may be away, at the start or in the middle of a run, before the run stops with exit code 75."""
    tool_probe: bool = execution(True)
    """Whether an agent must call a tool, when plainly asked to, before a run begins. False for a model that knows no talk but its own domain's: then
    it is enough that the server takes requests with tools, and whether calls are read shows in the run's losses."""
    usd_per_million_prompt_tokens: float = execution(0.0, ge=0)
    usd_per_million_completion_tokens: float = execution(0.0, ge=0)

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        prompt_usd = prompt_tokens * self.usd_per_million_prompt_tokens
        return (prompt_usd + completion_tokens * self.usd_per_million_completion_tokens) / 1e6


def request_prefix(settings: EndpointSettings, tools: Sequence[Mapping[str, Any]] = (), *, seed: int | None = None) -> bytes:
    """The part of the body that stays the same over a conversation: model, sampling, tools. `seed` goes before the settings' own."""
    sampling = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed if seed is None else seed,
        "tools": tools or None,
    }
    chosen = {name: value for name, value in sampling.items() if value is not None}
    return orjson.dumps({"model": settings.model, **chosen, **settings.extra_body})


def open_model(settings: EndpointSettings, api_key: SecretStr | None = None) -> ChatModel:
    """The adapter for an endpoint; opens no connection yet. The HTTP package is loaded here.

    Raises: ConfigError without a proper URL, or where `api_key_env` is set and no key was handed in.
    """
    if not _URL.fullmatch(settings.base_url):
        stated = f"base_url={settings.base_url!r}" if settings.base_url else "no base_url"
        raise ConfigError(f"model '{settings.model}' has {stated}; set it to an OpenAI-compatible URL such as http://host:8000/v1")
    if settings.api_key_env and api_key is None:
        raise ConfigError(f"the key of model '{settings.model}' is read from ${settings.api_key_env}, which is not set; export it")
    from writ.llm.openai import OpenAIModel

    return OpenAIModel(settings, api_key)
