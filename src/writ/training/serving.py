"""Trained weights behind an OpenAI-compatible URL, for tests and for machines without a GPU. For real models take vLLM.

A request is rendered by the renderer that training used. Requests that wait are decoded together; a reply's text is read as vLLM reads it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from writ.errors import ArtifactError, ConfigError
from writ.llm.server import Reply, error_reply
from writ.training.calls import READERS, Reader, reader_of
from writ.training.decode import Ask, Decoder, Wrote
from writ.training.render import render

MOST_TOKENS = 1024
"""Of a reply whose request sets no `max_tokens`: a model that never ends its turn must not hold up the others."""

_UNKNOWN = ("stream", "response_format", "logprobs", "guided_json", "logit_bias", "stop")
"""Members of a request that would change the reply, and that this server does not do: refused where set, never passed over."""


class Weights(NamedTuple):
    tokenizer: Any
    decode: Callable[[Sequence[Ask]], list[Wrote]]
    longest: int


def load(folder: Path, threads: int) -> Weights:
    """Raises: ConfigError where the folder holds no model."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(threads)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32)
    except (OSError, ValueError) as e:
        raise ConfigError(
            f"{folder} holds no weights with a tokenizer ({str(e).splitlines()[0]}); name the folder that `writ train --to` made"
        ) from e
    decoder = Decoder(model.to("cuda" if torch.cuda.is_available() else "cpu"), ends(tokenizer, model), tokenizer.pad_token_id or 0)
    return Weights(tokenizer, decoder, decoder.longest)


def ends(tokenizer: Any, model: Any) -> frozenset[int]:
    """Tokens that end a turn: the tokenizer's, and those that the model's generation settings name."""
    named = model.generation_config.eos_token_id
    return frozenset({tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None})


class Served:
    """Answers decoded chat completion requests; hand it to `writ.llm.server.serve`. The loop that first asks owns it."""

    def __init__(self, weights: Weights, *, reader: str = "", at_once: int = 32) -> None:
        """`reader`: a name of READERS; by the template where empty. `at_once`: most requests in one batch."""
        self._weights = weights
        self._read: Reader = READERS[reader or reader_of(weights.tokenizer.chat_template)]
        self._at_once = at_once
        self._waiting: list[tuple[Ask, asyncio.Future[Wrote]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, request: dict[str, Any]) -> Reply:
        try:
            ask = self._ask(request)
        except Refused as refusal:
            return error_reply(400, refusal.reason, code=refusal.code)
        return self._reply(request, ask, await self._decoded(ask))

    def _ask(self, request: Mapping[str, Any]) -> Ask:
        for member in _UNKNOWN:
            if request.get(member):
                raise Refused(f"this server does not do `{member}`")
        if request.get("n") not in (None, 1) or request.get("tool_choice") not in (None, "auto", "none"):
            raise Refused("this server does n=1 and tool_choice auto or none")
        ids = self._prompt(request)
        room = self._weights.longest - len(ids)
        if room < 1:
            length = f"maximum context length is {self._weights.longest} tokens, the prompt has {len(ids)}"
            raise Refused(length, "context_length_exceeded")
        most = min(room, request.get("max_completion_tokens") or request.get("max_tokens") or MOST_TOKENS)
        return Ask(ids, most, float(request.get("temperature") or 0.0), float(request.get("top_p") or 1.0), int(request.get("seed") or 0))

    def _prompt(self, request: Mapping[str, Any]) -> list[int]:
        from jinja2 import TemplateError

        try:
            if any(not isinstance(message["role"], str) for message in request["messages"]):
                raise TypeError("a role is no text")
            text = render(
                self._weights.tokenizer,
                request["messages"],
                request.get("tools") or (),
                options=request.get("chat_template_kwargs") or {},
                ask=True,
            )
        except (KeyError, TypeError, ValueError, ArtifactError, TemplateError) as e:
            raise Refused(f"the chat template cannot render these messages: {e}") from e
        ids: list[int] = self._weights.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    async def _decoded(self, ask: Ask) -> Wrote:
        future: asyncio.Future[Wrote] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, future))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        """Decodes all that waits, batch by batch, on a thread of its own. A batch that fails fails its own requests only."""
        while self._waiting:
            batch = [(ask, future) for ask, future in self._waiting[: self._at_once] if not future.done()]
            del self._waiting[: self._at_once]
            if not batch:
                continue
            try:
                wrote = await asyncio.to_thread(self._weights.decode, [ask for ask, _ in batch])
            except RuntimeError as e:  # torch's: no memory left, or a shape that the model refuses
                for _, future in batch:
                    _settle(future, e)
                continue
            for (_, future), each in zip(batch, wrote, strict=True):
                _settle(future, each)

    def _reply(self, request: Mapping[str, Any], ask: Ask, wrote: Wrote) -> Reply:
        text = self._weights.tokenizer.decode(wrote.ids, skip_special_tokens=False)
        said = self._read(text) if request.get("tools") and request.get("tool_choice") != "none" else None
        calls = said.calls if said else ()
        message: dict[str, Any] = {"role": "assistant", "content": said.content if said else text}
        if calls:
            message["tool_calls"] = [
                {"id": f"call_{len(ask.ids)}_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for number, (name, arguments) in enumerate(calls)
            ]
        reason = "length" if not wrote.ended else "tool_calls" if calls else "stop"
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": reason}
        used = {"prompt_tokens": len(ask.ids), "completion_tokens": len(wrote.ids) + wrote.ended}
        whole: dict[str, Any] = {
            "id": "chatcmpl-writ",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [choice],
            "usage": {**used, "total_tokens": sum(used.values())},
        }
        if request.get("return_token_ids"):
            whole["prompt_token_ids"] = ask.ids
            choice["token_ids"] = wrote.ids
        return Reply(orjson.dumps(whole))


def _settle(future: "asyncio.Future[Wrote]", outcome: Wrote | RuntimeError) -> None:
    """Nothing where whoever asked has left."""
    if future.done():
        return
    if isinstance(outcome, Wrote):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


class Refused(Exception):
    """A request that gets a 400."""

    def __init__(self, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
