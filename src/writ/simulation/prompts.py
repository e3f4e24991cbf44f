"""What each side is sent, as bytes: system prompts as the benchmark words and lays them out, and messages in OpenAI form.

Every message is serialised once, when it is said. A request is a join of those bytes, so each one starts with the bytes of the one before: a
server's prefix cache hits. The user's side sees the same talk with the roles flipped and without the agent's tool traffic.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import orjson

from writ.domains.hostile import decoded
from writ.llm import ChatRequest
from writ.schema import DomainSnapshot, Instruction, ToolCall
from writ.simulation.address import Address

GREETING = "Hi! How can I help you today?"
"""What the agent says first, in every conversation of the benchmark."""


def user_system(snapshot: DomainSnapshot, instruction: Instruction) -> str:
    """The user simulator's system prompt for one scenario."""
    return snapshot.user_prompt.replace("{instructions}", scenario(instruction), 1)


def scenario(instruction: Instruction) -> str:
    """A structured scenario in the benchmark's layout: a heading per field, its text indented by tabs, empty optional fields left out."""
    fields = [("Reason for call", instruction.reason_for_call), ("Known info", instruction.known_info)]
    fields += [("Unknown info", instruction.unknown_info)] * bool(instruction.unknown_info)
    fields += [("Task instructions", instruction.task_instructions)]
    told = "\n".join([f"Domain: {instruction.domain}", *(_section(name, text) for name, text in fields)])
    persona = [_section("Persona", instruction.persona)] * bool(instruction.persona)
    return "\n".join([*persona, _section("Instructions", told)])


def _section(name: str, text: str) -> str:
    return f"{name}:\n{textwrap.indent(text, chr(9))}"


def wire(role: str, content: str) -> bytes:
    """A message of text as it stands in a request."""
    return orjson.dumps({"role": role, "content": content})


def wire_calls(content: str | None, calls: Sequence[ToolCall]) -> bytes:
    """An assistant's tool calls as they stand in a request.

    Arguments that are no JSON object go out as `{}`: servers parse them, and would refuse every later request of the conversation.
    """
    return orjson.dumps({"role": "assistant", "content": content, "tool_calls": [_wire_call(call) for call in calls]})


def _wire_call(call: ToolCall) -> dict[str, Any]:
    arguments = call.arguments if decoded(call.arguments) is not None else "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def wire_result(call_id: str, content: str) -> bytes:
    """A tool's answer as it stands in a request."""
    return orjson.dumps({"role": "tool", "tool_call_id": call_id, "content": content})


class Side:
    """One side's view of a conversation, growing as it is said."""

    __slots__ = ("_messages", "_prefix", "_user")

    def __init__(self, prefix: bytes, system: str, address: Address) -> None:
        """`prefix` is what `writ.llm.request_prefix` made."""
        self._prefix = prefix
        self._messages = [wire("system", system)]
        self._user = str(address)

    def hear(self, *messages: bytes) -> None:
        self._messages += messages

    def request(self, prefix: bytes | None = None) -> ChatRequest:
        """Everything heard so far, with another prefix where this request samples differently."""
        return ChatRequest(prefix or self._prefix, self._messages, self._user)
