"""A model may reword the scenarios of a run; what it breaks is thrown away."""

import asyncio
import json
import threading

from writ.llm.server import chat_reply, serve
from writ.pipeline import BY_NAME, plan
from writ.runners.execute import read_stage
from writ.runners.local import run_stage
from writ.runners.simulate import Keys
from writ.settings import RunConfig
from writ.storage import open_store


async def reworded(body):
    """Rewords every other request faithfully, and spoils the rest."""
    fields = json.loads(body["messages"][1]["content"])
    spoil = sum(map(ord, body["user"])) % 2
    text = {name: "Nothing." if spoil else f"To put it otherwise: {value}" for name, value in fields.items()}
    return chat_reply(json.dumps(text), (), model="paraphraser", prompt_tokens=1, completion_tokens=1)


class Server(threading.Thread):
    """The rewording model on loopback, in a thread of its own."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ready, self.url, self.loop = threading.Event(), "", None

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        async with serve(reworded, models=["paraphraser"]) as server:
            self.url = server.base_url
            self.ready.set()
            await self.over.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.over.set)
        self.join(10)


def test_scenarios_are_reworded_over_http_and_broken_ones_keep_their_template(tmp_path):
    server = Server()
    server.start()
    assert server.ready.wait(10)
    config = RunConfig.model_validate(
        {
            "domains": {"names": ["library"], "code": {"library": "examples/library"}, "users": 60},
            "dataset": {"count": 20},
            "instructions": {"paraphrase": True, "paraphraser": {"model": "paraphraser", "base_url": server.url}},
        }
    )
    store, planned = open_store(str(tmp_path)), plan(config)
    for name in ("domain", "tasks", "instructions"):
        run_stage(BY_NAME[name], config, planned, store, lambda step: None, Keys())
    server.stop()
    wordings = [(each.wording, each.reason_for_call) for each in read_stage(store, planned.keys, "instructions")]
    assert {wording for wording, _ in wordings} == {"model", "template"}
    assert all(text.startswith("To put it otherwise") == (wording == "model") for wording, text in wordings)
