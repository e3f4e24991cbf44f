"""What can go wrong with a folder."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from writ.errors import ConfigError, Unavailable
from writ.storage.file import LocalStore

needs_root = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root on Linux may mount a file system")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mount is refused here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@needs_root
@pytest.mark.parametrize("verb", ["put", "put_if_absent"])
def test_local_store_on_a_full_disk_is_unavailable_and_leaves_nothing_torn(small_disk: Path, verb: str) -> None:
    store = LocalStore(small_disk)
    store.put("kept", b"old")
    with pytest.raises(Unavailable, match=r"store cannot write .*/torn: No space left on device; free some space"):
        getattr(store, verb)("torn", b"x" * 2_000_000)
    with pytest.raises(Unavailable, match="No space left"):
        store.put("kept", b"x" * 2_000_000)
    assert files_below(small_disk) == ["kept"]
    assert store.get("kept") == b"old"
    store.put("later", b"x" * 500_000)


@needs_root
def test_local_store_on_a_read_only_disk_is_a_configuration_error_at_probe(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    store.put("a", b"1")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for act in (store.probe, lambda: store.put("a", b"2"), lambda: store.put_if_absent("b", b""), lambda: store.delete("a")):
        with pytest.raises(ConfigError, match=f"store cannot .* {small_disk}.*Read-only file system; allow it, or name another store"):
            act()
    assert store.get("a") == b"1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_local_store_in_a_folder_without_rights_is_a_configuration_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="Permission denied; allow it"):
        LocalStore(tmp_path).probe()


def test_local_store_whose_root_is_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for root in (tmp_path / "taken", tmp_path / "taken/below"):
        with pytest.raises(ConfigError, match="name another folder"):
            LocalStore(root).probe()
    assert (tmp_path / "taken").read_text() == "mine"


def test_local_store_put_where_an_object_is_in_the_way_is_a_configuration_error(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", b"object")
    with pytest.raises(ConfigError, match=r"cannot write .*a/b"):
        store.put("a/b", b"")
    assert files_below(tmp_path) == ["a"]


def test_local_store_objects_have_the_rights_that_the_umask_gives(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    before = os.umask(0o027)
    try:
        store.put("a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_local_store_probe_removes_what_killed_writers_left_and_nothing_younger(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.probe()
    for name, age_s in (("old", 7200), ("young", 60)):
        (tmp_path / ".tmp" / name).write_bytes(b"torn")
        now_s = (tmp_path / ".tmp" / name).stat().st_mtime
        os.utime(tmp_path / ".tmp" / name, (now_s - age_s, now_s - age_s))
    store.probe()
    assert files_below(tmp_path) == [".tmp/young"]
    assert list(store.list("")) == []


WRITERS = """
import os, sys
from pathlib import Path
from writ.storage.file import LocalStore
store = LocalStore(Path(sys.argv[1]))
for life in sys.stdin:
    writer = os.fork()
    while not writer:
        life = int(life) + 1
        store.put("object", str(life).encode() * 100_000)
        store.put_if_absent(f"new/{life}", str(life).encode() * 100_000)
    print(writer, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]), flush=True)
"""


def whole(data: bytes) -> bool:
    return len(data) % 100_000 == 0 and data == data[: len(data) // 100_000] * 100_000 != b""


def test_local_store_whose_writer_is_killed_at_any_moment_holds_only_whole_objects(tmp_path: Path) -> None:
    store, dice = LocalStore(tmp_path), random.Random(7)
    command = [sys.executable, "-c", WRITERS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdin
        assert nursery.stdout
        for life in range(400):
            print(10_000 * (life + 1), file=nursery.stdin, flush=True)
            writer = int(nursery.stdout.readline())
            with pytest.raises(subprocess.TimeoutExpired):
                nursery.wait(dice.uniform(0.0, 0.03))
            os.kill(writer, signal.SIGKILL)
            assert int(nursery.stdout.readline()) == -signal.SIGKILL
            assert all(whole(store.get(key)) for key in store.list(""))
            torn = len(files_below(tmp_path / ".tmp"))
            if life > 30 and torn > 3 and len(list(store.list("new/"))) > 3:
                return
    pytest.fail("no kill came in the middle of a write: the test shows nothing")


NO_LINKS = """
import ctypes, errno, platform, struct, sys
from pathlib import Path

ERRNO, ALLOW = 0x00050000 | errno.ENOTSUP, 0x7FFF0000
links = {"x86_64": [86, 265], "aarch64": [37]}[platform.machine()]
code = [(0x20, 0, 0, 0)]                                                       # load the number of the system call
code += [(0x15, len(links) - i, 0, number) for i, number in enumerate(links)]  # one of `links`: jump to the refusal
code += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, ERRNO)]
filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(filters)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit(42)

from writ.storage.file import LocalStore

store = LocalStore(Path(sys.argv[1]))
store.probe()
print(store.put_if_absent("a/b", b"first"), store.put_if_absent("a/b", b"second"), store.get("a/b").decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_local_store_on_a_file_system_without_links_still_keeps_what_stands(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", NO_LINKS, str(tmp_path)], capture_output=True, text=True, check=False)
    if done.returncode == 42:
        pytest.skip("seccomp is refused here")
    assert re.fullmatch(r"True False first\n", done.stdout), done.stderr
    assert files_below(tmp_path) == ["a/b"]
