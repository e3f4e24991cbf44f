"""Faults that the scripted model makes on request, and the labels that say what each of them is.

A fault is *armed* for a conversation by its rate, and fires at most once, where it first can. Whether it is armed follows from the conversation
alone, so that a fault is part of the same pure function as the words. A label says what verification must find: a lethal fault has its cause, a
benign one must not cost the conversation. Faults of the wire (429, hang, cut bodies) are those of `writ.llm.faults`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from writ.errors import ConfigError

AGENT_FAULTS: Mapping[str, str] = {
    "wrong_argument": "a confirmed write with another value than the one agreed on",
    "malformed_arguments": "a call whose arguments are no JSON, then the right call",
    "unknown_tool": "a call of a tool that there is not, then the right call",
    "crowded_turn": "text beside a call",
    "no_confirmation": "a write that was neither announced nor agreed to",
    "missing_read": "a decision without one of the reads that prove it",
    "missing_write": "a write that is said to be done and was not made",
    "repeated_write": "a write made twice",
    "extra_write": "a write that nobody asked for",
    "forbidden_write": "a write that the rules deny, attempted instead of declined",
    "missing_fact": "a value that the user asked for is left out",
    "not_declined": "a denied wish is passed over in silence",
    "missing_transfer": "a case for a human is declined in words",
    "needless_transfer": "a settled case is handed to a human",
    "empty_reply": "a reply without text and calls",
    "extra_read": "a read that was made before (benign)",
    "failed_read": "a read with a garbled id, then the right one (benign)",
}

USER_FAULTS: Mapping[str, str] = {
    "invented_id": "a number that is in no script",
    "leaked_id": "an id that the wish hides",
    "premature_stop": "the end, where the agent waits for a yes",
    "wish_not_voiced": "the end, before the last wish was said",
    "out_of_scope": "gives up although the script goes on",
    "empty_turn": "a turn without words",
    "unclear_answer": "neither yes nor no, and a yes when asked again (benign)",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a fault is, written down as it happens."""

    name: str
    lethal: bool
    cause: str = ""
    turn: int | None = None
    """Index of the message that carries it, greeting = 0; None: the message that this label travels with."""

    def record(self) -> dict[str, Any]:
        return {"name": self.name, "lethal": self.lethal, "cause": self.cause, "turn": self.turn}


class Faults:
    """The armed faults of one side of one conversation, and the labels of those that fired."""

    __slots__ = ("_armed", "_labels")

    def __init__(self, rates: Mapping[str, float], conversation: str) -> None:
        self._armed = {name for name, rate in rates.items() if _draw(conversation, name) < rate}
        self._labels: list[Label] = []

    def armed(self, name: str) -> bool:
        return name in self._armed

    def fire(self, name: str) -> bool:
        """Whether the fault is to happen now; it will not happen again."""
        if name not in self._armed:
            return False
        self._armed.remove(name)
        return True

    def label(self, name: str, cause: str = "", turn: int | None = None) -> None:
        """Writes a fired fault down; without a cause it is benign."""
        self._labels.append(Label(name, bool(cause), cause, turn))

    def taken(self) -> tuple[Label, ...]:
        """The labels since the last call."""
        labels = tuple(self._labels)
        self._labels.clear()
        return labels


def checked(rates: Mapping[str, float]) -> Mapping[str, float]:
    """The rates, if all are of known faults and from 0 to 1. Raises: ConfigError."""
    for name, rate in rates.items():
        if name not in AGENT_FAULTS and name not in USER_FAULTS:
            raise ConfigError(f"fault '{name}' is unknown; there are {', '.join((*AGENT_FAULTS, *USER_FAULTS))}")
        if not 0 <= rate <= 1:
            raise ConfigError(f"fault '{name}' has rate {rate:g}; a rate is from 0 to 1")
    return rates


def _draw(conversation: str, name: str) -> float:
    digest = hashlib.sha256(f"{conversation}:{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
