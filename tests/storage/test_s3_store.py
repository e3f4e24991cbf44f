"""What can go wrong with S3, on a real server (versitygw) behind a proxy that makes it fail."""

import random
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fixtures_s3 import Proxy, S3Server
from writ.errors import ConfigError, Unavailable
from writ.storage import S3Settings, Store, open_store


def behind(proxy: Proxy, bucket: str, **changes: object) -> Store:
    return open_store(f"s3://{bucket}/runs", s3=proxy.settings.model_copy(update=changes))


def test_s3_store_with_ten_percent_503_and_resets_does_all_its_work(s3_server: S3Server, s3_proxy: Proxy) -> None:
    dice = random.Random(3)
    s3_proxy.fault = lambda *_: "pass" if dice.random() > 0.1 else dice.choice(("503", "reset", "cut"))
    store = behind(s3_proxy, s3_server.new_bucket())
    keys = [f"a/{number:03d}" for number in range(40)]
    for key in keys:
        assert store.put_if_absent(key, key.encode())
    assert [store.get(key) for key in store.list("a/")] == [key.encode() for key in keys]
    assert not store.put_if_absent(keys[0], b"other")
    assert len(s3_proxy.requests) > 87, "no fault was met: the test shows nothing"


@pytest.mark.parametrize("fault", ["503", "reset", "lost"])
def test_s3_store_whose_first_answers_fail_still_wins_its_own_put_if_absent(s3_server: S3Server, s3_proxy: Proxy, fault: str) -> None:
    store = behind(s3_proxy, s3_server.new_bucket())
    store.probe()
    known = len(s3_proxy.requests)
    s3_proxy.fault = lambda method, path, number: fault if number < known + 3 else "pass"
    assert store.put_if_absent("manifest.json", b"mine")
    assert len(s3_proxy.requests) > known + 3
    assert not store.put_if_absent("manifest.json", b"mine")


def test_s3_store_whose_answers_are_lost_yields_to_what_another_put_before(s3_server: S3Server, s3_proxy: Proxy) -> None:
    store = behind(s3_proxy, s3_server.new_bucket())
    store.probe()
    store.put("manifest.json", b"theirs")
    known = len(s3_proxy.requests)
    s3_proxy.fault = lambda method, path, number: "lost" if number < known + 3 else "pass"
    assert not store.put_if_absent("manifest.json", b"mine")
    assert store.get("manifest.json") == b"theirs"


def test_s3_store_through_an_outage_of_two_seconds_goes_on(s3_server: S3Server) -> None:
    store = open_store(f"s3://{s3_server.new_bucket()}", s3=s3_server.settings)
    store.put("a", b"1")
    s3_server.stop()
    back = threading.Timer(2.0, s3_server.start)
    back.start()
    try:
        assert store.get("a") == b"1"
    finally:
        back.join()


@pytest.mark.slow
def test_s3_store_through_an_outage_of_thirty_seconds_goes_on_with_default_settings(s3_server: S3Server) -> None:
    settings = S3Settings(**s3_server.settings.model_dump(exclude={"retry_within_s"}))
    store = open_store(f"s3://{s3_server.new_bucket()}", s3=settings)
    s3_server.stop()
    back = threading.Timer(30.0, s3_server.start)
    back.start()
    try:
        assert store.put_if_absent("a", b"1")
    finally:
        back.join()


def test_s3_store_that_is_away_for_longer_is_unavailable_in_time_and_says_so_before(
    s3_server: S3Server, s3_proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    store = behind(s3_proxy, s3_server.new_bucket(), retry_within_s=1.5)
    s3_proxy.stop()
    start_s = time.monotonic()
    with pytest.raises(Unavailable, match=r"store cannot write s3://.*/runs/a: no answer within 1.5 s \(.*\); run the same command again"):
        store.put("a", b"1")
    assert 1.4 < time.monotonic() - start_s < 10.0
    assert any("trying again for 1 s" in message for message in caplog.messages)
    s3_proxy.start()


def test_s3_store_in_a_hurry_gives_up_at_once_also_in_a_pause_that_has_begun(s3_server: S3Server, s3_proxy: Proxy) -> None:
    store = behind(s3_proxy, s3_server.new_bucket(), retry_within_s=60)
    s3_proxy.stop()
    threading.Timer(1.0, store.hurry, (0.3,)).start()
    began_s = time.monotonic()
    with pytest.raises(Unavailable, match="no answer within"):
        store.put("runs/a", b"a")
    assert 1.0 < time.monotonic() - began_s < 10
    s3_proxy.start()


def test_s3_store_whose_server_hangs_is_unavailable_in_time(s3_credentials: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        settings = S3Settings(endpoint_url=url, region="us-east-1", addressing_style="path", read_timeout_s=0.3, retry_within_s=1.0)
        start_s = time.monotonic()
        with pytest.raises(Unavailable, match="no answer within 1 s"):
            open_store("s3://bucket", s3=settings).get("a")
        assert time.monotonic() - start_s < 10.0


def test_s3_store_at_an_unknown_host_is_unavailable_and_names_the_setting(s3_credentials: None) -> None:
    settings = S3Settings(endpoint_url="http://s3.invalid:9000", region="us-east-1", retry_within_s=0.2)
    with pytest.raises(Unavailable, match=r"or check s3\.endpoint_url"):
        open_store("s3://bucket", s3=settings).probe()


def test_s3_store_that_answers_with_a_page_instead_of_xml_is_unavailable(s3_server: S3Server, s3_proxy: Proxy) -> None:
    store = behind(s3_proxy, s3_server.new_bucket(), retry_within_s=0.2)
    s3_proxy.fault = lambda *_: "page"
    with pytest.raises(Unavailable, match="no answer within"):
        list(store.list(""))
    with pytest.raises(Unavailable, match="no answer within"):
        store.put("a", b"")


def test_s3_store_list_of_more_than_a_page_gives_every_key_once(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    (s3_server.folder / bucket / "runs/a").mkdir(parents=True)
    for number in range(1234):
        (s3_server.folder / bucket / f"runs/a/{number:04d}").touch()
    store = open_store(f"s3://{bucket}/runs", s3=s3_server.settings)
    assert list(store.list("a/")) == [f"a/{number:04d}" for number in range(1234)]


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_s3_store_on_a_server_without_conditional_puts_learns_it_and_keeps_what_stands(moto_server: S3Server, conditions: str) -> None:
    proxy = Proxy(moto_server.port, conditions=conditions)
    proxy.start()
    store = behind(proxy, moto_server.new_bucket())
    assert store.put_if_absent("a", b"first")
    assert not store.put_if_absent("a", b"second")
    assert store.get("a") == b"first"
    assert list(store.list("")) == ["a"]
    proxy.stop()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_s3_store_with_wrong_credentials_is_a_configuration_error_without_the_secret(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    bucket = s3_server.new_bucket()
    monkeypatch.setenv(name, "wrong-and-secret")
    with pytest.raises(ConfigError, match=rf"s3://{bucket}/.*: 40[34] .*; check .*the credentials") as caught:
        open_store(f"s3://{bucket}", s3=s3_server.settings).probe()
    assert "secret" not in str(caught.value)


def test_s3_store_without_credentials_is_a_configuration_error(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(ConfigError, match="Unable to locate credentials; set AWS_ACCESS_KEY_ID"):
        open_store("s3://bucket", s3=s3_server.settings).probe()


def test_s3_store_in_an_absent_bucket_is_a_configuration_error_at_probe(s3_server: S3Server) -> None:
    with pytest.raises(ConfigError, match=r"store cannot write s3://no-such-bucket/.*: 404 NoSuchBucket .*; create the bucket"):
        open_store("s3://no-such-bucket", s3=s3_server.settings).probe()


class NotFound(BaseHTTPRequestHandler):
    """A web server that knows no such page."""

    def do_PUT(self) -> None:
        self.send_error(404)


class Welcome(BaseHTTPRequestHandler):
    """A web server that greets whoever comes."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><body>Welcome</body></html>")

    do_GET = do_PUT


@pytest.mark.parametrize(
    ("handler", "complaint"),
    [
        (NotFound, r"store cannot write s3://bucket/probe/.*: 404 .*; check the store's URL"),
        (Welcome, "store s3://bucket does not give back what was put; check that s3.endpoint_url is an S3 server"),
    ],
)
def test_s3_store_whose_server_does_not_speak_s3_is_a_configuration_error_at_probe(
    s3_credentials: None, handler: type[BaseHTTPRequestHandler], complaint: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        settings = S3Settings(endpoint_url=f"http://127.0.0.1:{other.server_address[1]}", region="us-east-1", retry_within_s=0.2)
        with pytest.raises(ConfigError, match=complaint):
            open_store("s3://bucket", s3=settings).probe()
        other.shutdown()


def test_s3_store_that_knows_its_server_puts_a_new_object_with_one_request(s3_server: S3Server, s3_proxy: Proxy) -> None:
    store = behind(s3_proxy, s3_server.new_bucket())
    store.probe()
    s3_proxy.requests.clear()
    assert store.put_if_absent("a", b"first")
    assert not store.put_if_absent("a", b"second")
    assert [request.partition(" ")[0] for request in s3_proxy.requests] == ["PUT", "PUT"]


def test_s3_store_with_a_malformed_endpoint_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"nowhere at all.*; check s3.endpoint_url"):
        open_store("s3://bucket", s3=S3Settings(endpoint_url="nowhere at all"))


def test_s3_store_whose_certificate_is_not_trusted_is_a_configuration_error_at_once(s3_server: S3Server, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    proxy = Proxy(s3_server.port)
    proxy.start(context)
    with pytest.raises(ConfigError, match=r"CERTIFICATE_VERIFY_FAILED.*; check"):
        behind(proxy, s3_server.new_bucket()).probe()
    proxy.stop()


def self_signed(folder: Path) -> Path:
    """A file with a key and a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path
