"""An OTLP/HTTP receiver for one pod: says each span that arrives in a line of JSON. Runs in an image of writ, which holds the protocol's messages."""

from __future__ import annotations

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = ExportTraceServiceRequest.FromString(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    print(json.dumps({"trace": span.trace_id.hex(), "name": span.name, "failed": span.status.code == 2}), flush=True)
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing but spans."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", 4318), Receiver).serve_forever()
