"""What a user simulator must not do, as pure functions of what was said.

Simulators stop while the agent still waits for their yes, make up order numbers, and say ids that only the agent can know. A turn that does is
asked for again. What a text says is read by `writ.domains.speech`, which leans to silence: a turn that is sent back costs a request.
"""

from collections.abc import Callable, Sequence

from writ.domains.speech import assents, declines, dissents, proposes
from writ.schema import Message, Termination

STOP, TRANSFER, OUT_OF_SCOPE = "###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###"

STOPS: tuple[tuple[str, Termination], ...] = ((OUT_OF_SCOPE, "out_of_scope"), (STOP, "user_stop"), (TRANSFER, "transfer"))
"""What each token means; the first one that is found counts."""


def split_stop(text: str) -> tuple[str, str]:
    """A turn's words and the stop token in it, the first of `STOPS`; an empty token where there is none."""
    token = next((token for token, _ in STOPS if token in text), "")
    for each, _ in STOPS:
        text = text.replace(each, "")
    return text.strip(), token


def termination(token: str) -> Termination:
    """How a conversation ended that this token ended."""
    return dict(STOPS)[token]


def write_pending(messages: Sequence[Message], settles: Callable[[str], bool]) -> bool:
    """Whether the agent waits for the user's yes, or has it and has not yet acted.

    `settles` tells the tools that end such a wait: those that write, and the transfer to a human.
    """
    proposed = confirmed = False
    for message in messages:
        if message.tool_calls:
            if any(settles(call.name) for call in message.tool_calls):
                proposed = confirmed = False
        elif message.role == "assistant":
            proposed = proposes(message.content or "")
            confirmed = confirmed and not declines(message.content or "")
        elif message.role == "user":
            confirmed = not dissents(message.content or "") and (confirmed or (proposed and assents(message.content or "")))
            proposed = False
    return proposed or confirmed
