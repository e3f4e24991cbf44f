"""A lease in the store: of two that start the same work at once, one works and the other waits.

A lease lives at `leases/<name>/<epoch>`. Whoever puts the next epoch, when the last one has expired or was released, holds it;
conditional puts let one win. Only its holder rewrites an epoch, and a higher epoch outranks all lower ones, so a holder that slept
past its time learns at its next renewal that it lost. Work under a lease must be safe to do twice: a lease saves money, artifacts
guard the truth. Clocks come from the caller; they must agree to within a small part of the time to live.
"""

from collections.abc import Iterator

from pydantic import ValidationError

from writ.errors import ArtifactError
from writ.schema import Record
from writ.storage import Missing, Store, check_key


class Lease(Record):
    """A claim by `holder` on `name`, good until `expires_s`."""

    name: str
    holder: str
    """Who; the same holder gets its lease again after a restart."""
    epoch: int
    expires_s: float
    """Seconds since 1970; 0 once released."""


def acquire_lease(store: Store, name: str, holder: str, ttl_s: float, now_s: float) -> Lease | None:
    """The lease, or None while another holds it."""
    last = read_lease(store, name)
    if last and last.expires_s > now_s:
        return renew_lease(store, last, ttl_s, now_s) if last.holder == holder else None
    lease = Lease(name=name, holder=holder, epoch=last.epoch + 1 if last else 1, expires_s=now_s + ttl_s)
    if not store.put_if_absent(_key(lease.name, lease.epoch), _bytes(lease)):
        return None
    for epoch in _epochs(store, name):
        if epoch < lease.epoch:
            store.delete(_key(name, epoch))
    return lease


def renew_lease(store: Store, lease: Lease, ttl_s: float, now_s: float) -> Lease | None:
    """The lease with a later end, or None if another holds it by now: stop the work."""
    if max(_epochs(store, lease.name), default=0) != lease.epoch:
        return None
    renewed = lease.model_copy(update={"expires_s": now_s + ttl_s})
    store.put(_key(lease.name, lease.epoch), _bytes(renewed))
    return renewed


def release_lease(store: Store, lease: Lease) -> None:
    """Let the next one in at once. A lease that was lost meanwhile is left alone."""
    renew_lease(store, lease, ttl_s=0.0, now_s=0.0)


def read_lease(store: Store, name: str) -> Lease | None:
    """The last claim on `name`, be it held, expired or released.

    Raises: ArtifactError if its object is altered.
    """
    epoch = max(_epochs(store, name), default=0)
    if not epoch:
        return None
    key = _key(name, epoch)
    try:
        return Lease.model_validate_json(store.get(key))
    except Missing:
        return read_lease(store, name)  # outranked and removed since it was listed
    except ValidationError as e:
        raise ArtifactError(f"{store.url}/{key} is not a lease; delete it and run again") from e


def last_leases(store: Store, prefix: str) -> Iterator[Lease]:
    """The last claim on each name that begins with `prefix`."""
    names = {key.split("/")[1] for key in store.list(check_key(f"leases/{prefix}"))}
    for name in sorted(names):
        if lease := read_lease(store, name):
            yield lease


def _epochs(store: Store, name: str) -> list[int]:
    folder = check_key(f"leases/{name}") + "/"
    names = (key.removeprefix(folder).removesuffix(".json") for key in store.list(folder))
    return [int(name) for name in names if name.isdecimal()]


def _key(name: str, epoch: int) -> str:
    return f"leases/{name}/{epoch:08d}.json"


def _bytes(lease: Lease) -> bytes:
    return lease.model_dump_json().encode()
