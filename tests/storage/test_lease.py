"""Of two that start the same work, one works."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from writ.errors import ArtifactError
from writ.storage import Store
from writ.storage.lease import acquire_lease, read_lease, release_lease, renew_lease


def test_lease_that_is_held_is_refused_to_others_until_it_expires(store: Store) -> None:
    held = acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    assert held
    assert acquire_lease(store, "run", "second", ttl_s=60, now_s=1059.9) is None
    taken = acquire_lease(store, "run", "second", ttl_s=60, now_s=1060)
    assert taken
    assert taken.epoch == held.epoch + 1
    assert read_lease(store, "run") == taken


def test_lease_of_another_name_is_free(store: Store) -> None:
    assert acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    assert acquire_lease(store, "run-2", "second", ttl_s=60, now_s=1000)


def test_lease_of_the_same_holder_is_given_again_after_its_restart(store: Store) -> None:
    held = acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    again = acquire_lease(store, "run", "first", ttl_s=60, now_s=1030)
    assert held
    assert again
    assert again.epoch == held.epoch
    assert again.expires_s == 1090


def test_lease_that_is_renewed_outlives_its_first_end(store: Store) -> None:
    held = acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    assert held
    assert renew_lease(store, held, ttl_s=60, now_s=1050)
    assert acquire_lease(store, "run", "second", ttl_s=60, now_s=1100) is None


def test_lease_that_is_released_is_free_at_once(store: Store) -> None:
    held = acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    assert held
    release_lease(store, held)
    assert acquire_lease(store, "run", "second", ttl_s=60, now_s=1001)


def test_lease_whose_holder_slept_past_its_end_is_not_renewed_and_cannot_be_released(store: Store) -> None:
    slept = acquire_lease(store, "run", "first", ttl_s=60, now_s=1000)
    taken = acquire_lease(store, "run", "second", ttl_s=60, now_s=2000)
    assert slept
    assert renew_lease(store, slept, ttl_s=60, now_s=2001) is None
    release_lease(store, slept)
    assert read_lease(store, "run") == taken


def test_lease_that_expired_goes_to_one_of_many_who_ask_at_once(store: Store) -> None:
    acquire_lease(store, "run", "gone", ttl_s=60, now_s=1000)
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda number: acquire_lease(store, "run", f"pod-{number}", ttl_s=60, now_s=2000), range(16)))
    (won,) = [lease for lease in leases if lease]
    assert read_lease(store, "run") == won


def test_lease_leaves_one_small_object_however_often_it_changes_hands(store: Store) -> None:
    for turn in range(5):
        assert acquire_lease(store, "run", f"holder-{turn}", ttl_s=1, now_s=turn * 10)
    assert list(store.list("")) == ["leases/run/00000005.json"]


def test_lease_whose_object_is_altered_raises_with_its_name(store: Store) -> None:
    store.put("leases/run/00000003.json", b'{"holder": "x"')
    with pytest.raises(ArtifactError, match=f"{store.url}/leases/run/00000003.json is not a lease; delete it"):
        acquire_lease(store, "run", "first", ttl_s=60, now_s=0)
