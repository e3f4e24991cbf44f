"""From a kept conversation to a training example: OpenAI messages that TRL loads as they are."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from writ.domains.registry import OpenDomain
from writ.schema import Message, Row, Task, Trajectory
from writ.streams import Conversation

STOP_TOKENS = ("###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###")

_CONTROL = re.compile(r"<\|[\w -]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>")
"""Control tokens of common chat templates: inside a text they would be tokenized as the real thing (docs/training.md)."""


def row(site: OpenDomain, conversation: Conversation, split: str) -> Row:
    """One example. The system prompt is the one that the benchmark fills; `arguments` and `tools` are JSON text."""
    trajectory, task, instruction = conversation
    return Row(
        id=trajectory.id,
        split="held_out" if split == "held_out" else "train",
        domain=task.domain,
        kind=task.kind,
        writes=len(task.writes),
        burden=task.burden,
        tool=task.tool,
        pair=f"{task.pair.id}:{task.pair.member}" if task.pair else "",
        task_id=task.id,
        instruction_id=instruction.id,
        user_id=task.user_id,
        source=trajectory.source,
        messages=tuple(messages(site, trajectory)),
        tools=site.tools_text,
    )


def messages(site: OpenDomain, trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    """System prompt, then the conversation up to the agent's last turn; stop tokens of the simulated user are gone."""
    yield {"role": "system", "content": site.system_prompt}
    yield from (wire(message) for message in upto_last_agent_turn(trajectory.messages))


def upto_last_agent_turn(spoken: Sequence[Message]) -> Sequence[Message]:
    """What follows the agent's last turn teaches nothing: the user's farewell, an unanswered call's missing result."""
    last = max((index for index, message in enumerate(spoken) if message.role == "assistant"), default=-1)
    return spoken[: last + 1]


def wire(message: Message) -> dict[str, Any]:
    """OpenAI form. Arguments keep their meaning and get the spelling of the chat templates' own `tojson`: spaces, no escapes."""
    if message.role == "tool":
        return {"role": "tool", "content": message.content or "", "tool_call_id": message.tool_call_id}
    if message.tool_calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": respelled(call.arguments)}}
            for call in message.tool_calls
        ]
        return {"role": "assistant", "content": message.content or "", "tool_calls": calls}
    content = message.content or ""
    return {"role": message.role, "content": without_tokens(content) if message.role == "user" else content}


def respelled(arguments: str) -> str:
    """The same JSON as `json.dumps(…, ensure_ascii=False)` writes it; text that is not JSON stays as it is."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False)
    except ValueError:
        return arguments


def without_tokens(text: str) -> str:
    """A user's words without what only the protocol needs; the agent's words stay byte for byte what its model wrote."""
    for token in STOP_TOKENS:
        text = text.replace(token, "")
    return text.strip()


def control_token(example: Row) -> str:
    """The first control token in any text of a row; empty where there is none."""
    for message in example.messages[1:]:
        calls = "".join(call["function"]["arguments"] for call in message.get("tool_calls", ()))
        found = _CONTROL.search((message.get("content") or "") + calls)
        if found:
            return found.group()
    return ""


def goal_text(task: Task, example: Row) -> str:
    """What near-duplicates are told by: the user's words, and the writes."""
    said = " ".join(message["content"] for message in example.messages if message["role"] == "user")
    return said + " " + " ".join(call.name for call in task.writes)
