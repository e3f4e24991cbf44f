"""One question each to a model about many things: is this tone fit, say this in other words. No answer is data, not a failure."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Protocol, TypeVar

from writ.llm import Cause, ChatReply, ChatRequest, ModelFault

T = TypeVar("T")


class Model(Protocol):
    """The part of an endpoint that asking needs."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Raises: ModelFault where this request cannot be answered."""
        ...

    async def close(self) -> None: ...


def ask_each(model: Model, questions: Iterable[tuple[T, ChatRequest | None]], *, at_once: int = 64) -> Iterator[tuple[T, str | Cause | None]]:
    """Each thing with the text of its answer, in order; the cause where none came, None where nothing was asked.

    `at_once` of them are on their way at a time. Runs an event loop of its own, and closes the model behind the last.
    """
    stream = iter(questions)
    with asyncio.Runner() as loop:
        try:
            while chunk := list(islice(stream, at_once)):
                answers = loop.run(_answers(model, [request for _, request in chunk]))
                yield from ((thing, answer) for (thing, _), answer in zip(chunk, answers, strict=True))
        finally:
            loop.run(model.close())


async def _answers(model: Model, requests: list[ChatRequest | None]) -> list[str | Cause | None]:
    return list(await asyncio.gather(*(_answer(model, request) for request in requests)))


async def _answer(model: Model, request: ChatRequest | None) -> str | Cause | None:
    if request is None:
        return None
    try:
        return (await model.complete(request)).content or ""
    except ModelFault as fault:
        return fault.cause


def json_object(answer: str) -> dict[str, Any] | None:
    """The outermost JSON object in an answer; text around it, such as a code fence, is ignored. None where there is none."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        value = json.loads(answer[start : end + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
