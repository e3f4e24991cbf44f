"""Near-duplicates: conversations whose users say nearly the same for nearly the same writes.

A sketch stands for a text's set of shingles: each shingle is hashed once, into one of 64 places, and a place holds the least hash that fell there
(one-permutation MinHash: Li, Owen and Zhang, NIPS 2012). The share of places in which two sketches agree estimates the Jaccard similarity of their
sets, with a standard error of 0.04 at 0.9. Sketches that agree in a whole band of places are compared; a band has as many places as leave a chance of
0.98 that two texts at the threshold agree in one.
"""

import re
from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

from writ.schema import Row, Task

_WORD = re.compile(r"[a-z']+|\d+")
PLACES = 64
SHINGLE_WORDS = 4
_SURE = 0.98
_EMPTY = 2**64 - 1

Sketch: TypeAlias = "array[int]"
"""64 unsigned integers of eight bytes."""


@dataclass(slots=True)
class Seen:
    """An index of the conversations that were let through. Members of a pair or of a behavior family are never near-duplicates of each other."""

    threshold: float
    """Estimated Jaccard similarity of word shingles, in (0, 1]; 1 removes nothing but equals."""
    width: int = field(init=False)
    """Places of a band."""
    bands: dict[bytes, list[int]] = field(default_factory=dict)
    """Hash of a band -> the conversations that have it."""
    ids: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    sketches: list[Sketch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width = band_width(self.threshold)

    def like(self, text: str, example: Row, task: Task) -> str | None:
        """Id of the first near-duplicate that came before; None lets this one through and remembers it."""
        mine = sketch(text)
        family = task.pair.id if task.pair else task.id
        lists = [self.bands.setdefault(name, []) for name in band_names(mine, self.width)]
        for other in sorted({number for numbers in lists for number in numbers}):
            if self.families[other] != family and similarity(mine, self.sketches[other]) >= self.threshold:
                return self.ids[other]
        for numbers in lists:
            numbers.append(len(self.ids))
        self.ids.append(example.id)
        self.families.append(family)
        self.sketches.append(mine)
        return None


def sketch(text: str) -> Sketch:
    """The least hash in each place; a place into which nothing fell has that of the next one that is not empty, so that short texts compare too."""
    least = [_EMPTY] * PLACES
    for shingle in shingles(text):
        value = int.from_bytes(blake2b(shingle.encode(), digest_size=8).digest(), "little")
        place = value % PLACES
        if value < least[place]:
            least[place] = value
    following = next(value for value in least if value != _EMPTY)
    for place in range(PLACES - 1, -1, -1):
        if least[place] == _EMPTY:
            least[place] = following
        following = least[place]
    return array("Q", least)


def similarity(one: Sketch, other: Sketch) -> float:
    """Estimated Jaccard similarity."""
    return sum(map(int.__eq__, one, other)) / PLACES


def band_width(threshold: float) -> int:
    """The widest band, so the fewest comparisons, by which two texts at the threshold are still found almost surely."""
    return max(width for width in (1, 2, 4, 8, 16, 32) if width == 1 or 1 - (1 - threshold**width) ** (PLACES // width) >= _SURE)


def band_names(of: Sketch, width: int) -> list[bytes]:
    """Eight bytes for each band and its number."""
    return [blake2b(of[start : start + width].tobytes(), digest_size=8, salt=bytes([start])).digest() for start in range(0, PLACES, width)]


def shingles(text: str) -> set[str]:
    """Runs of four words; numbers count, since another order is another conversation."""
    words = _WORD.findall(text.lower())
    return {" ".join(words[index : index + SHINGLE_WORDS]) for index in range(max(1, len(words) - SHINGLE_WORDS + 1))}
