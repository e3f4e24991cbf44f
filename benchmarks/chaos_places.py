"""Stores to be harmed: a folder, a bucket of a real S3 server behind a proxy, a small disk."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fixtures_s3 import ACCESS_KEY, BINARY, SECRET_KEY, Proxy, S3Server, _free_port
from writ.storage import S3Settings, Store, open_store

_DISK_BYTES, _LARGER_BYTES = 700_000, 64_000_000


class Absent(Exception):
    """What a row needs is not on this machine."""


@dataclass
class Place:
    """A store, and how a process reaches it."""

    url: str
    s3: S3Settings | None = None
    mounted: Path | None = None
    requests: list[str] = field(default_factory=list)
    """What a proxy saw."""

    @property
    def store(self) -> Store:
        return open_store(self.url, s3=self.s3)

    @property
    def settings(self) -> list[str]:
        return [f"s3.{name}={value}" for name, value in self.s3.model_dump(exclude_defaults=True).items()] if self.s3 else []

    @property
    def env(self) -> dict[str, str]:
        return _S3_ENV if self.s3 else {}

    @contextmanager
    def proxy(self, fault: Callable[[str, str, int], Any]) -> Iterator["Place"]:
        """The same place through a proxy that fails as told."""
        assert self.s3 is not None
        proxy = Proxy(_server().port, fault)
        proxy.start()
        try:
            yield Place(self.url, proxy.settings, requests=proxy.requests)
        finally:
            proxy.stop()

    def grow(self) -> None:
        """More space on a small disk."""
        subprocess.run(["mount", "-o", f"remount,size={_LARGER_BYTES}", str(self.mounted)], check=True)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.mounted)], check=False)


_S3_ENV = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_EC2_METADATA_DISABLED": "true"}


def folder(path: Path) -> Place:
    path.mkdir(parents=True)
    return Place(str(path))


def bucket(_path: Path) -> Place:
    server = _server()
    return Place(f"s3://{server.new_bucket()}/writ", server.settings)


def full_disk(path: Path) -> Place:
    """A disk of less than a megabyte, which a run fills before it is done. Needs the right to mount."""
    path.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(path)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise Absent(f"a small disk cannot be mounted here ({mounted.stderr.strip()})")
    return Place(str(path), mounted=path)


@cache
def _server() -> S3Server:
    """One for all rows; ends with this process."""
    if not BINARY.exists():
        raise Absent(f"{BINARY} is absent; make tools builds it where Go is")
    os.environ.update(_S3_ENV)
    server = S3Server("versitygw", Path(tempfile.mkdtemp(prefix="writ-s3-")), _free_port())
    server.start()
    atexit.register(shutil.rmtree, server.folder, ignore_errors=True)
    atexit.register(server.stop)
    return server
