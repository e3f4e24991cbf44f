"""What Prometheus reads: a stage that talks, and the server of an embedded model. The only module that knows the vendor's package.

Names and labels here are what helm/writ/files/{dashboards,alerts} may ask for; a test holds them together.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from writ.errors import ConfigError
from writ.llm.pool import Endpoint

if TYPE_CHECKING:
    from writ.llm.server import Answer, Reply

disable_created_metrics()  # type: ignore[no-untyped-call]
_CONVERSATION_BUCKETS_S = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600)
_REQUEST_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120)


class StageMetrics:
    """One start of a stage that talks: its conversations, and its endpoints as they are when they are asked."""

    def __init__(self, stage: str, sides: Mapping[str, Endpoint]) -> None:
        """`sides`: `agent` and `user` with their endpoints."""
        self.registry = CollectorRegistry()
        self._stage = stage
        self._ended = Counter("writ_conversations", "Conversations that ended, by cause of loss, or kept", ["stage", "cause"], registry=self.registry)
        self._seconds = Histogram(
            "writ_conversation_seconds",
            "From a conversation's first request to its end",
            ["stage"],
            buckets=_CONVERSATION_BUCKETS_S,
            registry=self.registry,
        )
        self._resumed = Counter("writ_conversations_resumed", "Conversations found in the journal", ["stage"], registry=self.registry)
        self._again = Counter("writ_conversations_begun_again", "Conversations lost to infrastructure", ["stage"], registry=self.registry)
        self.registry.register(_Endpoints(sides))

    def event(self, event: Any) -> None:
        """Counts a `writ.simulation.engine.Event`."""
        if event.kind == "lost":
            self._again.labels(self._stage).inc()
        elif event.kind == "resumed":
            self._resumed.labels(self._stage).inc()
        else:
            cause = "kept" if event.verdict is None or event.verdict.kept else str(event.verdict.cause)
            self._ended.labels(self._stage, cause).inc()
            self._seconds.labels(self._stage).observe(event.seconds)

    @contextmanager
    def exported(self, port: int) -> Iterator[None]:
        """Serves `/metrics` on all addresses while the block is open. Raises: ConfigError where the port is taken."""
        try:
            server, thread = start_http_server(port, registry=self.registry)
        except OSError as e:
            raise ConfigError(f"metrics_port {port} cannot be listened on ({e.strerror}); set another, or none") from e
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Endpoints(Collector):
    """Counters that endpoints keep for themselves, read when Prometheus asks."""

    def __init__(self, sides: Mapping[str, Endpoint]) -> None:
        self._sides = sides

    def collect(self) -> Iterable[Metric]:
        labels = ["side", "model"]
        requests = CounterMetricFamily("writ_model_requests", "Requests asked of an endpoint", labels=labels)
        replies = CounterMetricFamily("writ_model_replies", "Requests that were answered", labels=labels)
        retries = CounterMetricFamily("writ_model_retries", "Attempts that failed and were followed by another", labels=[*labels, "cause"])
        given_up = CounterMetricFamily("writ_model_given_up", "Requests without an answer after all retries", labels=[*labels, "cause"])
        tokens = CounterMetricFamily("writ_model_tokens", "Tokens, as the server counts them", labels=[*labels, "kind"])
        cost = CounterMetricFamily("writ_model_cost_usd", "Dollars, by the prices in the settings", labels=labels)
        in_flight = GaugeMetricFamily("writ_model_in_flight", "Requests in flight", labels=labels)
        limit = GaugeMetricFamily("writ_model_concurrency_limit", "Requests that the adaptive limit admits at once", labels=labels)
        latency = HistogramMetricFamily("writ_model_request_seconds", "Of attempts that were answered, from sending to the last byte", labels=labels)
        for side, endpoint in self._sides.items():
            at, now = [side, endpoint.settings.model], endpoint.metrics
            requests.add_metric(at, now.requests)
            replies.add_metric(at, now.replies)
            for cause, count in now.retries.items():
                retries.add_metric([*at, str(cause)], count)
            for cause, count in now.given_up.items():
                given_up.add_metric([*at, str(cause)], count)
            tokens.add_metric([*at, "prompt"], now.prompt_tokens)
            tokens.add_metric([*at, "completion"], now.completion_tokens)
            cost.add_metric(at, now.cost_usd)
            in_flight.add_metric(at, endpoint.in_flight)
            limit.add_metric(at, endpoint.concurrency_limit)
            latency.add_metric(at, [(str(bound) if bound < inf else "+Inf", count) for bound, count in now.latency.cumulative()], now.latency.total_s)
        yield from (requests, replies, retries, given_up, tokens, cost, in_flight, limit, latency)


class ServerMetrics:
    """Wraps the answer function of an embedded model's server, which shows them under `/metrics`."""

    def __init__(self, answer: "Answer") -> None:
        self._answer = answer
        self._registry = CollectorRegistry()
        labels = ["model"]
        self._requests = Counter("writ_server_requests", "Requests, by HTTP status", [*labels, "status"], registry=self._registry)
        self._tokens = Counter("writ_server_tokens", "Tokens of whole answers", [*labels, "kind"], registry=self._registry)
        self._in_flight = Gauge("writ_server_in_flight", "Requests in flight", labels, registry=self._registry)
        self._seconds = Histogram("writ_server_request_seconds", "Per request", labels, buckets=_REQUEST_BUCKETS_S, registry=self._registry)

    async def __call__(self, body: dict[str, Any]) -> "Reply":
        model, began = str(body["model"]), time.perf_counter()
        self._in_flight.labels(model).inc()
        try:
            reply = await self._answer(body)
        except asyncio.CancelledError:
            self._requests.labels(model, "client_left").inc()
            raise
        finally:
            self._in_flight.labels(model).dec()
        self._seconds.labels(model).observe(time.perf_counter() - began)
        self._requests.labels(model, str(reply.status)).inc()
        if reply.status == 200:
            usage = orjson.loads(reply.body).get("usage") or {}
            for kind in ("prompt", "completion"):
                self._tokens.labels(model, kind).inc(usage.get(f"{kind}_tokens", 0))
        return reply

    def text(self) -> bytes:
        """In Prometheus' text form."""
        return generate_latest(self._registry)
