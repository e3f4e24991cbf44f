"""Faults on request: wraps an answer function so that a share of its replies goes wrong on the wire, each counted by name."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from pydantic import Field

from writ.llm.server import Answer, Delivery, Reply, chat_reply, error_reply
from writ.schema import Record

_LONG_TEXT = "All of this has been said before. " * 1177
"""40 kB."""


class FaultPlan(Record):
    """Shares of requests, each from 0 to 1, together at most 1. Drawn in order of arrival, so a retry draws anew."""

    rate_limited: float = Field(0.0, ge=0, le=1)
    """429 without Retry-After."""
    rate_limited_with_hint: float = Field(0.0, ge=0, le=1)
    """429 with `Retry-After: retry_after_s`."""
    server_error: float = Field(0.0, ge=0, le=1)
    """500."""
    overloaded: float = Field(0.0, ge=0, le=1)
    """503."""
    hang: float = Field(0.0, ge=0, le=1)
    """Accepts the request and never answers."""
    reset: float = Field(0.0, ge=0, le=1)
    """Aborts the connection."""
    truncated: float = Field(0.0, ge=0, le=1)
    """Half of the right answer, then the connection closes."""
    invalid_json: float = Field(0.0, ge=0, le=1)
    """The right answer without its last byte, announced as whole."""
    empty_choices: float = Field(0.0, ge=0, le=1)
    long_text: float = Field(0.0, ge=0, le=1)
    """40 kB of text instead of the right answer."""

    retry_after_s: int = Field(1, ge=0)
    latency_s: float = Field(0.0, ge=0)
    """Added to every answer that is not an immediate refusal."""
    max_in_flight: int | None = Field(None, ge=1)
    """429 to every request above this many at once."""
    seed: int = 0

    def shares(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in _FAULTS}


class Faulty:
    """An answer function that fails as planned."""

    def __init__(self, answer: Answer, plan: FaultPlan) -> None:
        self._answer = answer
        self._plan = plan
        self._random = random.Random(plan.seed)
        self.injected: Counter[str] = Counter()
        """How often each fault was delivered, by its name in the plan (`max_in_flight` for refusals above the limit)."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.served = 0
        """Requests that got the right answer."""

    async def __call__(self, body: dict[str, Any]) -> Reply:
        limit = self._plan.max_in_flight
        if limit is not None and self.in_flight >= limit:
            self.injected["max_in_flight"] += 1
            return error_reply(429, f"more than {limit} requests at once", code="rate_limit_exceeded")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._one(body)
        finally:
            self.in_flight -= 1

    async def _one(self, body: dict[str, Any]) -> Reply:
        fault = self._draw()
        if self._plan.latency_s:
            await asyncio.sleep(self._plan.latency_s)
        if fault is None:
            self.served += 1
            return await self._answer(body)
        self.injected[fault] += 1
        return _FAULTS[fault](await self._answer(body), self._plan)

    def _draw(self) -> str | None:
        point = self._random.random()
        for name, share in self._plan.shares().items():
            point -= share
            if point < 0:
                return name
        return None


def _hinted(_: Reply, plan: FaultPlan) -> Reply:
    return error_reply(429, "too many requests", headers=(("Retry-After", str(plan.retry_after_s)),))


def _no_choices(right: Reply, _: FaultPlan) -> Reply:
    return Reply(orjson.dumps({**orjson.loads(right.body), "choices": []}))


_FAULTS: dict[str, Callable[[Reply, FaultPlan], Reply]] = {
    "rate_limited": lambda _right, _plan: error_reply(429, "too many requests"),
    "rate_limited_with_hint": _hinted,
    "server_error": lambda _right, _plan: error_reply(500, "the engine stopped"),
    "overloaded": lambda _right, _plan: error_reply(503, "no capacity"),
    "hang": lambda right, _plan: Reply(right.body, delivery=Delivery.HANG),
    "reset": lambda right, _plan: Reply(right.body, delivery=Delivery.RESET),
    "truncated": lambda right, _plan: Reply(right.body, delivery=Delivery.CUT),
    "invalid_json": lambda right, _plan: Reply(right.body[:-1]),
    "empty_choices": _no_choices,
    "long_text": lambda _right, _plan: chat_reply(_LONG_TEXT, model="long", prompt_tokens=1, completion_tokens=10_000),
}
