"""What a user simulator must not do, as pure functions of what was said.

Simulators stop while the agent still waits for their yes, make up order numbers, and say ids that only the agent can know. A turn that does is
asked for again. The functions lean to silence: a turn that is sent back costs a request, and verification judges independently.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from writ.schema import Instruction, Message, Termination

STOP, TRANSFER, OUT_OF_SCOPE = "###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###"

STOPS: tuple[tuple[str, Termination], ...] = ((OUT_OF_SCOPE, "out_of_scope"), (STOP, "user_stop"), (TRANSFER, "transfer"))
"""What each token means; the first one that is found counts."""

_VALUE = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]*\w"  # e-mail address
    r"|\$ ?\d[\d,]*(?:\.\d+)?"  # amount
    r"|#?\b[A-Za-z]*_?(?:\w*_)?\d{5,}\b"  # numbers of five digits and more, bare or as the end of a name: orders, items, cards, zip codes
    r"|\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{6}\b"  # codes of six: reservations, flights
)

_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_DIGITS = re.compile(r"\d{5,}")

_ASKS = re.compile(r"\b(confirm\w*|proceed|go ahead|\(?yes/no\)?|shall i|should i|would you like me to|do you want me to)\b|[\"'(“]yes[\"')”]", re.I)
_NO_PROPOSAL = re.compile(r"anything else|something else|further assistance|else i can|transfer you|human agent", re.I)
_DECLINES = re.compile(r"\b(unable to|cannot|can't|can’t|not able to|not possible|not allowed|not eligible|unfortunately)\b", re.I)
_ASSENTS = re.compile(
    r"\b(yes|yep|yeah|yup|sure|ok|okay|confirm(ed)?|correct|go ahead|proceed|please do|do it|sounds good|that works|that's right|i agree)\b", re.I
)
_DISSENTS = re.compile(r"\b(no|not|don't|don’t|wait|hold on|instead|cancel that|stop|rather)\b", re.I)


def split_stop(text: str) -> tuple[str, str]:
    """A turn's words and the stop token in it, the first of `STOPS`; an empty token where there is none."""
    token = next((token for token, _ in STOPS if token in text), "")
    for each, _ in STOPS:
        text = text.replace(each, "")
    return text.strip(), token


def termination(token: str) -> Termination:
    """How a conversation ended that this token ended."""
    return dict(STOPS)[token]


def values(text: str) -> frozenset[str]:
    """The ids, e-mail addresses and amounts in a text, spelled so that equal values are equal: `$1,200.00` is `$1200`."""
    return frozenset(_spelled(match.group()) for match in _VALUE.finditer(text))


def mentioned(text: str) -> frozenset[str]:
    """`values` of a text that someone may repeat in other forms: an amount written as a bare number, a card by the digits of its id."""
    amounts = (f"${float(number.replace(',', '')):.10g}" for number in _NUMBER.findall(text))
    return values(text).union(amounts, _DIGITS.findall(text))


def _spelled(value: str) -> str:
    if value.startswith("$"):
        return f"${float(value[1:].replace(',', '')):.10g}"
    return value.lstrip("#").lower()


def known(instruction: Instruction) -> frozenset[str]:
    """All values that this user may say of themselves."""
    facts = [*instruction.identity, *(fact for wish in instruction.facts for fact in wish)]
    texts = [instruction.reason_for_call, instruction.known_info, instruction.unknown_info, instruction.task_instructions, instruction.persona]
    texts += [text for fact in facts for text in (fact.text, fact.wrong, str(fact.value))]
    return mentioned("\n".join(texts))


def invented(said: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """Values in a user's turn that are not among `allowed` (what they know, and what the agent said)."""
    return tuple(sorted(values(said) - frozenset(allowed)))


def leaked(said: str, hidden: Iterable[str], heard: Callable[[str], bool]) -> tuple[str, ...]:
    """Hidden ids in a user's turn that the agent has not said (`heard`)."""
    lowered = said.lower()
    return tuple(each for each in hidden if _stands_in(each.lower(), lowered) and not heard(each))


def _stands_in(identifier: str, text: str) -> bool:
    return identifier in text and re.search(rf"(?<!\w){re.escape(identifier)}(?!\w)", text) is not None


def proposes(text: str) -> bool:
    """Whether an agent's turn asks for a yes to something that it would do."""
    asked = _ASKS.search(text) is not None and not _DECLINES.search(text)
    return asked and not (_NO_PROPOSAL.search(text) and len(_ASKS.findall(text)) < 2)


def assents(text: str) -> bool:
    """Whether a user's turn says yes and takes nothing back."""
    return _ASSENTS.search(text) is not None and not _DISSENTS.search(text)


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
            confirmed = confirmed and not _DECLINES.search(message.content or "")
        elif message.role == "user":
            confirmed = (confirmed or proposed) and not _DISSENTS.search(message.content or "") and (confirmed or assents(message.content or ""))
            proposed = False
    return proposed or confirmed
