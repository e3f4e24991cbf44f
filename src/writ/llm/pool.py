"""An Endpoint: one model with its limiter, breaker, retries and counters. This is what a simulation calls."""

import random

from pydantic import SecretStr

from writ.errors import Unavailable
from writ.llm import OVERLOAD, Cause, ChatModel, ChatReply, ChatRequest, EndpointSettings, ModelFault, open_model
from writ.llm.breaker import Breaker
from writ.llm.clock import Clock, MonotonicClock
from writ.llm.limits import AdaptiveLimit, Backoff, Budget, Outcome
from writ.llm.metrics import Metrics

_AWAY = frozenset({Cause.CONNECTION, Cause.TIMEOUT, Cause.SERVER_ERROR, Cause.OVERLOADED})
"""Causes that the breaker counts: the server may be gone. All others show that it is there."""


class Endpoint:
    """Answers a request, or says why it cannot be answered after all retries."""

    def __init__(
        self,
        model: ChatModel,
        settings: EndpointSettings,
        *,
        budget: Budget | None = None,
        clock: Clock | None = None,
        jitter_seed: int = 0,
    ) -> None:
        """One `budget` may be shared by several endpoints. `jitter_seed` draws the waits between retries and nothing else."""
        self.model = model
        self.settings = settings
        self.budget = budget or Budget()
        self.clock: Clock = clock or MonotonicClock()
        self.metrics = Metrics()
        self._limit = AdaptiveLimit(settings.start_concurrency, settings.max_concurrency)
        self._backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s, random.Random(jitter_seed))
        self._breaker = Breaker(
            self.subject,
            failures=settings.breaker_failures,
            open_s=settings.breaker_open_s,
            open_cap_s=settings.backoff_cap_s,
            patience_s=settings.ready_within_s,
            clock=self.clock,
        )

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def subject(self) -> str:
        """How errors name this endpoint."""
        return f"model '{self.settings.model}' at {self.settings.base_url}"

    @property
    def in_flight(self) -> int:
        return self._limit.in_flight

    @property
    def concurrency_limit(self) -> int:
        """What the adaptive limit stands at now."""
        return self._limit.limit

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Queues, sends, retries. Takes as long as it needs; each attempt is bounded, the whole is bounded by the caller's own timeout.

        Raises: ModelFault when given up (its cause is the last attempt's); BudgetReached; Unavailable when the server stays away for
        `ready_within_s` or asks to be left alone for longer than that; ConfigError for a key or a name that no longer works.
        """
        self.metrics.requests += 1
        retry = 0
        while True:
            try:
                return await self._attempt(request)
            except ModelFault as fault:
                if not fault.retryable or retry >= self.settings.retries:
                    self.metrics.given_up[fault.cause] += 1
                    raise
                self.metrics.retries[fault.cause] += 1
                await self.clock.sleep(self._wait_s(fault, retry))
                retry += not self._breaker.is_open

    async def close(self) -> None:
        await self.model.close()

    def _wait_s(self, fault: ModelFault, retry: int) -> float:
        asked_s = fault.retry_after_s
        if asked_s is not None and asked_s > self.settings.ready_within_s:
            raise Unavailable(f"{self.subject} asks to come back in {asked_s:.0f} s; start the same command again then") from fault
        return self._backoff.wait_s(retry, asked_s)

    async def _attempt(self, request: ChatRequest) -> ChatReply:
        """One try in one slot. A request that waits for an absent server keeps its slot: nobody else could use it."""
        window = await self._limit.acquire()
        outcome = Outcome.NEITHER
        try:
            self.budget.check()
            probe = await self._breaker.enter()
            alive: bool | None = None
            try:
                reply = await self._timed(request)
                alive, outcome = True, Outcome.SERVED
            except ModelFault as fault:
                alive = fault.cause not in _AWAY
                outcome = Outcome.REFUSED if fault.cause in OVERLOAD else Outcome.NEITHER
                raise
            finally:
                self._breaker.leave(probe, alive)
        finally:
            self._limit.release(window, outcome)
        return reply

    async def _timed(self, request: ChatRequest) -> ChatReply:
        started_s = self.clock.now()
        reply = await self.model.complete(request)
        self._count(reply, self.clock.now() - started_s)
        return reply

    def _count(self, reply: ChatReply, seconds: float) -> None:
        metrics = self.metrics
        cost_usd = self.settings.cost_usd(reply.prompt_tokens, reply.completion_tokens)
        metrics.replies += 1
        metrics.prompt_tokens += reply.prompt_tokens
        metrics.completion_tokens += reply.completion_tokens
        metrics.cost_usd += cost_usd
        metrics.latency.add(seconds)
        self.budget.spend(reply.prompt_tokens + reply.completion_tokens, cost_usd)


def open_endpoint(settings: EndpointSettings, api_key: SecretStr | None = None, *, budget: Budget | None = None) -> Endpoint:
    """An endpoint over the adapter for its URL. Raises as `open_model`."""
    return Endpoint(open_model(settings, api_key), settings, budget=budget)
