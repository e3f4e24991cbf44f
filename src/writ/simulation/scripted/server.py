"""The embedded scripted model as an OpenAI-compatible server: `/v1/chat/completions` (not streaming) and `/v1/models`.

A request says which side of which conversation it is for in its `user` field (`writ.simulation.address`). Labels of faults come back in the
reply's message as `writ_faults`, a list of `{"name", "lethal", "cause", "turn"}`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson

from writ.domains.registry import OpenDomain
from writ.llm import PLAIN
from writ.llm import server as front
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.preflight import PREFLIGHT_USER
from writ.schema import Instruction, ToolCall
from writ.simulation.address import Address, parsed
from writ.simulation.scripted.faults import checked
from writ.simulation.scripted.minds import Answer, Minds

MODEL = "writ-scripted"

_CHARS_PER_TOKEN = 4
"""Of English text, roughly: this model has no tokenizer, and its usage says so no better."""


class Scripted:
    """Answers decoded chat completion requests; hand it to `writ.llm.server.serve`."""

    def __init__(self, sites: Mapping[str, OpenDomain], find: Callable[[str], Instruction], rates: Mapping[str, float] | None = None) -> None:
        """`find` gives an instruction by id, and raises KeyError for an unknown one. Raises: ConfigError for an unknown fault or a bad rate."""
        self._minds = Minds(sites, find, checked(rates or {}))

    async def __call__(self, body: dict[str, Any]) -> front.Reply:
        return self.reply(body)

    def reply(self, body: Mapping[str, Any]) -> front.Reply:
        """The reply to one request: equal bytes for equal requests."""
        if body.get("user") == PREFLIGHT_USER:
            return _probed(body)
        try:
            address = parsed(str(body.get("user", "")))
            answer = self._minds.answer(address, body["messages"], plain=body.get("model") == PLAIN)
        except ValueError as error:
            return front.error_reply(400, f"the scripted model cannot tell what this is about: {error}", code="no_conversation")
        except KeyError as error:
            return front.error_reply(
                404, f"instruction {error} is unknown to this server; serve the artifact that holds it", code="unknown_instruction"
            )
        return _completion(answer, address, body)


def _probed(body: Mapping[str, Any]) -> front.Reply:
    """The answer to whoever asks whether this server is ready: text, or a call of the first tool."""
    tools = body.get("tools") or ()
    calls = [ToolCall(id="call_0", name=tools[0]["function"]["name"], arguments="{}")] if tools else []
    return front.chat_reply(None if calls else "Yes.", calls, model=str(body["model"]), prompt_tokens=1, completion_tokens=1)


def _completion(answer: Answer, address: Address, body: Mapping[str, Any]) -> front.Reply:
    prompt = sum(len(message.get("content") or "") for message in body["messages"]) // _CHARS_PER_TOKEN
    said = len(answer.content or "") + sum(len(call.arguments) + len(call.name) for call in answer.tool_calls)
    reply = front.chat_reply(
        answer.content,
        answer.tool_calls,
        model=str(body["model"]),
        prompt_tokens=prompt,
        completion_tokens=1 + said // _CHARS_PER_TOKEN,
    )
    return _labelled(reply, answer) if answer.labels else reply


def _labelled(reply: front.Reply, answer: Answer) -> front.Reply:
    completion = orjson.loads(reply.body)
    completion["choices"][0]["message"]["writ_faults"] = [label.record() for label in answer.labels]
    return front.Reply(orjson.dumps(completion))


@asynccontextmanager
async def serve(
    sites: Mapping[str, OpenDomain],
    find: Callable[[str], Instruction],
    *,
    rates: Mapping[str, float] | None = None,
    wire: FaultPlan | None = None,
    models: Sequence[str] = (MODEL,),
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[front.RunningServer]:
    """Serves while the context is open. `rates`: of labelled faults; `wire`: faults of HTTP. Raises: ConfigError; OSError if the address is taken."""
    answer: front.Answer = Scripted(sites, find, rates)
    async with front.serve(Faulty(answer, wire) if wire else answer, models=models, host=host, port=port) as running:
        yield running
