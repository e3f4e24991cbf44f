"""Files of any size in a store, and checkpoints made of them."""

import json

import pytest

from writ.errors import ArtifactError
from writ.schema import StoredFile
from writ.storage import folders
from writ.storage.file import LocalStore
from writ.training.checkpoints import Checkpoints


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(folders, "CHUNK_BYTES", 4)


def checkpoint(tmp_path, step, text):
    folder = tmp_path / "work" / f"checkpoint-{step}"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/weights").write_bytes(text)
    (folder / "state.json").write_text(json.dumps(step))
    return folder


def test_a_file_comes_back_byte_for_byte_and_equal_chunks_lie_there_once(store, tmp_path, small_chunks):
    (tmp_path / "file").write_bytes(b"abcdabcdxy")
    stored = folders.put_file(store, "train/k", tmp_path / "file", "deep/file")
    assert (stored.bytes, len(stored.chunks), len(list(store.list("train/k/chunks/")))) == (10, 3, 2)
    folders.get_files(store, "train/k", [stored], tmp_path / "back")
    assert (tmp_path / "back/deep/file").read_bytes() == b"abcdabcdxy"


def test_an_altered_chunk_and_a_name_that_leads_outside_are_refused(store, tmp_path):
    (tmp_path / "file").write_bytes(b"abcd")
    stored = folders.put_file(store, "train/k", tmp_path / "file", "file")
    with pytest.raises(ArtifactError, match="outside"):
        folders.get_files(store, "train/k", [StoredFile(name="../evil", bytes=4, sha256="", chunks=stored.chunks)], tmp_path / "back")
    store.put(f"train/k/chunks/{stored.chunks[0]}", b"abcX")
    with pytest.raises(ArtifactError, match="altered"):
        folders.get_files(store, "train/k", [stored], tmp_path / "back")


def test_the_last_two_whole_checkpoints_are_kept_and_the_last_comes_back(store, tmp_path):
    kept = Checkpoints(store, "train/k/checkpoints")
    for step in (2, 4, 10):
        kept.keep(checkpoint(tmp_path, step, b"w%d" % step), step)
    assert {key.split("/")[3] for key in store.list("train/k/checkpoints/")} == {"00000004", "00000010"}
    back = kept.restore(tmp_path / "back")
    assert (back.name, (back / "inner/weights").read_bytes()) == ("checkpoint-10", b"w10")
    kept.clear()
    assert list(store.list("train/")) == []
    assert kept.restore(tmp_path / "none") is None


def test_a_checkpoint_that_was_cut_off_while_it_was_sent_is_not_read_and_a_torn_one_gives_way_to_the_one_before(store, tmp_path):
    kept = Checkpoints(store, "train/k/checkpoints")
    for step in (2, 4, 6):
        kept.keep(checkpoint(tmp_path, step, b"w%d" % step), step)
    store.delete("train/k/checkpoints/00000006/whole.json")
    assert kept.restore(tmp_path / "one").name == "checkpoint-4"
    kept.keep(checkpoint(tmp_path / "again", 6, b"w6"), 6)
    for key in list(store.list("train/k/checkpoints/00000006/chunks/")):
        store.delete(key)
    assert kept.restore(tmp_path / "two").name == "checkpoint-4"
