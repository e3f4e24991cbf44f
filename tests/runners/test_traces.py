"""A run is one OpenTelemetry trace, read as a collector reads it; a collector that is away costs the spans and not the run."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from writ.cli import app
from writ.errors import Unavailable
from writ.runners.traces import traced

LIBRARY = ["domains.names=[library]", "domains.code={library: examples/library}", "domains.users=24", "dataset.count=4", "tasks.workers=1"]


@pytest.fixture
def collector():
    """Its URL, and the spans that were sent to it so far as (resource, span)."""
    found = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent = ExportTraceServiceRequest.FromString(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            for part in sent.resource_spans:
                resource = {each.key: each.value.string_value for each in part.resource.attributes}
                found.extend((resource, span) for scope in part.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", found
    server.shutdown()
    server.server_close()


def run(out, url):
    settings = [part for each in (*LIBRARY, f"traces_url={url}") for part in ("--set", each)]
    return CliRunner().invoke(app, ["run", "--plain", "--out", str(out), *settings])


def value(span, key):
    [found] = [each.value for each in span.attributes if each.key == key]
    return getattr(found, found.WhichOneof("value"))


def test_a_run_is_one_trace_with_a_span_for_each_stage_and_each_conversation_under_its_stage(collector, tmp_path):
    url, found = collector
    made = run(tmp_path, url)
    assert made.exit_code == 0, made.output
    stages = {span.name: span for _, span in found if span.name.startswith("stage ")}
    assert set(stages) == {f"stage {name}" for name in ("domain", "tasks", "instructions", "simulate", "verify", "dataset", "report")}
    assert len({span.trace_id for _, span in found}) == 1
    [run_id] = {resource["writ.run_id"] for resource, _ in found}
    assert run_id in made.output
    talks = [span for _, span in found if span.name == "conversation"]
    assert len(talks) >= 4
    assert {span.parent_span_id for span in talks} == {stages["stage simulate"].span_id}
    assert all(value(span, "writ.kept") and value(span, "writ.completion_tokens") > 0 for span in talks)
    assert all(stages["stage simulate"].start_time_unix_nano <= span.start_time_unix_nano < span.end_time_unix_nano for span in talks)
    assert value(stages["stage simulate"], "writ.records") == len(talks)


def test_a_stage_that_fails_is_a_span_with_its_error(collector):
    url, found = collector
    with pytest.raises(Unavailable), traced(url, "run", "simulate", shard=2, shards=8):
        raise Unavailable("the store is away; try again")
    [(_, span)] = found
    assert span.status.code == 2
    assert "the store is away" in span.status.message
    assert (value(span, "writ.shard"), value(span, "writ.shards")) == (2, 8)


def test_a_collector_that_is_away_costs_the_spans_and_not_the_stage(caplog):
    ended = []
    with traced("http://127.0.0.1:9/v1/traces", "run", "tasks") as trace:
        trace.note(records=3)
        ended.append("the stage")
    assert ended == ["the stage"]
    assert "127.0.0.1" in caplog.text
    assert "Failed to export spans" in caplog.text


def test_a_url_that_is_none_is_refused_by_its_key(tmp_path):
    refused = run(tmp_path, "collector:4318")
    assert refused.exit_code != 0
    assert "traces_url" in str(refused.exception)
