"""An artifact is whole, or it is not there."""

import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from writ.artifacts import (
    ArtifactWriter,
    Manifest,
    Run,
    artifact_key,
    join_manifests,
    list_runs,
    read_manifest,
    read_records,
    read_run,
    run_id,
    write_run,
)
from writ.errors import ArtifactError, ConfigError
from writ.schema import Call, Message, Record, ToolCall
from writ.storage.file import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def calls(count: int, prefix: str = "call") -> Iterator[Call]:
    for number in range(count):
        yield Call(name=f"{prefix}-{number}", arguments={"number": number, "text": f"{number}" * 50})


def write(store: LocalStore, count: int = 10, key: str = "k", **options: Any) -> Manifest:
    with ArtifactWriter(store, "tasks", key, Call, **options) as writer:
        writer.add_many(calls(count))
    assert writer.manifest
    return writer.manifest


# ---------------------------------------------------------------------------------------------------------------- writing and reading


@pytest.mark.parametrize(("count", "parts"), [(0, 0), (1, 1), (4, 1), (5, 2), (11, 3)])
def test_artifact_read_back_gives_the_records_in_order(store: LocalStore, count: int, parts: int) -> None:
    written = write(store, count, part_records=4, inputs={"domain": "abc"}, code_version="v1")
    manifest = read_manifest(store, "tasks", "k")
    assert manifest == written
    assert manifest
    assert list(read_records(store, manifest, Call)) == list(calls(count))
    assert (manifest.records, len(manifest.parts)) == (count, parts)
    assert (manifest.record, manifest.inputs, manifest.code_version) == ("Call", {"domain": "abc"}, "v1")
    assert sum(part.records for part in manifest.parts) == count
    assert all(len(store.get(f"tasks/k/{part.name}")) == part.bytes for part in manifest.parts)


def test_artifact_part_ends_at_its_limit_of_bytes(store: LocalStore) -> None:
    line_bytes = len(next(calls(1)).model_dump_json()) + 1
    manifest = write(store, 10, part_bytes=3 * line_bytes)
    assert [part.records for part in manifest.parts] == [3, 3, 3, 1]


def test_artifact_without_a_manifest_is_not_there(store: LocalStore) -> None:
    writer = ArtifactWriter(store, "tasks", "k", Call)
    writer.add_many(calls(3))
    writer.flush()
    assert list(store.list("tasks/k/part-"))
    assert read_manifest(store, "tasks", "k") is None


def test_artifact_writer_left_by_an_exception_commits_nothing(store: LocalStore) -> None:
    def broken() -> Iterator[Call]:
        yield Call(name="a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ArtifactWriter(store, "tasks", "k", Call) as writer:
        writer.add_many(broken())
    assert read_manifest(store, "tasks", "k") is None


def test_artifact_of_equal_records_has_equal_bytes_in_any_store(tmp_path: Path) -> None:
    one, other = LocalStore(tmp_path / "one"), LocalStore(tmp_path / "other")
    assert write(one, 25, part_records=10) == write(other, 25, part_records=10)
    keys = list(one.list(""))
    assert keys == list(other.list(""))
    assert [one.get(key) for key in keys] == [other.get(key) for key in keys]


def test_artifact_extra_and_manifest_survive_as_they_were_given(store: LocalStore) -> None:
    extra = {"asked": 3, "share": 0.1, "cells": [{"tool": "é\u2028", "kept": None}]}
    writer = ArtifactWriter(store, "tasks", "k", Call)
    assert writer.commit(extra=extra).extra == extra
    standing = read_manifest(store, "tasks", "k")
    assert standing
    assert standing.extra == extra


def test_artifact_extra_that_json_cannot_spell_is_kept_as_it_will_be_read(store: LocalStore) -> None:
    committed = ArtifactWriter(store, "tasks", "k", Call).commit(extra={"pair": (1, 2), "ratio": float("nan"), 3: "three"})
    assert committed.extra == {"pair": [1, 2], "ratio": None, "3": "three"}
    assert read_manifest(store, "tasks", "k") == committed


def test_artifact_of_many_parts_is_written_and_read_in_bounded_memory(store: LocalStore) -> None:
    total_bytes, part_bytes = 0, 200_000
    tracemalloc.start()
    with ArtifactWriter(store, "tasks", "k", Call, part_bytes=part_bytes) as writer:
        for number in range(4000):
            call = Call(name="n", arguments={"text": random.Random(number).randbytes(1000).hex()})
            total_bytes += len(call.arguments["text"])
            writer.add(call)
    assert writer.manifest
    for _ in read_records(store, writer.manifest, Call):
        pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total_bytes > 20 * part_bytes
    assert peak_bytes < 8 * part_bytes


TEXT = st.text() | st.sampled_from(
    ["\n", "\r\n", "\u2028\u2029\x85", "\x00\x1f", '"}\n{"', "<|im_end|>", "$(rm -rf ~)", "../../etc", "😀é中", "\\ud800"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=st.none() | TEXT,
    tool_calls=st.lists(st.builds(ToolCall, id=TEXT, name=TEXT, arguments=TEXT), max_size=2).map(tuple),
)


@pytest.mark.long
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESSAGES, max_size=6) | st.lists(st.builds(Call, name=TEXT, arguments=st.dictionaries(TEXT, JSON, max_size=4)), max_size=6))
def test_artifact_of_hostile_text_comes_back_equal(tmp_path: Path, records: list[Record]) -> None:
    store, record_type = LocalStore(tmp_path / "hostile"), type(records[0]) if records else Call
    key = artifact_key("tasks", 0, [record.model_dump(mode="json") for record in records], {})
    with ArtifactWriter(store, "tasks", key, record_type, part_records=4) as writer:
        writer.add_many(records)
    assert writer.manifest
    assert list(read_records(store, writer.manifest, record_type)) == records


# ---------------------------------------------------------------------------------------------------------------- what is broken


def altered(data: bytes, place: float) -> bytes:
    at = int(place * (len(data) - 1))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 1.0])
def test_artifact_part_altered_by_one_bit_raises_with_its_name_and_the_way_out(store: LocalStore, place: float) -> None:
    manifest = write(store, 9, part_records=3)
    name = f"tasks/k/{manifest.parts[1].name}"
    store.put(name, altered(store.get(name), place))
    seen = []
    with pytest.raises(ArtifactError, match=rf"{store.url}/{name} is altered: .*; delete {store.url}/tasks/k and run again") as caught:
        seen.extend(read_records(store, manifest, Call))
    assert seen == list(calls(3))
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_artifact_part_that_is_gone_raises_with_its_name(store: LocalStore) -> None:
    manifest = write(store)
    store.delete(f"tasks/k/{manifest.parts[0].name}")
    with pytest.raises(ArtifactError, match=rf"{manifest.parts[0].name} is missing although its manifest stands; delete"):
        list(read_records(store, manifest, Call))


def test_artifact_that_was_broken_is_healed_by_writing_it_again(store: LocalStore) -> None:
    manifest = write(store)
    name = f"tasks/k/{manifest.parts[0].name}"
    store.put(name, b"torn")
    store.delete("tasks/k/manifest.json")
    assert list(read_records(store, write(store), Call)) == list(calls(10))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"records": 10', b'"records": 11'), (b'"domain": "abc"', b'"domain": "abd"'), (b'"kept": 7', b'"kept": 8'), (b'"key": "k"', b'"key": "l"')],
)
def test_manifest_altered_anywhere_raises(store: LocalStore, old: bytes, new: bytes) -> None:
    writer = ArtifactWriter(store, "tasks", "k", Call, inputs={"domain": "abc"})
    writer.add_many(calls(10))
    writer.commit(extra={"kept": 7})
    data = store.get("tasks/k/manifest.json")
    assert old in data
    store.put("tasks/k/manifest.json", data.replace(old, new))
    with pytest.raises(ArtifactError, match=r"tasks/k/manifest.json is altered: .*; delete"):
        read_manifest(store, "tasks", "k")


def test_manifest_moved_to_another_place_raises(store: LocalStore) -> None:
    write(store)
    store.put("tasks/other/manifest.json", store.get("tasks/k/manifest.json"))
    with pytest.raises(ArtifactError, match=r"tasks/other/manifest.json is altered"):
        read_manifest(store, "tasks", "other")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"schema_version": 1}', b"\xff\xfe", b"[" * 100_000])
def test_manifest_that_is_none_raises(store: LocalStore, data: bytes) -> None:
    store.put("tasks/k/manifest.json", data)
    with pytest.raises(ArtifactError, match=r"tasks/k/manifest.json is not a manifest; delete"):
        read_manifest(store, "tasks", "k")


def test_manifest_of_another_schema_version_raises_with_both(store: LocalStore) -> None:
    write(store)
    data = store.get("tasks/k/manifest.json").replace(b'"schema_version": 1', b'"schema_version": 99').replace(b'"code_version"', b'"newer_field"')
    store.put("tasks/k/manifest.json", data)
    with pytest.raises(ArtifactError, match=r"is of schema version 99, and this writ reads 1; delete"):
        read_manifest(store, "tasks", "k")


def test_artifact_of_other_records_raises(store: LocalStore) -> None:
    with pytest.raises(ArtifactError, match="tasks/k holds Call records, not Message"):
        list(read_records(store, write(store), Message))


def test_artifact_under_an_unsafe_key_is_refused(store: LocalStore) -> None:
    with pytest.raises(ConfigError, match="is not safe"):
        ArtifactWriter(store, "tasks", "../../etc", Call)


def test_record_that_is_not_unicode_is_refused_before_it_can_be_written(store: LocalStore) -> None:
    writer = ArtifactWriter(store, "tasks", "k", Message)
    with pytest.raises(ArtifactError, match=r"a Message for tasks/k is no valid JSON text .*surrogates not allowed.*; replace"):
        writer.add(Message(role="user", content="\ud800"))
    writer.add(Message(role="user", content="fine"))
    assert [record.content for record in read_records(store, writer.commit(), Message)] == ["fine"]


# ---------------------------------------------------------------------------------------------------------------- two writers at once


def test_artifact_written_by_many_at_once_is_that_of_one_and_all_go_on_with_it(store: LocalStore) -> None:
    def contend(number: int) -> Manifest:
        with ArtifactWriter(store, "tasks", "k", Call, part_records=3) as writer:
            writer.add_many(calls(10, prefix=f"writer-{number}"))
        assert writer.manifest
        return writer.manifest

    with ThreadPoolExecutor(8) as pool:
        manifests = list(pool.map(contend, range(16)))
    assert all(manifest == read_manifest(store, "tasks", "k") for manifest in manifests)
    (writer,) = {record.name.rpartition("-")[0] for record in read_records(store, manifests[0], Call)}
    assert list(read_records(store, manifests[0], Call)) == list(calls(10, prefix=writer))


COMMITTER = """
import sys
from pathlib import Path
from writ.artifacts import ArtifactWriter
from writ.schema import Call
from writ.storage.file import LocalStore
sys.stdin.readline()
with ArtifactWriter(LocalStore(Path(sys.argv[1])), "tasks", "k", Call, part_records=50) as writer:
    writer.add_many(Call(name=sys.argv[2], arguments={"number": number}) for number in range(500))
print(writer.manifest.sha256)
"""


def test_artifact_committed_by_two_processes_at_once_is_one_and_both_succeed(store: LocalStore) -> None:
    pair = [
        subprocess.Popen([sys.executable, "-c", COMMITTER, store.url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("one", "other")
    ]
    for process in pair:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate()[0].strip() for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    manifest = read_manifest(store, "tasks", "k")
    assert manifest
    assert told == [manifest.sha256] * 2
    assert len({record.name for record in read_records(store, manifest, Call)}) == 1


# ---------------------------------------------------------------------------------------------------------------- shards


def test_joined_manifest_of_shards_reads_as_one_artifact_without_copies(store: LocalStore) -> None:
    shards = [write(store, count, key=f"whole/shard-{count}", part_records=4) for count in (5, 0, 3)]
    before = list(store.list("tasks/"))
    joined = join_manifests(store, "tasks", "whole", shards, inputs={"domain": "d"}, extra={"kept": 8})
    assert list(store.list("tasks/")) == sorted([*before, "tasks/whole/manifest.json"])
    assert read_manifest(store, "tasks", "whole") == joined
    assert [record.name for record in read_records(store, joined, Call)] == [f"call-{i}" for count in (5, 3) for i in range(count)]
    assert (joined.records, joined.inputs, joined.extra) == (8, {"domain": "d"}, {"kept": 8})


def test_joined_manifest_of_a_strange_shard_is_refused(store: LocalStore) -> None:
    with pytest.raises(ArtifactError, match="tasks/k is no shard of tasks/whole"):
        join_manifests(store, "tasks", "whole", [write(store)], inputs={})


# ---------------------------------------------------------------------------------------------------------------- keys and runs


def test_artifact_key_differs_when_anything_that_identifies_the_output_does() -> None:
    base = ("tasks", 1, {"seed": 0, "deep": {"x": [1, 2]}}, {"domain": "a" * 16}, {"agent": "m"})
    others = [
        ("task", *base[1:]),
        ("tasks", 2, *base[2:]),
        (*base[:2], {"seed": 1, "deep": {"x": [1, 2]}}, *base[3:]),
        (*base[:2], {"seed": 0, "deep": {"x": [2, 1]}}, *base[3:]),
        (*base[:3], {"domain": "b" * 16}, base[4]),
        (*base[:3], {"tasks": "a" * 16}, base[4]),
        (*base[:4], {"agent": "n"}),
    ]
    keys = {artifact_key(*arguments) for arguments in [base, *others]}
    assert len(keys) == len(others) + 1
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


def test_artifact_key_ignores_the_order_of_names_and_never_changes() -> None:
    assert artifact_key("tasks", 1, {"a": 1, "b": 2}, {"x": "1", "y": "2"}) == artifact_key("tasks", 1, {"b": 2, "a": 1}, {"y": "2", "x": "1"})
    assert artifact_key("tasks", 1, {"a": 1}, {}) == "fc863b06ba01ae3b"


def test_run_read_back_equals_what_was_written_first(store: LocalStore) -> None:
    keys = {"tasks": "a" * 16, "verify": "b" * 16}
    run = Run(run_id=run_id(keys), keys=keys, config={"seed": 0})
    write_run(store, run)
    write_run(store, run.model_copy(update={"code_version": "later"}))
    assert read_run(store, run.run_id) == run


def test_runs_of_a_store_are_listed_by_id(store: LocalStore) -> None:
    runs = [Run(run_id=run_id({"tasks": key}), keys={"tasks": key}) for key in "abc"]
    for run in runs:
        write_run(store, run)
    assert list(list_runs(store)) == sorted(runs, key=lambda run: run.run_id)


def test_run_that_is_absent_or_altered_raises_with_the_way_out(store: LocalStore) -> None:
    run = Run(run_id=run_id({"tasks": "a"}), keys={"tasks": "a"})
    with pytest.raises(ArtifactError, match=rf"run '{run.run_id}' is not in {store.url}; "):
        read_run(store, run.run_id)
    store.put(f"runs/{run.run_id}.json", run.model_copy(update={"keys": {"tasks": "b"}}).model_dump_json().encode())
    with pytest.raises(ArtifactError, match="is altered: its keys do not give its id; delete it"):
        read_run(store, run.run_id)
    store.put(f"runs/{run.run_id}.json", b"{}")
    with pytest.raises(ArtifactError, match="is not a run"):
        read_run(store, run.run_id)
