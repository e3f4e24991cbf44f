"""What a turn of text says, as far as a rule can tell: which values it states, whether it proposes, assents, dissents or declines.

The user simulator's guards and verification both ask these pure functions; they lean to silence.
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property

from writ.schema import Instruction

_VALUE = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]*\w"  # e-mail address
    r"|\$ ?\d[\d,]*(?:\.\d+)?"  # amount
    r"|#?\b[A-Za-z]*_?(?:\w*_)?\d{5,}\b"  # numbers of five digits and more, bare or as the end of a name: orders, items, cards, zip codes
    r"|\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{6}\b"  # codes of six: reservations, flights
)
_MARKED = re.compile(r"[@\d]")
"""In every value."""
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_DIGITS = re.compile(r"\d{5,}")

_ASKS = re.compile(r"\b(confirm\w*|proceed|go ahead|\(?yes/no\)?|shall i|should i|would you like me to|do you want me to)\b|[\"'(“]yes[\"')”]", re.I)
_NO_PROPOSAL = re.compile(r"anything else|something else|further assistance|else i can|transfer you|human agent", re.I)
_DECLINES = re.compile(r"\b(unable to|cannot|can't|can’t|not able to|not possible|not allowed|not eligible|unfortunately)\b", re.I)
_ASSENTS = re.compile(
    r"\b(yes|yep|yeah|yup|sure|ok|okay|confirm(ed)?|correct|go ahead|proceed|please do|do it|sounds good|that works|that's right"
    r"|i agree|i approve)\b",
    re.I,
)
_SAYS_YES = re.compile(
    r"\W*(\d[.)] )?(yes|yep|yeah|yup|sure|absolutely|confirmed|go ahead|please (proceed|go ahead|do)|i (confirm|approve|agree))\b", re.I
)
_DISSENTS = re.compile(r"\b(no|not|don't|don’t|wait|hold on|instead|cancel that|stop|rather)\b", re.I)
_TAKES_BACK = re.compile(
    r"\W*(no\b|wait\b|hold on\b|hold off\b|stop\b|actually\b|instead\b|however\b|but\b|before (you|we)\b|never ?mind\b"
    r"|(please )?(don't|don’t|do not) (proceed|go ahead|do (it|that|this))|on second thought|i('|’)?d rather"
    r"|i changed my mind|let('|’)?s (hold|wait))",
    re.I,
)
"""How a sentence begins that takes a yes back, in part or whole."""
_HEDGES = re.compile(r"\b(but|except|unless|only if|not yet|not sure|wait|hold on|instead)\b", re.I)
_LEAVES_ALONE = re.compile(
    r"\bno (other|others|longer|further|more|additional|change|changes|rush|problem|worries|need|item modifications?)\b"
    r"|\b(nothing|not anything) else\b"
    r"|\b(don't|don’t|do not|not) (change|modify|touch|return|cancel|exchange|transfer|include|want|need|remember|have)\b"
    r"|\bnot (thrilled|happy|ideal|needed)\b",
    re.I,
)
"""A no that is none to what was proposed: what stays as it is, a reason such as `no longer needed`, a sigh."""
_NO = re.compile(r"no|don", re.I)
"""In every such no."""
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


def values(text: str) -> frozenset[str]:
    """The ids, e-mail addresses and amounts in a text, spelled so that equal values are equal: `$1,200.00` is `$1200`."""
    return _values(_marked(text))


def mentioned(text: str) -> frozenset[str]:
    """`values` of a text that someone may repeat in other forms: an amount written as a bare number, a card by the digits of its id."""
    words = _marked(text)
    amounts = (f"${float(number.replace(',', '')):.10g}" for number in _NUMBER.findall(words))
    return _values(words).union(amounts, _DIGITS.findall(words))


def _marked(text: str) -> str:
    """The words that may hold a value: the patterns are slow on plain ones."""
    if not _MARKED.search(text):
        return ""
    return " ".join(word for word in text.replace("$ ", "$").split() if not word.isalpha() and _MARKED.search(word))


def _values(words: str) -> frozenset[str]:
    return frozenset(_spelled(match.group()) for match in _VALUE.finditer(words))


def _spelled(value: str) -> str:
    if value.startswith("$"):
        return f"${float(value[1:].replace(',', '')):.10g}"
    return value.lstrip("#").lower()


class Knows:
    """What a user may say of themselves. Most of it stands in the facts, so the long script is seldom read."""

    def __init__(self, instruction: Instruction) -> None:
        self._instruction = instruction

    @cached_property
    def from_facts(self) -> frozenset[str]:
        told = self._instruction
        facts = [*told.identity, *(fact for wish in told.facts for fact in wish)]
        return mentioned("\n".join(text for fact in facts for text in (fact.text, fact.wrong, str(fact.value))))

    @cached_property
    def from_script(self) -> frozenset[str]:
        told = self._instruction
        texts = (told.reason_for_call, told.known_info, told.unknown_info, told.task_instructions, told.persona, told.unavailable)
        return mentioned("\n".join(texts))

    def strange(self, said: str) -> frozenset[str]:
        """Values in a turn that are not among them."""
        left = values(said)
        left = left and left - self.from_facts
        return left and left - self.from_script


def known(instruction: Instruction) -> frozenset[str]:
    """All values that this user may say of themselves, in every form."""
    knows = Knows(instruction)
    return knows.from_facts | knows.from_script


def invented(said: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """Values in a user's turn that are not among `allowed` (`known`, and `mentioned` of what the agent said)."""
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
    sentences = _said(text)
    if any(_TAKES_BACK.match(sentence) for sentence in sentences):
        return False
    plain = next((sentence for sentence in sentences if _SAYS_YES.match(sentence)), None)
    if plain is not None:
        return not _HEDGES.search(plain)
    return _ASSENTS.search(text) is not None and not _DISSENTS.search(" ".join(sentences))


def dissents(text: str) -> bool:
    """Whether a turn says no, or takes something back."""
    sentences = _said(text)
    against = any(_TAKES_BACK.match(sentence) or _DISSENTS.search(sentence) for sentence in sentences)
    return against and not assents(text)


def _said(text: str) -> list[str]:
    """The sentences of a turn, without a no that is none to what was proposed."""
    if _NO.search(text):
        text = _LEAVES_ALONE.sub(" ", text)
    return [sentence for sentence in _SENTENCES.split(text) if sentence.strip()]


def declines(text: str) -> bool:
    """Whether an agent's turn says that something cannot be done."""
    return _DECLINES.search(text) is not None
