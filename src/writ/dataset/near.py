"""Near-duplicates: conversations whose users say nearly the same for nearly the same writes."""

import re
from dataclasses import dataclass, field

from datasketch import MinHash, MinHashLSH

from writ.schema import Row, Task

_WORD = re.compile(r"[a-z']+|\d+")
PERMUTATIONS = 64
SHINGLE_WORDS = 4


@dataclass(slots=True)
class Seen:
    """An index of the conversations that were let through. Members of a pair or of a behavior family are never near-duplicates of each other."""

    threshold: float
    """Estimated Jaccard similarity of word shingles, in (0, 1]; 1 removes nothing but equals."""
    index: MinHashLSH = field(init=False)
    families: dict[str, str] = field(default_factory=dict)
    sketches: dict[str, MinHash] = field(default_factory=dict)
    blank: MinHash = field(default_factory=lambda: MinHash(num_perm=PERMUTATIONS, seed=1))
    """What sketches are copied from: drawing the permutations costs as much as a sketch."""

    def __post_init__(self) -> None:
        self.index = MinHashLSH(threshold=min(self.threshold, 0.95), num_perm=PERMUTATIONS)

    def like(self, text: str, example: Row, task: Task) -> str | None:
        """Id of a near-duplicate that came before; None lets this one through and remembers it."""
        sketch = self.blank.copy()
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        family = task.pair.id if task.pair else task.id
        for other in sorted(self.index.query(sketch)):
            if self.families[other] != family and sketch.jaccard(self.sketches[other]) >= self.threshold:
                return str(other)
        self.index.insert(example.id, sketch)
        self.families[example.id] = family
        self.sketches[example.id] = sketch
        return None


def shingles(text: str) -> set[str]:
    """Runs of four words; numbers count, since another order is another conversation."""
    words = _WORD.findall(text.lower())
    return {" ".join(words[index : index + SHINGLE_WORDS]) for index in range(max(1, len(words) - SHINGLE_WORDS + 1))}
