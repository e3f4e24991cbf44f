"""A store in an S3 bucket. The only module that knows boto3; credentials come from its own chain.

Every request runs under one rule: what passes by itself (no connection, 5xx, SlowDown) is tried again until
`retry_within_s` is over. boto3's own retries are off, so that this is the whole truth about time.
"""

import logging
import math
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from writ.errors import ConfigError, Unavailable, WritError
from writ.storage import Missing, S3Settings, check_key, check_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_QUIET_PAUSE_S = 0.5
"""A failure that shorter pauses mend is not worth a line to a person."""
_TRANSIENT_CODES = {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests", "OperationAborted"}
_TRANSIENT_CODES |= {"ConditionalRequestConflict", "InternalError", "ServiceUnavailable"}
_TRANSIENT = (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError)
"""Refused, reset, timed-out and cut connections."""
_MISSING_CODES = {"NoSuchKey", "404", "NotFound"}
_ABSENT_NOT_HONOURED = {"NotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedOperation"}


class _Page(NamedTuple):
    keys: list[str]
    more: str
    """Token of the next page; empty on the last."""


class S3Store:
    """Objects under `s3://bucket/prefix`."""

    def __init__(self, bucket: str, prefix: str, settings: S3Settings) -> None:
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._retry_within_s = settings.retry_within_s
        self._conditional: bool | None = None
        self._hurried = threading.Event()
        self._until_s = math.inf
        """No operation is tried again after this, on the monotonic clock."""
        self._client = _client(settings, self.url)

    def get(self, key: str) -> bytes:
        name = self._name(key)
        return self._call("read", key, lambda: self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        name = self._name(key)
        self._call("write", key, lambda: self._client.put_object(Bucket=self._bucket, Key=name, Body=data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if self._conditional is None:
            self.probe()
        if not self._conditional:
            return self._put_and_read_back(key, data)
        name = self._name(key)
        tries = 0

        def attempt() -> bool:
            nonlocal tries
            tries += 1
            return self._put_new(name, data)

        won = self._call("write", key, attempt)
        # An earlier try may have arrived although its answer was lost.
        return won or (tries > 1 and self.get(key) == data)

    def exists(self, key: str) -> bool:
        name = self._name(key)
        try:
            self._call("read", key, lambda: self._client.head_object(Bucket=self._bucket, Key=name))
        except Missing:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        name = self._prefix + check_prefix(prefix)
        page = self._call("list", prefix, lambda: self._page(name, ""))
        yield from page.keys
        while token := page.more:
            page = self._call("list", prefix, partial(self._page, name, token))
            yield from page.keys

    def delete(self, key: str) -> None:
        name = self._name(key)
        with suppress(Missing):
            self._call("delete", key, lambda: self._client.delete_object(Bucket=self._bucket, Key=name))

    def probe(self) -> None:
        key = f"probe/{uuid.uuid4().hex}"
        self.put(key, b"probe")
        self._conditional = not self._call("write", key, lambda: self._overwrites(key))
        if self.get(key) not in (b"probe", b"overwritten"):
            raise ConfigError(f"store {self.url} does not give back what was put; check that s3.endpoint_url is an S3 server")
        with suppress(ConfigError):  # a role that may not delete is fine
            self.delete(key)

    def hurry(self, within_s: float) -> None:
        self._until_s = time.monotonic() + within_s
        self._hurried.set()

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _put_new(self, name: str, data: bytes) -> bool:
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, IfNoneMatch="*")
        except aws.ClientError as e:
            if _status(e) == 412:
                return False
            raise
        return True

    def _overwrites(self, key: str) -> bool:
        """Whether the server ignores or refuses `If-None-Match: *` on an object that is there."""
        try:
            return self._put_new(self._name(key), b"overwritten")
        except aws.ClientError as e:
            if _status(e) == 501 or _code(e) in _ABSENT_NOT_HONOURED:
                return True
            raise

    def _put_and_read_back(self, key: str, data: bytes) -> bool:
        if self.exists(key):
            return False
        self.put(key, data)
        return self.get(key) == data

    def _page(self, name: str, token: str) -> _Page:
        more = {"ContinuationToken": token} if token else {}
        page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=name, **more)  # type: ignore[arg-type]
        keys = [entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", [])]
        return _Page(keys, page.get("NextContinuationToken", ""))

    def _call(self, action: str, key: str, request: Callable[[], T]) -> T:
        """What `request` gives, tried again while its failure is one that passes."""
        place = f"{self.url}/{key}"
        began_s = time.monotonic()
        until_s = began_s + self._retry_within_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return request()
            except (aws.ClientError, aws.BotoCoreError) as e:
                if not _passes(e):
                    raise _refusal(e, action, place) from e
                left_s = min(until_s, self._until_s) - time.monotonic()
                if left_s <= 0:
                    raise _away(e, action, place, min(self._retry_within_s, time.monotonic() - began_s)) from e
                level = logging.WARNING if pause_s > _QUIET_PAUSE_S else logging.DEBUG
                log.log(level, "store cannot %s %s: %s; trying again for %.0f s", action, place, _fact(e), left_s)
            self._pause(min(random.uniform(pause_s / 2, pause_s), max(left_s, 0.01)))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _pause(self, pause_s: float) -> None:
        """Waits; a pause that runs when the hurry begins ends with it."""
        if self._hurried.is_set():
            time.sleep(pause_s)
        else:
            self._hurried.wait(pause_s)


def _client(settings: S3Settings, url: str) -> "S3Client":
    config = Config(
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        max_pool_connections=settings.max_connections,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": settings.addressing_style},
        # Parts carry their own sha256; servers other than AWS do not all know the newer checksum headers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return boto3.session.Session().client("s3", endpoint_url=settings.endpoint_url, region_name=settings.region, config=config)
    except (ValueError, aws.BotoCoreError) as e:
        raise ConfigError(f"store {url}: {e}; check s3.endpoint_url, s3.region and the AWS profile") from e


def _status(e: aws.ClientError) -> int:
    return e.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _code(e: aws.ClientError) -> str:
    return e.response.get("Error", {}).get("Code", "")


def _fact(e: Exception) -> str:
    """One line that says what happened: the server's code and words, or the client's."""
    if not isinstance(e, aws.ClientError):
        return " ".join(str(e).split())
    words = e.response.get("Error", {}).get("Message", "")
    return " ".join(f"{_status(e)} {_code(e)} {words}".split())


def _passes(e: Exception) -> bool:
    if isinstance(e, aws.ClientError):
        return (_status(e) >= 500 and _status(e) != 501) or _status(e) == 429 or _code(e) in _TRANSIENT_CODES
    if isinstance(e, aws.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(e)
    return isinstance(e, _TRANSIENT)


def _away(e: Exception, action: str, place: str, within_s: float) -> Unavailable:
    fact = f"store cannot {action} {place}: no answer within {within_s:.3g} s ({_fact(e)})"
    return Unavailable(f"{fact}; run the same command again when the server is back, or check s3.endpoint_url")


def _refusal(e: Exception, action: str, place: str) -> WritError:
    fact, code = f"store cannot {action} {place}: {_fact(e)}", _code(e) if isinstance(e, aws.ClientError) else ""
    if code in _MISSING_CODES and action in ("read", "delete"):
        return Missing(f"{place} does not exist; check the store's path, or run the stage that writes it")
    if code == "NoSuchBucket":
        return ConfigError(f"{fact}; create the bucket, or name another store with --out")
    if isinstance(e, aws.NoCredentialsError | aws.PartialCredentialsError | aws.CredentialRetrievalError):
        return ConfigError(f"{fact}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a workload identity")
    if isinstance(e, aws.ClientError) and _status(e) in (401, 403):
        return ConfigError(f"{fact}; check the credentials and their right to get, put, delete and list under this prefix")
    return ConfigError(f"{fact}; check the store's URL, the credentials, s3.region and s3.addressing_style")
