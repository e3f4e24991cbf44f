"""A model without thought: as agent it makes a task's gold calls, one by one, and says "Done."; as user it names the task, then stops.

It knows its task from the text of the messages alone, so any runner can talk to it. Prints its URL on standard output, and at its end (SIGTERM)
the CPU seconds that it used: `python benchmarks/gold_model.py tasks.json [--latency-s 0]`.
"""

import argparse
import asyncio
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

from writ.llm.server import Reply, chat_reply, serve
from writ.schema import ToolCall

MODEL = "gold"
_TASK = re.compile(r"task number (\d+)")


class Gold:
    def __init__(self, tasks: list[dict[str, Any]], latency_s: float = 0.0) -> None:
        self._latency_s = latency_s
        self._calls = [
            [(action["name"], json.dumps(action["arguments"])) for action in task["evaluation_criteria"]["actions"] or []] for task in tasks
        ]
        self._marks = [self._lines(task["user_scenario"]["instructions"]) for task in tasks]

    async def __call__(self, body: dict[str, Any]) -> Reply:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        messages = body["messages"]
        if not body.get("tools"):
            return self._reply(self._user(messages))
        number = int(found.group(1)) if (found := _TASK.search(messages[2]["content"])) else 0
        made = sum(bool(message.get("tool_calls")) for message in messages)
        if made == len(self._calls[number]):
            return self._reply("Done.")
        name, arguments = self._calls[number][made]
        return self._reply(None, [ToolCall(id=f"call_{made}", name=name, arguments=arguments)])

    def _user(self, messages: list[dict[str, Any]]) -> str:
        if any(message["role"] == "assistant" for message in messages):
            return "###STOP###"
        scenario = messages[0]["content"]
        return f"Please do task number {next(n for n, lines in enumerate(self._marks) if all(line in scenario for line in lines))}."

    @staticmethod
    def _reply(content: str | None, calls: list[ToolCall] | None = None) -> Reply:
        return chat_reply(content, calls or (), model=MODEL, prompt_tokens=100, completion_tokens=10)

    @staticmethod
    def _lines(told: dict[str, Any]) -> list[str]:
        fields = (told["reason_for_call"], told["known_info"], told["task_instructions"])
        return [line for field in fields for line in (field or "").splitlines()]


async def main(path: Path, latency_s: float) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with serve(Gold(json.loads(path.read_bytes()), latency_s), models=[MODEL]) as server:
        print(server.base_url, flush=True)
        began = time.process_time()
        await ended.wait()
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--latency-s", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(main(options.tasks, options.latency_s))
