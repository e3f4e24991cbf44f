"""Artifacts on a real S3 server that fails now and then."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures_s3 import Proxy, S3Server
from writ.artifacts import ArtifactWriter, Journal, Manifest, read_manifest, read_records
from writ.errors import ArtifactError
from writ.schema import Call
from writ.storage import Store, open_store


@pytest.fixture
def store(s3_server: S3Server, s3_proxy: Proxy) -> Store:
    store = open_store(f"s3://{s3_server.new_bucket()}/runs", s3=s3_proxy.settings)
    store.probe()
    return store


def write(store: Store, name: str) -> Manifest:
    with ArtifactWriter(store, "tasks", "k", Call, part_records=5) as writer:
        writer.add_many(Call(name=name, arguments={"number": number}) for number in range(23))
    assert writer.manifest
    return writer.manifest


def test_artifact_written_by_several_at_once_through_faults_is_that_of_one(store: Store, s3_proxy: Proxy) -> None:
    dice = random.Random(5)
    s3_proxy.fault = lambda *_: "pass" if dice.random() > 0.15 else dice.choice(("503", "reset", "lost", "cut"))
    with ThreadPoolExecutor(4) as pool:
        manifests = list(pool.map(lambda number: write(store, f"writer-{number}"), range(4)))
    assert all(manifest == read_manifest(store, "tasks", "k") for manifest in manifests)
    calls = list(read_records(store, manifests[0], Call))
    assert [call.arguments["number"] for call in calls] == list(range(23))
    assert len({call.name for call in calls}) == 1


def test_artifact_that_stands_is_found_with_one_request(store: Store, s3_proxy: Proxy) -> None:
    written = write(store, "a")
    s3_proxy.requests.clear()
    assert read_manifest(store, "tasks", "k") == written
    assert len(s3_proxy.requests) == 1


def test_artifact_whose_part_is_altered_on_the_server_raises_with_its_url(store: Store, s3_server: S3Server) -> None:
    manifest = write(store, "a")
    place = s3_server.folder / store.url.removeprefix("s3://") / "tasks/k" / manifest.parts[2].name
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)
    with pytest.raises(
        ArtifactError, match=rf"{store.url}/tasks/k/{manifest.parts[2].name} is altered: .*; delete {store.url}/tasks/k and run again"
    ):
        list(read_records(store, manifest, Call))


def test_journal_on_s3_through_faults_keeps_each_append_once(store: Store, s3_proxy: Proxy) -> None:
    dice = random.Random(6)
    s3_proxy.fault = lambda *_: "pass" if dice.random() > 0.15 else dice.choice(("503", "reset", "lost"))
    journal = Journal(store, "simulate", "k", Call, lambda call: call.name)
    for number in range(15):
        journal.append([Call(name=f"{number:02d}")])
    copy = Journal(store, "simulate", "k", Call, lambda call: call.name)
    copy.append([Call(name="15")])
    assert [call.name for call in copy.load()] == [f"{number:02d}" for number in range(16)]
    assert len(list(store.list("simulate/k/journal/"))) == 16
    copy.clear()
    assert list(journal.load()) == []
