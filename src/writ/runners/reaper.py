"""Nothing outlives its run: frees and removes what a Workflow left that ended without its exit handler, as after `argo terminate` or `delete`.

What counts is the Workflow: as long as it is there and not over, or has been over for less than `GRACE_S` (its pods are ending), all that is its
own stays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from writ.errors import ArtifactError, ConfigError, Unavailable
from writ.runners.kubernetes_api import Made
from writ.runners.workflows import OVER
from writ.storage import Store
from writ.storage.lease import Lease, last_leases, release_lease

GRACE_S = 60.0


class Namespace(Protocol):
    """What the reaper asks of a cluster: `KubernetesApi` does it."""

    namespace: str

    def find(self, selector: str) -> Sequence[Mapping[str, Any]]: ...

    def made_outside(self) -> list[Made]: ...

    def remove(self, made: Made) -> None: ...


def reap(api: Namespace, default: str, open_store: Callable[[str], Store], say: Callable[[str], None], now_s: float) -> int:
    """Frees leases in `default` and in every store that a Workflow of the namespace names, and removes objects. Returns how many of both.

    Raises: ConfigError, Unavailable.
    """
    # Leases and objects are read before the Workflows: who owns one of them was there before it.
    held = [(store, lease) for store in _stores(api.find(""), default, open_store) for lease in _held(store, now_s, say)]
    made = api.made_outside()
    alive = {tree["metadata"]["uid"] for tree in api.find("") if _alive(tree, now_s)}
    freed = [(store, lease) for store, lease in held if _orphan(lease, api.namespace, alive)]
    for store, lease in freed:
        release_lease(store, lease)
        say(f"lease {lease.name} in {store.url} freed: Workflow {lease.holder} is over")
    removed = [each for each in made if each.owner not in alive]
    for each in removed:
        api.remove(each)
        say(f"{each.kind[2]} {each.name} removed: its Workflow {each.owner} is over")
    return len(freed) + len(removed)


def _stores(workflows: Iterable[Mapping[str, Any]], default: str, open_store: Callable[[str], Store]) -> list[Store]:
    given = (each for tree in workflows for each in tree["spec"].get("arguments", {}).get("parameters", ()))
    urls = {default, *(each["value"] for each in given if each["name"] == "store" and each.get("value"))}
    return [open_store(url) for url in sorted(urls)]


def _held(store: Store, now_s: float, say: Callable[[str], None]) -> list[Lease]:
    """None of a store that cannot be read: another's mistake must not keep the rest from being reaped."""
    try:
        return [lease for lease in last_leases(store, "run-") if lease.expires_s > now_s]
    except (ConfigError, Unavailable, ArtifactError) as e:
        say(f"leases in {store.url} cannot be read and are left to run out: {e}")
        return []


def _alive(workflow: Mapping[str, Any], now_s: float) -> bool:
    status = workflow.get("status", {})
    if status.get("phase") not in OVER:
        return True
    finished = status.get("finishedAt")
    return bool(finished) and now_s - datetime.fromisoformat(finished).timestamp() < GRACE_S


def _orphan(lease: Lease, namespace: str, alive: set[str]) -> bool:
    """Whether its holder is a Workflow of this namespace that is over. Leases of others are left alone."""
    theirs, _, uid = lease.holder.partition("/")
    return theirs == namespace and uid not in alive
