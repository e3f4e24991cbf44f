"""A model as judge of a conversation: what it is asked, and what its answer says. An answer that cannot be read says nothing."""

from collections.abc import Sequence

import orjson

from writ.llm.questions import json_object
from writ.schema import Message

SYSTEM = (
    "You check a finished conversation between a customer and a service agent against a numbered list of expectations. "
    "Judge each expectation by itself, by what the conversation shows and nothing else. "
    'Answer with one JSON object and no other text: {"results": [{"number": 1, "why": "one short sentence", "met": true}, ...]}, '
    "one entry for each expectation, in their order."
)


def messages(expectations: Sequence[str], spoken: Sequence[Message]) -> list[bytes]:
    """The judge's request, message by message, in OpenAI form."""
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(expectations, start=1))
    asked = f"Conversation:\n{transcript(spoken)}\n\nExpectations:\n{listed}"
    return [orjson.dumps({"role": "system", "content": SYSTEM}), orjson.dumps({"role": "user", "content": asked})]


def transcript(spoken: Sequence[Message]) -> str:
    """One line or more per message: who said it, and what; calls with their arguments."""
    return "\n".join(line for message in spoken for line in _lines(message))


def _lines(message: Message) -> list[str]:
    calls = [f"{message.role} calls: {call.name}({call.arguments})" for call in message.tool_calls]
    return [*([f"{message.role}: {message.content}"] if message.content else []), *calls]


def all_met(answer: str | None, expected: int) -> bool | None:
    """Whether every expectation is met; None for an answer that does not settle all of them."""
    results = (json_object(answer or "") or {}).get("results")
    if not isinstance(results, list) or len(results) != expected:
        return None
    met = [entry.get("met") if isinstance(entry, dict) else None for entry in results]
    return all(met) if all(isinstance(each, bool) for each in met) else None
