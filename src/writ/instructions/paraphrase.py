"""A language model rewords scenarios. What breaks the slot ledger is thrown away, counted, and the template stays."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from writ.domains.speech import invented, known
from writ.instructions.ledger import leaks, names
from writ.llm import ChatReply, ChatRequest, EndpointSettings, ModelFault, request_prefix
from writ.schema import Instruction

REWORDED = ("persona", "reason_for_call", "task_instructions")

ORDER = (
    "You reword instructions for a person who plays a customer on the phone. Keep every fact, name, number, date, quoted text and the order of the "
    "requests exactly; keep the second person; add nothing and leave nothing out; use other words and another sentence structure. Answer with one "
    'JSON object that has the same keys as the one you get: "persona", "reason_for_call", "task_instructions".'
)


class Model(Protocol):
    """The part of an endpoint that rewording needs."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Raises: ModelFault where this request cannot be answered."""
        ...


class Rewording:
    """Rewords instructions with a model, `at_once` of them at a time, in order."""

    def __init__(self, model: Model, settings: EndpointSettings, *, seed: int = 0, at_once: int = 64) -> None:
        self.outcomes: Counter[str] = Counter()
        """`reworded`, and why others kept their template: `unanswered`, `unreadable`, `lost_fact`, `leaked_id`, `invented_value`."""
        self._model = model
        self._prefix = request_prefix(settings, seed=seed)
        self._at_once = at_once

    def applied(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        """The instructions, reworded where the model's words keep the ledger. Runs an event loop of its own."""
        stream = iter(instructions)
        with asyncio.Runner() as loop:
            while chunk := list(islice(stream, self._at_once)):
                yield from loop.run(self._reword_all(chunk))

    async def _reword_all(self, chunk: list[Instruction]) -> list[Instruction]:
        return list(await asyncio.gather(*map(self._reword, chunk)))

    async def _reword(self, instruction: Instruction) -> Instruction:
        try:
            reply = await self._model.complete(_request(self._prefix, instruction))
        except ModelFault:
            self.outcomes["unanswered"] += 1
            return instruction
        fields = _fields(reply.content or "")
        problem = "unreadable" if fields is None else broken(instruction, fields)
        self.outcomes[problem or "reworded"] += 1
        if fields is None or problem:
            return instruction
        return instruction.model_copy(update={**fields, "wording": "model"})


def broken(instruction: Instruction, fields: dict[str, str]) -> str:
    """How a paraphrase breaks the slot ledger: `lost_fact`, `leaked_id`, `invented_value`; empty where it keeps it."""
    text = "\n".join(fields.values())
    sayings = {each for told in instruction.facts for fact in told for each in (fact.text, fact.wrong) if each}
    if any(names(getattr(instruction, name), each) and not names(fields[name], each) for name in REWORDED for each in sayings):
        return "lost_fact"
    if leaks([text], instruction.hidden):
        return "leaked_id"
    return "invented_value" if invented(text, known(instruction)) else ""


def _request(prefix: bytes, instruction: Instruction) -> ChatRequest:
    asked = json.dumps({name: getattr(instruction, name) for name in REWORDED}, ensure_ascii=False)
    messages = [{"role": "system", "content": ORDER}, {"role": "user", "content": asked}]
    return ChatRequest(prefix, [json.dumps(message, ensure_ascii=False).encode() for message in messages], f"paraphrase:{instruction.id}:0")


def _fields(content: str) -> dict[str, str] | None:
    """The reworded fields; None where the answer is not such an object. Text around it, such as a code fence, is ignored."""
    start, end = content.find("{"), content.rfind("}")
    try:
        value = json.loads(content[start : end + 1])
    except ValueError:
        return None
    if not isinstance(value, dict) or set(value) != set(REWORDED) or not all(isinstance(text, str) and text.strip() for text in value.values()):
        return None
    return value
