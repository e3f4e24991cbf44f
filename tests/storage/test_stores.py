"""What every store does, shown on each kind of store."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from writ.errors import ConfigError
from writ.storage import Missing, Store, open_store

KEY = "tasks/0123456789abcdef/part-00000-00ff.jsonl.zst"


@pytest.mark.parametrize("data", [b"", b"one\n", bytes(range(256)) * 9000])
def test_store_get_after_put_gives_the_same_bytes(store: Store, data: bytes) -> None:
    store.put(KEY, data)
    assert store.get(KEY) == data


def test_store_put_on_a_taken_key_replaces_the_object(store: Store) -> None:
    store.put(KEY, b"a longer first one")
    store.put(KEY, b"second")
    assert store.get(KEY) == b"second"


def test_store_get_of_an_absent_key_raises_missing_with_its_place(store: Store) -> None:
    store.put("tasks/other", b"")
    with pytest.raises(Missing, match=f"{store.url}/{KEY}.*does not exist; "):
        store.get(KEY)


def test_store_get_below_an_object_raises_missing(store: Store) -> None:
    store.put("tasks/object", b"")
    with pytest.raises(Missing):
        store.get("tasks/object/below")


def test_store_exists_tells_objects_from_absent_keys_and_folders(store: Store) -> None:
    store.put(KEY, b"")
    assert store.exists(KEY)
    assert not store.exists("tasks/0123456789abcdef")
    assert not store.exists("tasks/absent")


def test_store_put_if_absent_keeps_what_stands(store: Store) -> None:
    assert store.put_if_absent(KEY, b"first")
    assert not store.put_if_absent(KEY, b"second")
    assert not store.put_if_absent(KEY, b"first")
    assert store.get(KEY) == b"first"


def test_store_put_if_absent_by_many_at_once_is_won_by_one(store: Store) -> None:
    store.probe()
    start = Barrier(8)

    def race(number: int) -> bool:
        start.wait()
        return store.put_if_absent(KEY, f"writer {number}".encode())

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(8)))
    assert won.count(True) == 1
    assert store.get(KEY) == f"writer {won.index(True)}".encode()


def test_store_list_gives_keys_below_the_prefix_in_the_order_of_their_text(store: Store) -> None:
    keys = ["a/b/2", "a/b/10", "a/b/1", "a/b-1", "a/bc/1", "a/c", "b/1", "top"]
    for key in keys:
        store.put(key, b"")
    assert list(store.list("a/b/")) == ["a/b/1", "a/b/10", "a/b/2"]
    assert list(store.list("a/b")) == ["a/b-1", "a/b/1", "a/b/10", "a/b/2", "a/bc/1"]
    assert list(store.list("")) == sorted(keys)
    assert list(store.list("nowhere/")) == []


def test_store_delete_removes_one_object_and_is_calm_about_none(store: Store) -> None:
    store.put(KEY, b"")
    store.put("tasks/other", b"")
    store.delete(KEY)
    store.delete(KEY)
    assert list(store.list("")) == ["tasks/other"]


UNSAFE = ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/", "a/.hidden", "a\\b", "a\0b", "ä", "-flag", "a/\n", "x" * 201]


def test_store_with_an_unsafe_key_refuses_every_verb(store: Store) -> None:
    verbs = (store.get, store.exists, store.delete, lambda key: store.put(key, b""), lambda key: store.put_if_absent(key, b""))
    for act in verbs:
        for key in UNSAFE:
            with pytest.raises(ConfigError, match="is not safe"):
                act(key)


def test_store_list_of_an_unsafe_prefix_is_refused(store: Store) -> None:
    for prefix in ("/", "../", "a//", "a/../"):
        with pytest.raises(ConfigError, match="is not safe"):
            list(store.list(prefix))


def test_store_probe_of_a_good_store_passes_and_leaves_nothing(store: Store) -> None:
    store.probe()
    assert list(store.list("")) == []
    assert store.put_if_absent(KEY, b"first")
    assert not store.put_if_absent(KEY, b"second")


@pytest.mark.parametrize(
    "url", ["", "s3://", "s3:///prefix", "s3://b/a/../b", "s3://b/.x", "gs://b", "https://b/x", "file://host/x", "file://x", "a\0b"]
)
def test_open_store_of_another_form_raises_with_the_right_ones(url: str) -> None:
    with pytest.raises(ConfigError, match=r"write|is not safe"):
        open_store(url)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_open_store_of_a_folder_takes_paths_and_file_urls(tmp_path, form: str) -> None:
    open_store(form.format(tmp_path / "runs")).put("a", b"1")
    assert (tmp_path / "runs/a").read_bytes() == b"1"


def test_open_store_of_a_relative_path_has_an_absolute_url(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("runs")
    monkeypatch.chdir("/")
    store.put("a", b"1")
    assert open_store(store.url).get("a") == b"1"
    assert (tmp_path / "runs/a").exists()
