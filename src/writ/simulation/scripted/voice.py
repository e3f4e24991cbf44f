"""Varied wording from a phrasebook: what the scripted user and agent say is drawn here."""

from collections.abc import Mapping
from importlib import resources
from random import Random
from typing import Any

from writ.domains.wording import phrasebook, spin


class Unvaried(Random):
    """Draws the first of whatever there is: who speaks with it says a thing always the same way."""

    def choice(self, seq: Any) -> Any:
        return seq[0]

    def random(self) -> float:
        return 1.0

    def shuffle(self, x: Any) -> None:
        return None


class Voice:
    """One side's words in one conversation; each draw moves its random numbers on."""

    __slots__ = ("_book", "rng")

    def __init__(self, book: Mapping[str, tuple[str, ...]], rng: Random) -> None:
        self._book = book
        self.rng = rng

    def say(self, phrase: str, **slots: object) -> str:
        return capital(spin(self.rng, self.rng.choice(self._book[phrase]), slots))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share


def book(name: str) -> Mapping[str, tuple[str, ...]]:
    """The phrasebook `<name>.txt` beside this file."""
    return phrasebook(resources.files("writ.simulation.scripted").joinpath(f"{name}.txt").read_text())


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """The text with a small first letter, where the first word is an ordinary one."""
    first = text.split(" ", 1)[0]
    ordinary = first == "A" or (len(first) > 1 and first[1:].isalpha() and first[1:].islower())
    return text[0].lower() + text[1:] if ordinary else text


def clause(sentence: str) -> str:
    """A sentence as part of another: no full stop, and a small first letter."""
    return small(sentence.strip().rstrip("."))


def closed(text: str) -> str:
    """The text with a full stop, unless it ends in a mark already."""
    return text if text[-1:] in ".?!" else f"{text}."


def words(name: str) -> str:
    return name.replace("_", " ")
