"""A tenant's credentials reach its own prefix of the bucket and no other, by the policy that k8s/overlays/tenant-example carries."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from fixtures_s3 import ACCESS_KEY, BINARY, SECRET_KEY, wait_for_port
from writ.errors import ConfigError
from writ.storage import S3Settings, Store, open_store

pytestmark = pytest.mark.long
POLICY = Path(__file__).resolve().parents[2] / "k8s/overlays/tenant-example/bucket-policy.json"
TENANTS = ("tenant-example", "tenant-other")


@pytest.fixture(scope="module")
def endpoint(s3_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A versitygw with an account for each tenant, and their policies on bucket `writ`."""
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is absent; `make tools` builds it where Go is")
    folder = tmp_path_factory.mktemp("tenants")
    for name in ("data/writ", "iam"):
        (folder / name).mkdir(parents=True)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(BINARY), "--quiet", "--port", f"127.0.0.1:{port}", "--iam-dir", str(folder / "iam"), "posix", str(folder / "data")]
    env = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY, "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        wait_for_port(port, server)
        statements = []
        for tenant in TENANTS:
            login = ("--access", ACCESS_KEY, "--secret", SECRET_KEY, "--endpoint-url", url)
            account = ("create-user", "--access", tenant, "--secret", f"secret-of-{tenant}", "--role", "user")
            subprocess.run([str(BINARY), "admin", *login, *account], check=True, capture_output=True)
            statements += json.loads(POLICY.read_text().replace("tenant-example", tenant))["Statement"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        boto3.client("s3", endpoint_url=url, region_name="us-east-1").put_bucket_policy(Bucket="writ", Policy=policy)
        yield url
        server.kill()


Opened = Callable[[str, str], Store]


@pytest.fixture
def opened(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """`opened(who, prefix)`: the store at a prefix, with somebody's credentials."""

    def store(who: str, prefix: str) -> Store:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", who)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"secret-of-{who}")
        settings = S3Settings(endpoint_url=endpoint, region="us-east-1", addressing_style="path", retry_within_s=10)
        made = open_store(f"s3://writ/{prefix}", s3=settings)
        assert not made.exists("nothing") if who == prefix else True
        return made

    return store


@pytest.mark.parametrize("tenant", TENANTS)
def test_tenant_does_all_that_a_store_does_beneath_its_own_prefix(opened: Opened, tenant: str) -> None:
    store = opened(tenant, tenant)
    store.probe()
    store.put("stage/a", b"1")
    assert store.put_if_absent("stage/b", b"2")
    assert not store.put_if_absent("stage/b", b"3")
    assert [store.get(key) for key in store.list("stage/")] == [b"1", b"2"]
    store.delete("stage/a")
    assert list(store.list("")) == ["stage/b"]


TRIED: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get("stage/b"),
    "put": lambda store: store.put("stage/b", b"theirs"),
    "put_if_absent": lambda store: store.put_if_absent("stage/c", b"theirs"),
    "list": lambda store: list(store.list("")),
    "delete": lambda store: store.delete("stage/b"),
    "probe": lambda store: store.probe(),
}


@pytest.mark.parametrize("what", TRIED)
def test_tenant_is_refused_at_the_prefix_of_another(opened: Opened, what: str) -> None:
    mine, theirs = TENANTS
    opened(theirs, theirs).put("stage/b", b"2")
    with pytest.raises(ConfigError):
        TRIED[what](opened(mine, theirs))
    assert opened(theirs, theirs).get("stage/b") == b"2"
