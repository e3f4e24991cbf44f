"""The one renderer: a conversation as the text that a chat template makes of it, for training and for serving alike.

Servers decode a call's arguments before they render it, so the same is done here; a template then spells them by its own `tojson`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from writ.errors import ArtifactError


class Span(NamedTuple):
    """Characters of one agent turn in the rendered text: what the model writes, with the mark that ends the turn."""

    start: int
    end: int


class Rendered(NamedTuple):
    text: str
    turns: tuple[Span, ...]
    """The agent's turns in order."""


def render(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], *, options: Mapping[str, Any], ask: bool = False
) -> str:
    """`ask`: with the opening of the agent's next turn, as a server renders a request. `options`: a server gets them as `chat_template_kwargs`."""
    text: str = tokenizer.apply_chat_template(
        [_decoded(message) for message in messages], tools=list(tools) or None, tokenize=False, add_generation_prompt=ask, **options
    )
    return text


def rendered(tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Rendered:
    """The whole conversation, and where the agent's turns are in it.

    Each turn begins where the prompt ends that a server would be sent for it. Raises: ArtifactError where a template writes a turn's prompt
    otherwise once more has been said: what would be trained is then not what is served.
    """
    whole = render(tokenizer, messages, tools, options=options)
    turns = []
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            prompt = render(tokenizer, messages[:index], tools, options=options, ask=True)
            said = render(tokenizer, messages[: index + 1], tools, options=options)
            if not (said.startswith(prompt) and whole.startswith(said)):
                raise ArtifactError(
                    f"the chat template renders turn {index} otherwise in a longer conversation than when it is asked for, so training would "
                    "not match serving; use a template that keeps earlier turns as they are (an Instruct model's, without thinking)"
                )
            turns.append(Span(len(prompt), len(said)))
    return Rendered(whole, tuple(turns))


def _decoded(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as templates take it: arguments as objects, no member that is null."""
    plain = {name: value for name, value in message.items() if value is not None}
    if not plain.get("tool_calls"):
        plain.pop("tool_calls", None)
        return plain
    return {**plain, "tool_calls": [{**call, "function": _function(call["function"])} for call in plain["tool_calls"]]}


def _function(function: Mapping[str, Any]) -> dict[str, Any]:
    arguments = function["arguments"]
    return {"name": function["name"], "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments}
