"""OpenTelemetry traces of a run: a span for each stage or shard, and within it one for each conversation.

The only module that knows the vendor's package. A run is one trace wherever its stages run: the trace's id follows from the run's, so that pods
need not tell each other.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

FLUSH_WITHIN_S = 3
"""A collector that is away holds no stage for longer, and loses the spans, not the run."""


class Trace(Protocol):
    """What a stage tells of itself while it is at work."""

    def event(self, event: Any) -> None:
        """A `writ.simulation.engine.Event`: a conversation that ended."""
        ...

    def note(self, **attributes: str | int | float | bool) -> None:
        """Facts about the stage, such as how many records it made."""
        ...


class Untraced:
    """Where no collector is set."""

    def event(self, event: Any) -> None: ...

    def note(self, **attributes: str | int | float | bool) -> None: ...


@contextmanager
def traced(url: str, run_id: str, stage: str, *, shard: int = 0, shards: int = 1) -> Iterator[Trace]:
    """The span of a stage at work, sent to the OTLP/HTTP collector at `url` when the block ends; nothing where `url` is empty.

    Headers (a token), certificates and further resource attributes come from the variables `OTEL_…` of the specification.
    """
    if not url:
        yield Untraced()
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # half a second of CPU
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "writ", "writ.run_id": run_id}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=url, timeout=FLUSH_WITHIN_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=FLUSH_WITHIN_S * 1000))
    tracer = provider.get_tracer("writ")
    attributes: dict[str, str | int] = {"writ.stage": stage, "writ.shard": shard, "writ.shards": shards}
    try:
        with tracer.start_as_current_span(f"stage {stage}", _whole(run_id), attributes=attributes) as span:
            yield _Traced(tracer, span)
    finally:
        provider.shutdown()


def _whole(run_id: str) -> Any:
    """The context of a run: its trace, and the span that all stages hang under, which nobody sends."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    digest = hashlib.sha256(run_id.encode()).digest()
    ids = int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")
    return set_span_in_context(NonRecordingSpan(SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))))


class _Traced:
    def __init__(self, tracer: "Tracer", span: "Span") -> None:
        self._tracer, self._span = tracer, span

    def note(self, **attributes: str | int | float | bool) -> None:
        self._span.set_attributes({f"writ.{name}": value for name, value in attributes.items()})

    def event(self, event: Any) -> None:
        if event.kind == "resumed":
            return
        from opentelemetry.trace import set_span_in_context

        ended, used = time.time_ns(), (event.trajectory.agent_usage, event.trajectory.user_usage)
        kept = event.verdict is not None and event.verdict.kept
        facts = {
            "writ.conversation": event.trajectory.id,
            "writ.task": event.task.id,
            "writ.domain": event.task.domain,
            "writ.kind": event.task.kind,
            "writ.kept": kept,
            "writ.cause": "" if kept or event.verdict is None else str(event.verdict.cause),
            "writ.messages": len(event.trajectory.messages),
            "writ.prompt_tokens": sum(each.prompt_tokens for each in used),
            "writ.completion_tokens": sum(each.completion_tokens for each in used),
        }
        span = self._tracer.start_span("conversation", set_span_in_context(self._span), attributes=facts, start_time=ended - int(event.seconds * 1e9))
        span.end(ended)
