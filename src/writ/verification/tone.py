"""The optional check that asks a model: whether the agent's tone is fit for a customer. A judge that fails says `unclear`, and loses nothing."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import orjson

from writ.llm import ChatReply, ChatRequest, EndpointSettings, ModelFault, request_prefix
from writ.schema import Check, Message, Trajectory, Verdict
from writ.verification.case import failed, passed

TONE = "tone"
ORDER = (
    "You judge the tone of a service agent in a finished conversation with a customer, and nothing else: not whether what was done is right, and not "
    "what the customer says. The tone is fit where each turn of the agent is polite, plain and free of blame, mockery, flattery and pressure; a "
    'short or dry turn is fit. Answer with one JSON object and no other text: {"why": "one short sentence", "fit": true}.'
)


class Model(Protocol):
    """The part of an endpoint that judging needs."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Raises: ModelFault where this request cannot be answered."""
        ...

    async def close(self) -> None: ...


class ToneJudge:
    """Asks a model about the conversations that all other checks keep, `at_once` of them at a time, in order."""

    def __init__(self, model: Model, settings: EndpointSettings, *, at_once: int = 64) -> None:
        self._model = model
        self._prefix = request_prefix(settings)
        self._at_once = at_once

    def applied(self, judged: Iterable[tuple[Trajectory, Verdict]], *, required: bool) -> Iterator[Verdict]:
        """The verdicts with the judge's answer as their check `tone`. Runs an event loop of its own.

        `required`: an unfit tone loses the conversation.
        """
        stream = iter(judged)
        with asyncio.Runner() as loop:
            while chunk := list(islice(stream, self._at_once)):
                checks = loop.run(self._ask_all([trajectory if verdict.kept else None for trajectory, verdict in chunk]))
                yield from (_with(verdict, check, required) if check else verdict for (_, verdict), check in zip(chunk, checks, strict=True))
            loop.run(self._model.close())

    async def _ask_all(self, chunk: Sequence[Trajectory | None]) -> list[Check | None]:
        return list(await asyncio.gather(*map(self._ask, chunk)))

    async def _ask(self, trajectory: Trajectory | None) -> Check | None:
        """None for a conversation that is lost already: nobody pays for its tone."""
        if trajectory is None:
            return None
        asked = [{"role": "system", "content": ORDER}, {"role": "user", "content": _spoken(trajectory.messages)}]
        try:
            reply = await self._model.complete(ChatRequest(self._prefix, [orjson.dumps(message) for message in asked], f"tone:{trajectory.id}"))
        except ModelFault as fault:
            return Check(name=TONE, result="unclear", detail=f"the judge gave no answer ({fault.cause})")
        return _read(reply.content or "")


def _spoken(messages: Sequence[Message]) -> str:
    """What the two said to each other; calls and results have no tone."""
    turns = [(message.role, message.content) for message in messages if message.role in ("user", "assistant") and message.content]
    return "\n".join(f"{'agent' if role == 'assistant' else 'customer'}: {content}" for role, content in turns)


def _read(answer: str) -> Check:
    start, end = answer.find("{"), answer.rfind("}")
    try:
        value = json.loads(answer[start : end + 1])
    except ValueError:
        value = None
    fit = value.get("fit") if isinstance(value, dict) else None
    if not isinstance(fit, bool):
        return Check(name=TONE, result="unclear", detail="the judge's answer cannot be read")
    why = str(value.get("why", ""))[:200]
    return passed(TONE, why) if fit else failed(TONE, "tone", why)


def _with(verdict: Verdict, check: Check, required: bool) -> Verdict:
    checks = tuple(check if each.name == TONE else each for each in verdict.checks)
    lost = {"kept": False, "cause": check.cause, "owner": check.owner} if required and check.result == "fail" else {}
    return verdict.model_copy(update={"checks": checks, **lost})
