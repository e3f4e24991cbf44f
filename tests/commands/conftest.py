"""What a careless person may hand to the command line."""

import asyncio
import contextlib
import json
import shutil
import threading

import pytest
from command_line import LIBRARY, ROOT, writ

from writ.domains.sources import snapshots
from writ.llm.server import chat_reply, error_reply, serve
from writ.settings import DomainsConfig


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Files and stores by name, most of them bad."""
    here = tmp_path_factory.mktemp("world")
    for name, data in {
        "empty": b"",
        "latin": b"seed: 1 # caf\xe9\n",
        "list": b"- 1\n- 2\n",
        "unclosed": b"seed: [1\n",
        "badkey": b"dataset:\n  cuont: 5\n",
        "badtype": b"dataset:\n  count: many\n",
        "toplevel": b"epochs: 3\n",
        "torn.jsonl": b'{"id": "a", "calls": []}\n{"id": "b", "calls": [\n',
        "strange.jsonl": b'{"name": "x"}\n',
        "prose.jsonl": b"hello\n",
        "binary": bytes(range(256)),
        "good.jsonl": json.dumps({"id": "a", "messages": [{"role": "user", "content": "Hello."}]}).encode(),
        "results.json": json.dumps({"tasks": [], "simulations": [{"id": "a"}]}).encode(),
    }.items():
        (here / name).write_bytes(data)
    (here / "folder").mkdir()
    (here / "not-a-domain").mkdir()
    (here / "broken-domain").mkdir()
    (here / "broken-domain" / "domain.py").write_text("import no_such_package_at_all\n")
    (here / "syntax-domain").mkdir()
    (here / "syntax-domain" / "domain.py").write_text("class Desk(:\n")
    (here / "empty-domain").mkdir()
    (here / "empty-domain" / "domain.py").write_text("")
    _data(here)
    _stores(here)
    return here


def _data(here):
    """A benchmark's folder of the library desk, and its ruined copies."""
    snapshot = next(snapshots(DomainsConfig(names=("library",), code={"library": f"{ROOT}/examples/library"}, users=5), seed=1, content=""))
    good = here / "data"
    (good / "library").mkdir(parents=True)
    for name, text in {
        "agent_prompt.txt": snapshot.agent_prompt,
        "user_prompt.txt": snapshot.user_prompt,
        "user_guidelines.md": "",
        "library/db.json": json.dumps(snapshot.database),
        "library/policy.md": snapshot.policy,
        "library/tools.json": json.dumps([{"type": "function", "function": tool} if "function" not in tool else tool for tool in snapshot.tools]),
        "library/tasks.json": "[]",
    }.items():
        (good / name).write_text(text)
    ruins = {
        "data-torn": ("library/db.json", json.dumps(snapshot.database)[:-40].encode()),
        "data-shape": ("library/db.json", b"[1, 2]"),
        "data-empty": ("library/db.json", b""),
        "data-record": ("library/db.json", json.dumps({table: {"a": 5} for table in snapshot.database}).encode()),
        "data-latin": ("library/policy.md", b"caf\xe9"),
        "data-tools": ("library/tools.json", b"[]"),
        "data-tasks": ("library/tasks.json", b'{"a": 1}'),
        "data-splits": ("library/split_tasks.json", b"[1]"),
    }
    for folder, (file, data) in ruins.items():
        shutil.copytree(good, here / folder)
        (here / folder / file).write_bytes(data)
    shutil.copytree(good, here / "data-folder")
    (here / "data-folder/library/db.json").unlink()
    (here / "data-folder/library/db.json").mkdir()
    shutil.copytree(good, here / "data-absent")
    (here / "data-absent/library/tools.json").unlink()


def _stores(here):
    """A store with a finished run, and its ruined copies."""
    good = here / "store"
    made = writ("run", "--plain", "--out", good, *LIBRARY)
    assert made.code == 0, made.err
    shutil.copytree(good, here / "two")
    assert writ("run", "--plain", "--out", here / "two", *LIBRARY, "--set", "dataset.near_duplicate=0.8").code == 0
    for ruin in ("torn", "missing-part", "older", "altered", "begun", "bad-run", "other-run", "no-certificate"):
        shutil.copytree(good, here / ruin)
    for part in (here / "torn").rglob("*.zst"):
        data = part.read_bytes()
        part.write_bytes(data[: len(data) // 2])
    for part in (here / "missing-part").rglob("*.zst"):
        part.unlink()
    for manifest in (here / "older").rglob("manifest.json"):
        manifest.write_text(manifest.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    for manifest in (here / "altered").rglob("manifest.json"):
        manifest.write_text(manifest.read_text().replace('"records": ', '"records": 1'))
    for stage in ("simulate", "verify", "dataset", "report"):
        shutil.rmtree(here / "begun" / stage)
    next((here / "bad-run" / "runs").iterdir()).write_text('{"run_id": ')
    record = next((here / "other-run" / "runs").iterdir())
    record.write_text(record.read_text().replace('"library"', '"bakery"'))
    for file in (here / "no-certificate").rglob("decontamination.json"):
        file.unlink()


@pytest.fixture(scope="session")
def endpoints():
    """URLs of real servers: one that serves `the-model`, one that knows no key, one that writes its tool calls as text."""

    async def good(body):
        return chat_reply("Yes.", model="the-model", prompt_tokens=1, completion_tokens=1)

    async def locked(body):
        return error_reply(401, "no such key")

    async def wordy(body):
        return chat_reply('<tool_call>{"name": "look_up_parcel"}', model="the-model", prompt_tokens=1, completion_tokens=1)

    answers, urls = {"GOOD": good, "LOCKED": locked, "WORDY": wordy}, {"AWAY": "http://127.0.0.1:9/v1"}
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live():
        async with contextlib.AsyncExitStack() as stack:
            for name, answer in answers.items():
                urls[name] = (await stack.enter_async_context(serve(answer, models=("the-model",)))).base_url
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), daemon=True)
    thread.start()
    ready.wait(10)
    yield urls
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
