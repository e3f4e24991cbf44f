"""Conversations as compressed text inside a page: blocks that the browser opens one at a time."""

import base64
import json
import zlib
from typing import Any

import orjson

from writ.schema import Message, Verdict
from writ.streams import Conversation

BLOCK_CONVERSATIONS = 200
BLOCK_BYTES = 4_000_000
"""A block ends at this many conversations or bytes of text, whichever is first."""


def to_json(value: Any) -> bytes:
    """JSON that may hold what a model wrote: integers beyond 64 bits too."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=str).encode()


def pack(data: bytes) -> bytes:
    """zlib, then base64: text that is safe inside an HTML element."""
    return base64.b64encode(zlib.compress(data, 9))


class Blocks:
    """Two compressed texts per block, with a space between: the messages, which are searched, and the rest. A line is a conversation's, in JSON."""

    def __init__(self) -> None:
        self.packed: list[bytes] = []
        self.starts: list[int] = []
        """Number of each block's first conversation."""
        self._spoken: list[bytes] = []
        self._rest: list[bytes] = []
        self._held_bytes = 0
        self._seen = 0

    def add(self, conversation: Conversation, verdict: Verdict) -> None:
        spoken = to_json([spoken_of(message) for message in conversation.trajectory.messages])
        rest = to_json(rest_of(conversation, verdict))
        if not self._spoken:
            self.starts.append(self._seen)
        self._spoken.append(spoken)
        self._rest.append(rest)
        self._held_bytes += len(spoken) + len(rest)
        self._seen += 1
        if len(self._spoken) >= BLOCK_CONVERSATIONS or self._held_bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._spoken:
            self.packed.append(pack(b"\n".join(self._spoken)) + b" " + pack(b"\n".join(self._rest)))
            self._spoken, self._rest, self._held_bytes = [], [], 0


def rest_of(conversation: Conversation, verdict: Verdict) -> dict[str, Any]:
    """All of a conversation but its messages."""
    trajectory, task, instruction = conversation
    return {
        "task": task.model_dump(mode="json"),
        "instruction": instruction.model_dump(mode="json", exclude={"wishes"}),
        "verdict": verdict.model_dump(mode="json"),
        "trajectory": trajectory.model_dump(mode="json", exclude={"messages"}),
    }


def spoken_of(message: Message) -> list[Any]:
    """`[role, text, calls, result of, refused]` without empty tails; a call is `[id, name, arguments as written]`."""
    calls = [[call.id, call.name, call.arguments] for call in message.tool_calls]
    parts = [message.role[0], message.content or "", calls, message.tool_call_id or "", int(message.error)]
    while not parts[-1]:
        parts.pop()
    return parts
