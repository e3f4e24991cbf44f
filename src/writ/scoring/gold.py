"""A model without thought that plays a benchmark's tasks by their gold actions: agent, user and judge, for any runner.

It knows its task from the text of the messages alone: the user finds its scenario in its prompt and says the task's id, by which the agent finds its
actions. So one address serves this program and the benchmark's own runner alike. As a judge it finds every statement true.
"""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from writ.domains.recordings import RawTask
from writ.llm.preflight import PREFLIGHT_USER
from writ.llm.server import Reply, chat_reply, error_reply
from writ.schema import ToolCall
from writ.scoring.benchmark import GOLD, STOP, gold_messages, instruction

JUDGE = "gpt-4.1-2025-04-14"
"""The name that the benchmark's runner calls its judge by, and lets nobody change."""

_TASK = re.compile(r"\[task ([\w-]+)\]")


class Gold:
    """The answer function of a server (`writ.llm.server.serve`)."""

    def __init__(self, raws: Mapping[str, RawTask]) -> None:
        """`raws`: by our ids."""
        self._lines = {name: gold_messages(raw)[1:-1] for name, raw in raws.items()}
        self._scenarios = {name: _fields(raw) for name, raw in raws.items()}

    async def __call__(self, body: dict[str, Any]) -> Reply:
        messages: list[dict[str, Any]] = body["messages"]
        tools = body.get("tools") or []
        if body.get("user") == PREFLIGHT_USER:
            return self._said(None, [ToolCall(id="call_0", name=tools[0]["function"]["name"], arguments="{}")] if tools else [])
        if body.get("model") == JUDGE:
            return self._said(_verdict(messages[-1]["content"]))
        return self._agent(messages) if tools else self._user(messages)

    def _agent(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        found = _TASK.search(next((message["content"] for message in messages if message["role"] == "user"), ""))
        if not found or found.group(1) not in self._lines:
            return error_reply(400, "no message of the user names a task that gold is known of; let this model play the user too")
        lines = self._lines[found.group(1)][1:]
        spoken = sum(message["role"] == "assistant" for message in messages) - 1  # without the greeting
        line = lines[min(spoken, len(lines) - 1)]
        return self._said(line.content, line.tool_calls)

    def _user(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        if any(message["role"] == "assistant" for message in messages):
            return self._said(STOP)
        prompt = str(messages[0]["content"])
        fitting = [name for name, fields in self._scenarios.items() if all(field in prompt for field in fields)]
        if not fitting:
            return error_reply(400, "the prompt holds no scenario of these tasks; serve the files that the runner plays")
        name = max(fitting, key=lambda name: sum(map(len, self._scenarios[name])))
        return self._said(f"{self._lines[name][0].content} [task {name}]")

    @staticmethod
    def _said(content: str | None, calls: Sequence[ToolCall] = ()) -> Reply:
        return chat_reply(content or (None if calls else "Yes."), calls, model=GOLD, prompt_tokens=100, completion_tokens=10)


def _fields(raw: RawTask) -> list[str]:
    """The lines of a scenario, which runners indent each in its own way."""
    told = instruction(raw, "")
    texts = (told.reason_for_call, told.known_info, told.unknown_info, told.task_instructions)
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


def _verdict(asked: str) -> str:
    """Both judges' forms: ours numbers its expectations, the benchmark's lists them."""
    listed = asked.partition("expectedOutcomes:")[2].strip()
    if listed:
        results = [{"expectedOutcome": text, "reasoning": "gold", "metExpectation": True} for text in ast.literal_eval(listed)]
    else:
        count = len(re.findall(r"(?m)^\d+\. ", asked.rpartition("Expectations:")[2]))
        results = [{"number": number, "why": "gold", "met": True} for number in range(1, count + 1)]
    return json.dumps({"results": results})
