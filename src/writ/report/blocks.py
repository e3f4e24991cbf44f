"""Conversations as compressed text inside a page: blocks that the browser opens one at a time."""

import base64
import json
import zlib
from typing import Any

import orjson

from writ.report.losses import loss
from writ.report.names import Facts
from writ.report.reasons import Sentence, Strong, changes
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
    """Three compressed texts per block, with spaces between: the messages without what tools gave, which are searched for words; what tools gave,
    which is long; and the rest. A line is a conversation's, in JSON."""

    def __init__(self) -> None:
        self.packed: list[bytes] = []
        self.starts: list[int] = []
        """Number of each block's first conversation."""
        self._lines: tuple[list[bytes], ...] = ([], [], [])
        self._held_bytes = 0
        self._seen = 0

    def add(self, conversation: Conversation, verdict: Verdict, domain: Facts) -> None:
        messages = conversation.trajectory.messages
        shown = [message.content or "" for message in messages if message.role == "tool"]
        rest = rest_of(conversation, verdict) | {"told": told_of(conversation, verdict, domain)}
        parts = [[spoken_of(message) for message in messages], shown, rest]
        if not self._held_bytes:
            self.starts.append(self._seen)
        for lines, part in zip(self._lines, map(to_json, parts), strict=True):
            lines.append(part)
            self._held_bytes += len(part)
        self._seen += 1
        if len(self._lines[0]) >= BLOCK_CONVERSATIONS or self._held_bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._held_bytes:
            self.packed.append(b" ".join(pack(b"\n".join(lines)) for lines in self._lines))
            self._lines, self._held_bytes = ([], [], []), 0


def rest_of(conversation: Conversation, verdict: Verdict) -> dict[str, Any]:
    """All of a conversation but its messages; `voiced`: the places of the task's wishes in the order in which the customer asks."""
    trajectory, task, instruction = conversation
    voiced = [task.wishes.index(wish) for wish in instruction.wishes if wish in task.wishes]
    return {
        "task": task.model_dump(mode="json"),
        "instruction": instruction.model_dump(mode="json", exclude={"wishes"}) | {"voiced": voiced},
        "verdict": verdict.model_dump(mode="json"),
        "trajectory": trajectory.model_dump(mode="json", exclude={"messages"}),
    }


def told_of(conversation: Conversation, verdict: Verdict, domain: Facts) -> dict[str, Any]:
    """What is said of a conversation: `changes`, each with why it is right or not; `losses`, a sentence for each failed check by its name.

    A sentence is a list of parts: text, `[text]` for what to look at first, a number for a message.
    """
    found = list(changes(conversation, verdict, domain))
    off = [check for check in verdict.checks if check.result in ("fail", "unclear")]
    return {
        "changes": [{**change._asdict(), "why": [_parts(sentence) for sentence in change.why]} for change in found],
        "losses": {check.name: _parts(loss(conversation, check, found, domain)) for check in off},
    }


def _parts(sentence: Sentence) -> list[Any]:
    return [[part.text] if isinstance(part, Strong) else part for part in sentence]


def spoken_of(message: Message) -> list[Any]:
    """`[role, text, calls, result of, refused]` without empty tails; a call is `[id, name, arguments as written]`; what a tool gave stands apart."""
    calls = [[call.id, call.name, call.arguments] for call in message.tool_calls]
    text = "" if message.role == "tool" else message.content or ""
    parts = [message.role[0], text, calls, message.tool_call_id or "", int(message.error)]
    while not parts[-1]:
        parts.pop()
    return parts
