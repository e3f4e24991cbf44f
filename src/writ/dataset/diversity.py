"""How varied are the words? Measured over conversations, per role, with ids, names and numbers masked."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_MASKS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"), "<email>"),
    (re.compile(r"\$ ?\d[\d,]*(?:\.\d+)?|(?<!\w)\d+(?:[.,:/-]\d+)*(?!\w)"), "<n>"),
    (re.compile(r"#?\b(?=[\w-]*\d)\w[\w-]*\b"), "<id>"),
    (re.compile(r"(?<=[a-z,] )(?:[A-Z][\w'’]+ ?)+"), "<name> "),
)


def masked_sentences(text: str) -> list[str]:
    """Sentences with what makes them particular replaced, in lower case."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    sentences = (" ".join(found.lower().split()) for found in _SENTENCE.findall(text))
    return [sentence for sentence in sentences if len(sentence) > 2]


@dataclass(slots=True)
class Diversity:
    """Counts over conversations; memory grows with the number of distinct masked sentences."""

    conversations: int = 0
    sentences: dict[str, Counter[str]] = field(default_factory=lambda: {"user": Counter(), "assistant": Counter()})
    """Per role: in how many conversations a masked sentence stands at least once, and at what total."""
    totals: Counter[str] = field(default_factory=Counter)
    trigrams: dict[str, set[int]] = field(default_factory=lambda: {"user": set(), "assistant": set()})
    words: Counter[str] = field(default_factory=Counter)

    def add(self, messages: Sequence[dict[str, Any]]) -> None:
        self.conversations += 1
        for message in messages:
            role = message["role"]
            if role in self.sentences and message.get("content"):
                found = masked_sentences(message["content"])
                self._trigrams(role, found)
                self.sentences[role].update(found)
                self.totals[role] += len(found)

    def _trigrams(self, role: str, sentences: Iterable[str]) -> None:
        """Those of a sentence that was met before are counted, but not hashed again: most sentences were."""
        for sentence in sentences:
            self.words[role] += max(0, sentence.count(" ") - 1)
            if sentence not in self.sentences[role]:
                words = sentence.split(" ")
                runs = (" ".join(words[index : index + 3]) for index in range(len(words) - 2))
                self.trigrams[role].update(zlib.crc32(run.encode(errors="surrogatepass")) for run in runs)

    def commonest(self, role: str, prescribed: Sequence[str] = (), most: int = 5) -> list[tuple[str, float]]:
        """The commonest masked sentences of a role and their share of all its sentences; those that the protocol prescribes are left out."""
        masked = {sentence for text in prescribed for sentence in masked_sentences(text)}
        total = self.totals[role] or 1
        return [(sentence, number / total) for sentence, number in self.sentences[role].most_common(most + len(masked)) if sentence not in masked][
            :most
        ]

    def distinct_trigrams(self, role: str) -> float:
        """Distinct masked word trigrams over all of them."""
        return len(self.trigrams[role]) / self.words[role] if self.words[role] else 0.0


PRESCRIBED = (
    "Hi! How can I help you today?",
    "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.",
    "###STOP###",
    "###TRANSFER###",
    "###OUT-OF-SCOPE###",
)
"""What the protocol prescribes word for word."""
