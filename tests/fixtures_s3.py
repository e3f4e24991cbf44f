"""Real S3 servers for tests, and a proxy that makes them fail.

`versitygw` is S3 over a folder, honours conditional puts and checks signatures. `make tools` builds it from its Go module, once, into
the cache of the end-to-end tests, whose cluster runs the same binary; tests that want it skip where it is absent.
`moto` needs nothing.
"""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import boto3
import pytest

from writ.storage import S3Settings

CACHE = Path(os.environ.get("WRIT_CLUSTER_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "writ/cluster")
BINARY = CACHE / "bin/versitygw"
ACCESS_KEY, SECRET_KEY = "writ-tests", "writ-tests-secret"


@dataclass
class S3Server:
    """A server on loopback that can go away and come back on the same port."""

    kind: Literal["versitygw", "moto"]
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    buckets: int = field(default=0)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> S3Settings:
        return S3Settings(endpoint_url=self.endpoint_url, region="us-east-1", addressing_style="path", retry_within_s=20)

    def start(self) -> None:
        if self.kind == "versitygw":
            command = [str(BINARY), "--quiet", "--port", f"127.0.0.1:{self.port}", "posix", str(self.folder)]
        else:
            command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]
        env = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY, "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def new_bucket(self) -> str:
        self.buckets += 1
        name = f"bucket-{self.buckets}"
        boto3.client("s3", endpoint_url=self.endpoint_url, region_name="us-east-1").create_bucket(Bucket=name)
        return name


@dataclass
class Proxy:
    """Stands before a server and answers some requests itself. `fault` sees the request's method and path and its number from 0."""

    target_port: int
    fault: Callable[[str, str, int], Literal["pass", "503", "page", "reset", "lost", "cut"]] = lambda method, path, number: "pass"
    """`lost`: the server did the work, the answer never came. `cut`: the body lacks its last byte. `page`: 200 and words."""
    conditions: Literal["pass", "ignored", "refused"] = "pass"
    """What becomes of `If-None-Match` on its way to the server."""
    requests: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None
    scheme: str = "http"

    @property
    def settings(self) -> S3Settings:
        assert self.server
        url = f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"
        return S3Settings(endpoint_url=url, region="us-east-1", addressing_style="path", retry_within_s=20)

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls:
            self.server.socket, self.scheme = tls.wrap_socket(self.server.socket, server_side=True), "https"
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        assert self.server
        self.server.shutdown()
        self.server.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def _serve(self) -> None:
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                fault = proxy.fault(self.command, self.path, len(proxy.requests))
                proxy.requests.append(f"{self.command} {self.path}")
            if fault == "503":
                self._answer(503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>")
            elif fault == "page":
                self._answer(200, {}, b"Please sign in to this network.")
            elif fault == "reset":
                self._cut()
            elif proxy.conditions == "refused" and "If-None-Match" in self.headers:
                self._answer(501, {}, b"<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>")
            else:
                self._forward(body, fault)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

        def _forward(self, body: bytes, fault: str) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", proxy.target_port, timeout=30)
            dropped = ("connection", "expect") + ("if-none-match",) * (proxy.conditions == "ignored")
            headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            data = answer.read()
            upstream.close()
            if fault == "lost":
                self._cut()
            else:
                self._answer(answer.status, dict(answer.getheaders()), data, cut=fault == "cut")

        def _answer(self, status: int, headers: dict[str, str], data: bytes, *, cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(data[:-1] if cut else data)
            if cut:
                self._cut()

        def _cut(self) -> None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise RuntimeError(f"nothing listens on {port}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _serve(kind: Literal["versitygw", "moto"], folder: Path) -> Iterator[S3Server]:
    server = S3Server(kind, folder, _free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_credentials() -> Iterator[None]:
    """What boto3's chain finds in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def s3_server(s3_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server: versitygw."""
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is absent; 'python {Path(__file__).name}' beside this file builds it where Go is")
    yield from _serve("versitygw", tmp_path_factory.mktemp("versitygw"))


@pytest.fixture(scope="session")
def moto_server(s3_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An emulated S3 server, there on every machine."""
    yield from _serve("moto", tmp_path_factory.mktemp("moto"))


@pytest.fixture
def s3_proxy(s3_server: S3Server) -> Iterator[Proxy]:
    """Before the real server; set `fault` to make it fail."""
    proxy = Proxy(s3_server.port)
    proxy.start()
    yield proxy
    proxy.stop()
