"""What was reported as finished is never lost, whatever kills the worker."""

import itertools
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest

from fixtures_s3 import S3Server, s3_credentials, s3_server  # noqa: F401
from writ.artifacts import ArtifactWriter, Journal, Manifest, read_manifest, read_records
from writ.errors import ArtifactError, Unavailable
from writ.schema import Call
from writ.storage import S3Settings, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def journal(store: Store, shard: str = "0") -> Journal[Call]:
    return Journal(store, "simulate", "k", Call, lambda call: call.name, shard)


def names(calls: list[Call]) -> list[str]:
    return [call.name for call in calls]


def test_journal_loaded_by_a_successor_gives_what_was_appended_in_order(store: Store) -> None:
    first = journal(store)
    first.append([Call(name="a"), Call(name="b")])
    first.append([])
    first.append([Call(name="c")])
    second = journal(store)
    second.append([Call(name="d")])
    assert names(list(journal(store).load())) == ["a", "b", "c", "d"]


def test_journal_of_a_new_stage_is_empty(store: Store) -> None:
    assert list(journal(store).load()) == []


def test_journal_with_the_same_work_twice_gives_the_first_only(store: Store) -> None:
    journal(store).append([Call(name="a", arguments={"try": 1})])
    journal(store).append([Call(name="a", arguments={"try": 2}), Call(name="b")])
    assert list(journal(store).load()) == [Call(name="a", arguments={"try": 1}), Call(name="b")]


def test_journals_of_copies_of_one_shard_at_once_lose_nothing(store: Store) -> None:
    for start in range(10):
        gate = Barrier(4)

        def work(copy: int, start: int = start, gate: Barrier = gate) -> None:
            mine = journal(store)
            gate.wait()
            for number in range(3):
                mine.append([Call(name=f"{start}-{copy}-{number}")])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    done = sorted(names(list(journal(store).load())))
    assert done == sorted(f"{start}-{copy}-{number}" for start in range(10) for copy in range(4) for number in range(3))


def test_journal_that_a_finished_copy_cleared_takes_more_records(store: Store) -> None:
    slow, fast = journal(store), journal(store)
    slow.append([Call(name="a")])
    fast.clear()
    slow.append([Call(name="b")])
    slow.append([Call(name="c")])
    assert names(list(journal(store).load())) == ["b", "c"]


def test_journal_cleared_while_it_is_read_ends_early(store: Store) -> None:
    for name in "abc":
        journal(store).append([Call(name=name)])
    reading = journal(store).load()
    assert next(reading).name == "a"
    journal(store).clear()
    assert list(reading) == []


def test_journals_of_shards_are_apart_and_can_be_read_together(store: Store) -> None:
    journal(store, "1").append([Call(name="a")])
    journal(store, "10").append([Call(name="b")])
    assert names(list(journal(store, "1").load())) == ["a"]
    assert names(list(journal(store, "2").load(all_shards=True))) == ["a", "b"]


def test_journal_cleared_leaves_other_shards_and_the_artifact(store: Store) -> None:
    journal(store, "1").append([Call(name="a")])
    journal(store, "2").append([Call(name="b")])
    with ArtifactWriter(store, "simulate", "k", Call) as writer:
        writer.add(Call(name="a"))
    journal(store, "1").clear()
    assert names(list(journal(store).load(all_shards=True))) == ["b"]
    assert read_manifest(store, "simulate", "k")


def test_journal_altered_by_one_bit_raises_with_its_name(store: Store) -> None:
    journal(store).append([Call(name="a"), Call(name="b")])
    (name,) = store.list("simulate/k/journal/")
    data = store.get(name)
    for place in (0, 20, len(data) // 2 - 1, len(data) - 2):
        store.put(name, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ArtifactError, match=rf"{store.url}/{name} is altered: .*; delete {store.url}/{name} and run again"):
            list(journal(store).load())


def test_journal_torn_at_any_byte_gives_all_whole_records_and_goes_on(store: Store) -> None:
    journal(store).append([Call(name="a"), Call(name="b")])
    (name,) = store.list("simulate/k/journal/")
    data = store.get(name)
    line = len(data) // 2
    for size in range(0, len(data), 7):
        store.put(name, data[:size])
        assert names(list(journal(store).load())) == ["a", "b"][: size // line]
    journal(store).append([Call(name="b")])
    assert names(list(journal(store).load())) == ["a", "b"]


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root on Linux may mount a file system")
def test_journal_on_a_disk_that_was_full_for_a_while_keeps_all_that_it_reported(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mount is refused here: {mounted.stderr.decode().strip()}")
    try:
        store, large = open_store(str(tmp_path)), {"text": "x" * 300_000}
        mine = journal(store)
        mine.append([Call(name="a", arguments=large)])
        store.put("ballast", bytes(400_000))
        with pytest.raises(Unavailable, match=r"No space left on device; free some space"):
            mine.append([Call(name="b", arguments=large), Call(name="c", arguments=large)])
        store.delete("ballast")
        mine.append([Call(name="d")])
        assert names(list(journal(store).load())) in (["a", "d"], ["a", "b", "d"]), "b may have come through whole"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_journal_of_a_long_life_is_kept_in_segments_of_bounded_size(store: Store) -> None:
    mine = journal(store)
    for number in range(9):
        mine.append([Call(name=f"{number}", arguments={"text": "x" * 5_000_000})])
    sizes = [len(store.get(name)) for name in store.list("simulate/k/journal/")]
    assert len(sizes) == 3
    assert max(sizes) < 21_000_000
    assert names(list(journal(store).load())) == [str(number) for number in range(9)]


WORKER = r"""
import os, sys
from writ.artifacts import ArtifactWriter, Journal, read_manifest
from writ.schema import Call
from writ.storage import S3Settings, open_store

def say(line):
    os.write(1, f"{line}\n".encode())  # in one piece: print is killed between a line and its end

def work(store):
    if read_manifest(store, "simulate", "k"):
        os._exit(0)
    journal = Journal(store, "simulate", "k", Call, lambda call: call.name)
    done = {call.name: call for call in journal.load()}
    for number in range(int(sys.argv[3])):
        call = Call(name=f"unit-{number:03d}", arguments={"text": str(number) * 1000})
        if call.name not in done:
            journal.append([call])
            done[call.name] = call
            say(call.name)
    with ArtifactWriter(store, "simulate", "k", Call, part_records=7) as writer:
        writer.add_many(done[name] for name in sorted(done))
    journal.clear()
    os._exit(0)

store = open_store(sys.argv[1], s3=S3Settings.model_validate_json(sys.argv[2]))
for line in sys.stdin:
    worker = os.fork()
    if not worker:
        say(os.getpid())
        work(store)
    say(f"over {os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])}")
"""


def life(nursery: subprocess.Popen[str], reports: int | None, dice: random.Random) -> Iterator[str]:
    """What a worker reports in one life, which a kill ends some moments after so many reports. The last line is its end."""
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write("live\n")
    nursery.stdin.flush()
    worker = int(nursery.stdout.readline())
    for number in itertools.count():
        if number == reports:
            with pytest.raises(subprocess.TimeoutExpired):
                nursery.wait(dice.uniform(0, 0.005))
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        line = nursery.stdout.readline().strip()
        yield line
        if line.startswith("over"):
            return


def check_lives(store: Store, settings: S3Settings, units: int, kills: int, reference: Store) -> None:
    dice, told = random.Random(kills), []
    command = [sys.executable, "-c", WORKER, store.url, settings.model_dump_json(), str(units)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        for _ in range(kills):
            told += life(nursery, dice.randrange(4), dice)
        told += life(nursery, None, dice)
        nursery.communicate()
    finished = [line for line in told if line.startswith("unit")]
    assert len(finished) == len(set(finished)), "a finished unit was made again"
    assert told.count("over -9") > kills / 3, "the work ended before the kills: the test shows nothing"
    assert told[-1] == "over 0"
    manifest = read_manifest(store, "simulate", "k")
    assert manifest == unkilled(reference, units)
    assert manifest
    assert len(list(read_records(store, manifest, Call))) == units
    assert list(journal(store).load()) == []


def unkilled(store: Store, units: int) -> Manifest:
    calls = [Call(name=f"unit-{number:03d}", arguments={"text": str(number) * 1000}) for number in range(units)]
    with ArtifactWriter(store, "simulate", "k", Call, part_records=7) as writer:
        writer.add_many(calls)
    assert writer.manifest
    return writer.manifest


def test_stage_killed_again_and_again_over_a_folder_ends_as_if_never_killed(store: Store, tmp_path: Path) -> None:
    check_lives(store, S3Settings(), 200, 40, open_store(str(tmp_path / "reference")))


def test_stage_killed_again_and_again_over_s3_ends_as_if_never_killed(s3_server: S3Server, tmp_path: Path) -> None:  # noqa: F811
    store = open_store(f"s3://{s3_server.new_bucket()}/runs", s3=s3_server.settings)
    check_lives(store, s3_server.settings, 50, 15, open_store(str(tmp_path / "reference")))
