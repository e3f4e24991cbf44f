"""A row as token ids and labels: loss on the agent's turns and on nothing else."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from writ.errors import ArtifactError
from writ.schema import Row
from writ.training.render import Rendered, rendered

IGNORED = -100
"""The label of a token without loss, as torch's cross entropy and TRL have it."""


class Encoded(NamedTuple):
    row_id: str
    ids: list[int]
    labels: list[int]

    @property
    def trained(self) -> int:
        """Tokens with loss."""
        return sum(label != IGNORED for label in self.labels)


def encode(tokenizer: Any, row: Row, options: Mapping[str, Any] = MappingProxyType({})) -> Encoded:
    """`options`: of the template. Raises: ArtifactError where that does not keep earlier turns, or a token runs across the edge of a turn."""
    whole = rendered(tokenizer, row.messages, json.loads(row.tools), options)
    found = tokenizer(whole.text, add_special_tokens=False, return_offsets_mapping=True)
    ids, places = list(found["input_ids"]), [tuple(place) for place in found["offset_mapping"]]
    return Encoded(row.id, ids, _labels(row.id, ids, places, whole))


def _labels(row_id: str, ids: list[int], places: list[tuple[int, int]], whole: Rendered) -> list[int]:
    labels = [IGNORED] * len(ids)
    for turn in whole.turns:
        inside = [number for number, (start, end) in enumerate(places) if start < turn.end and end > turn.start]
        if not inside or places[inside[0]][0] < turn.start or places[inside[-1]][1] > turn.end:
            raise ArtifactError(
                f"row {row_id}: a token runs across the edge of the agent's turn at character {turn.start}, so what is trained would begin "
                "with other tokens than what is served; use the model's own tokenizer and template"
            )
        for number in inside:
            labels[number] = ids[number]
    return labels
