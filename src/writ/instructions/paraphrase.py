"""A language model rewords scenarios. What breaks the slot ledger is thrown away, counted, and the template stays."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from writ.domains.speech import invented, known
from writ.instructions.ledger import leaks, names
from writ.llm import Cause, ChatRequest, EndpointSettings, request_prefix
from writ.llm.questions import Model, ask_each, json_object
from writ.schema import Instruction

REWORDED = ("persona", "reason_for_call", "task_instructions")

ORDER = (
    "You reword instructions for a person who plays a customer on the phone. Keep every fact, name, number, date, quoted text and the order of the "
    "requests exactly; keep the second person; add nothing and leave nothing out; use other words and another sentence structure. Answer with one "
    'JSON object that has the same keys as the one you get: "persona", "reason_for_call", "task_instructions".'
)


class Rewording:
    """Rewords instructions with a model."""

    def __init__(self, model: Model, settings: EndpointSettings, *, seed: int = 0) -> None:
        self.outcomes: Counter[str] = Counter()
        """`reworded`, and why others kept their template: `unanswered`, `unreadable`, `lost_fact`, `leaked_id`, `invented_value`."""
        self._model = model
        self._prefix = request_prefix(settings, seed=seed)

    def applied(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        """The instructions, in order, reworded where the model's words keep the ledger. Runs an event loop of its own."""
        questions = ((instruction, _request(self._prefix, instruction)) for instruction in instructions)
        for instruction, answer in ask_each(self._model, questions):
            unanswered = answer is None or isinstance(answer, Cause)
            yield self._kept(instruction, "unanswered") if unanswered else self._reworded(instruction, str(answer))

    def _reworded(self, instruction: Instruction, answer: str) -> Instruction:
        fields = _fields(answer)
        problem = "unreadable" if fields is None else broken(instruction, fields)
        if fields is None or problem:
            return self._kept(instruction, problem)
        self.outcomes["reworded"] += 1
        return instruction.model_copy(update={**fields, "wording": "model"})

    def _kept(self, instruction: Instruction, why: str) -> Instruction:
        self.outcomes[why] += 1
        return instruction


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


def _fields(answer: str) -> dict[str, str] | None:
    """The reworded fields; None where the answer is not such an object."""
    value = json_object(answer)
    if value is None or set(value) != set(REWORDED) or not all(isinstance(text, str) and text.strip() for text in value.values()):
        return None
    return value
