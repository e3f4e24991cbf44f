"""A model's files arrive whole, once, and as their source vouches for them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from writ.errors import ArtifactError, ConfigError, Unavailable
from writ.runners.weights import COMPLETE, Folder, Hub, fetch
from writ.storage import open_store

FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 999, "README.md": b"words"}
LARGE = "model.safetensors"


def say(_: str) -> None: ...


class Served(BaseHTTPRequestHandler):
    """Answers as the hub does for one model at one commit."""

    given: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/api/models/org/tiny/revision/main?blobs=true":
            siblings = [
                {"rfilename": name, "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
                | ({"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}} if name == LARGE else {})
                for name, data in FILES.items()
            ]
            self._send(200, json.dumps({"sha": "c0ffee", "siblings": siblings}).encode())
        elif (name := self.path.removeprefix("/org/tiny/resolve/c0ffee/")) in self.given:
            self._send(200, self.given[name])
        else:
            self._send(404, b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[tuple[type[Served], str]]:
    handler = type("Handler", (Served,), {"given": dict(FILES), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_model_of_the_hub_arrives_checked_and_is_not_asked_for_again(served: tuple[type[Served], str], tmp_path: Path) -> None:
    handler, url = served
    fetch(Hub("org/tiny", url, None), "main", tmp_path / "m", say)
    assert {p.name: p.read_bytes() for p in (tmp_path / "m").iterdir() if p.name != COMPLETE} == {n: FILES[n] for n in ("config.json", LARGE)}
    assert json.loads((tmp_path / "m" / COMPLETE).read_text())["resolved"] == "c0ffee"
    handler.asked.clear()
    fetch(Hub("org/tiny", url, None), "main", tmp_path / "m", say)
    assert handler.asked == []


@pytest.mark.parametrize("name", ["config.json", LARGE])
def test_file_that_is_not_what_its_checksum_says_is_refused_and_leaves_no_mark(served: tuple[type[Served], str], tmp_path: Path, name: str) -> None:
    handler, url = served
    handler.given[name] = b"x" + FILES[name][1:]
    with pytest.raises(ArtifactError, match=name):
        fetch(Hub("org/tiny", url, None), "main", tmp_path, say)
    assert not (tmp_path / COMPLETE).exists()
    assert not (tmp_path / name).exists()


def test_fetch_that_was_killed_reads_only_what_is_missing(served: tuple[type[Served], str], tmp_path: Path) -> None:
    handler, url = served
    fetch(Hub("org/tiny", url, None), "main", tmp_path, say)
    (tmp_path / COMPLETE).unlink()
    (tmp_path / "config.json").write_bytes(b"torn")
    handler.asked.clear()
    fetch(Hub("org/tiny", url, None), "main", tmp_path, say)
    assert [path for path in handler.asked if "resolve" in path] == ["/org/tiny/resolve/c0ffee/config.json"]


def test_volume_that_lost_a_file_is_filled_again(served: tuple[type[Served], str], tmp_path: Path) -> None:
    fetch(Hub("org/tiny", served[1], None), "main", tmp_path, say)
    (tmp_path / LARGE).unlink()
    fetch(Hub("org/tiny", served[1], None), "main", tmp_path, say)
    assert (tmp_path / LARGE).read_bytes() == FILES[LARGE]


def test_unknown_model_is_a_matter_of_settings_and_a_hub_that_is_away_is_not(served: tuple[type[Served], str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hf://org/none"):
        fetch(Hub("org/none", served[1], None), "main", tmp_path, say)
    with pytest.raises(Unavailable):
        fetch(Hub("org/tiny", "http://127.0.0.1:9", None), "main", tmp_path, say)


@pytest.fixture
def shelf(tmp_path: Path) -> Folder:
    store = open_store(str(tmp_path / "shelf"))
    for name, data in FILES.items():
        store.put(name, data)
    store.put("SHA256SUMS", "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()).encode())
    return Folder(store)


def test_folder_of_a_store_arrives_at_its_revision_and_no_other(shelf: Folder, tmp_path: Path) -> None:
    revision, _ = shelf.look("")
    fetch(shelf, revision[:12], tmp_path / "m", say)
    assert (tmp_path / "m" / LARGE).read_bytes() == FILES[LARGE]
    with pytest.raises(ConfigError, match=revision[:16]):
        fetch(shelf, "0000", tmp_path / "other", say)
