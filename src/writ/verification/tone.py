"""The optional check that asks a model: whether the agent's tone is fit for a customer. A judge that fails says `unclear`, and loses nothing."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from writ.llm import Cause, ChatRequest, EndpointSettings, request_prefix
from writ.llm.questions import Model, ask_each, json_object
from writ.schema import Check, Message, Trajectory, Verdict
from writ.verification.case import failed, passed

TONE = "tone"
ORDER = (
    "You judge the tone of a service agent in a finished conversation with a customer, and nothing else: not whether what was done is right, and not "
    "what the customer says. The tone is fit where each turn of the agent is polite, plain and free of blame, mockery, flattery and pressure; a "
    'short or dry turn is fit. Answer with one JSON object and no other text: {"why": "one short sentence", "fit": true}.'
)


class ToneJudge:
    """Asks a model about the conversations that all other checks keep."""

    def __init__(self, model: Model, settings: EndpointSettings) -> None:
        self._model = model
        self._prefix = request_prefix(settings)

    def applied(self, judged: Iterable[tuple[Trajectory, Verdict]], *, required: bool) -> Iterator[Verdict]:
        """The verdicts, in order, with the judge's answer as their check `tone`. Runs an event loop of its own.

        `required`: an unfit tone loses the conversation.
        """
        questions = ((verdict, self._question(trajectory) if verdict.kept else None) for trajectory, verdict in judged)
        for verdict, answer in ask_each(self._model, questions):  # nobody pays for the tone of a conversation that is lost already
            yield verdict if answer is None else _with(verdict, _read(answer), required)

    def _question(self, trajectory: Trajectory) -> ChatRequest:
        asked = [{"role": "system", "content": ORDER}, {"role": "user", "content": _spoken(trajectory.messages)}]
        return ChatRequest(self._prefix, [orjson.dumps(message) for message in asked], f"tone:{trajectory.id}")


def _spoken(messages: Sequence[Message]) -> str:
    """What the two said to each other; calls and results have no tone."""
    turns = [(message.role, message.content) for message in messages if message.role in ("user", "assistant") and message.content]
    return "\n".join(f"{'agent' if role == 'assistant' else 'customer'}: {content}" for role, content in turns)


def _read(answer: str | Cause) -> Check:
    if isinstance(answer, Cause):
        return Check(name=TONE, result="unclear", detail=f"the judge gave no answer ({answer})")
    value = json_object(answer) or {}
    fit = value.get("fit")
    if not isinstance(fit, bool):
        return Check(name=TONE, result="unclear", detail="the judge's answer cannot be read")
    why = str(value.get("why", ""))[:200]
    return passed(TONE, why) if fit else failed(TONE, "tone", why)


def _with(verdict: Verdict, check: Check, required: bool) -> Verdict:
    checks = tuple(check if each.name == TONE else each for each in verdict.checks)
    lost = {"kept": False, "cause": check.cause, "owner": check.owner} if required and check.result == "fail" else {}
    return verdict.model_copy(update={"checks": checks, **lost})
