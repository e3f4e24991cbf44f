"""The store port: where artifacts live. A folder on a laptop (`file.py`), S3 on a cluster (`s3.py`).

Keys are relative, `/`-separated and made of safe segments; an object is there whole or not at all.
All stores raise Missing for an absent object, ConfigError for what a person must fix (rights, bucket, credentials)
and Unavailable for what passes by itself (no space, an outage).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from writ.errors import ArtifactError, ConfigError

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=@+-]{0,199}")


class Missing(ArtifactError):
    """Nothing stands at a key."""


class S3Settings(BaseModel):
    """How to reach an S3 server. Credentials are found by boto3's own chain: environment, files, workload identity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint_url: str | None = None
    """Of a server that is not AWS, such as `http://seaweedfs:8333`."""
    region: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    """`path` where the bucket is not part of the host name; most servers other than AWS want it."""
    connect_timeout_s: PositiveFloat = 5.0
    read_timeout_s: PositiveFloat = 30.0
    retry_within_s: PositiveFloat = 90.0
    """An operation is tried again, with growing pauses, until this long after its start; then it is Unavailable."""
    max_connections: PositiveInt = 16


class Store(Protocol):
    """Objects by key. Every method may raise ConfigError or Unavailable; their texts name the object. Safe to share between threads."""

    url: str
    """Absolute: `open_store(url)` in another process opens the same store."""

    def get(self, key: str) -> bytes:
        """Raises: Missing if nothing stands at the key."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Replace what stands at the key, atomically; durable when it returns."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Put unless something stands at the key. True if `data` came to stand there by this call."""
        ...

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that begin with `prefix` (a folder with its `/`, or empty for all), in the order of their text."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing there is fine."""
        ...

    def probe(self) -> None:
        """Preflight: prove that objects can be written and read, and learn whether conditional puts are honoured.

        Where they are not, `put_if_absent` writes, reads back, and what stands wins.
        Raises: ConfigError or Unavailable, naming the store and the fix.
        """
        ...

    def hurry(self, within_s: float) -> None:
        """This process is to end: what a store tries again, it gives up once so many seconds are over."""
        ...


def check_key(key: str) -> str:
    """The key itself, if all its segments are safe: no `..`, nothing absolute, no hidden, empty or odd names."""
    if all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        return key
    raise ConfigError(f"store key {key!r} is not safe; use letters, digits and ._=@+- in segments that begin with a letter, a digit or _")


def check_prefix(prefix: str) -> str:
    """The prefix itself: empty, or a safe key with or without a `/` behind it."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def open_store(url: str, *, s3: S3Settings | None = None) -> Store:
    """The store at `runs`, `/abs/runs`, `file:///abs/runs` or `s3://bucket/prefix`. Touches nothing yet: `probe` does.

    Raises: ConfigError for any other form.
    """
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme == "s3":
        from writ.storage.s3 import S3Store

        bucket, prefix = _bucket_and_prefix(url)
        return S3Store(bucket, prefix, s3 or S3Settings())
    from writ.storage.file import LocalStore

    return LocalStore(_folder(url, scheme))


def _bucket_and_prefix(url: str) -> tuple[str, str]:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", bucket):
        raise ConfigError(f"store {url!r} names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX")
    prefix = prefix.strip("/")
    return bucket, check_prefix(prefix)


def _folder(url: str, scheme: str) -> Path:
    if not url or "\0" in url or scheme not in ("", "file"):
        raise ConfigError(f"store {url!r} is neither a folder nor S3; write a path, file:///PATH or s3://BUCKET/PREFIX")
    if not scheme:
        return Path(url).expanduser().absolute()
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ConfigError(f"store {url!r} is not an absolute file URL; write file:///PATH")
    return Path(unquote(parts.path))
