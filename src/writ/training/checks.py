"""What is asked of the rows before any money is spent. Nothing is cut, and nothing is left out without being named."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from random import Random
from typing import Any

from writ.errors import ArtifactError, ConfigError
from writ.schema import Record, Row
from writ.settings import TrainingConfig
from writ.training.encode import Encoded, encode


class RowsReport(Record):
    """What the rows are, by the model's own tokenizer and template."""

    rows: int
    excluded: tuple[str, ...]
    """Ids of rows over `max_length_tokens`, left out by `overlong: exclude`."""
    tokens: int
    trained_tokens: int
    longest_tokens: int
    scripted_rows: int

    @property
    def trained_share(self) -> float:
        return self.trained_tokens / self.tokens if self.tokens else 0.0


def prepare(tokenizer: Any, rows: Iterable[Row], config: TrainingConfig) -> tuple[list[Encoded], RowsReport]:
    """Every row as ids and labels, and the report.

    Raises: ArtifactError (no rows, over length, control tokens, nothing to train, a template that does not fit); ConfigError (scripted rows).
    """
    encoded: list[Encoded] = []
    excluded: list[str] = []
    scripted = 0
    for row in rows:
        scripted += _admitted(tokenizer, row, config)
        made = encode(tokenizer, row, config.template_options)
        if len(made.ids) > config.max_length_tokens:
            excluded.append(_over(made, config))
            continue
        if not made.trained:
            raise ArtifactError(f"row {row.id} has no turn of the agent, so nothing in it would be trained; make the dataset again")
        encoded.append(made)
    if not encoded:
        raise ArtifactError(f"no row is left to train on ({len(excluded)} over {config.max_length_tokens} tokens); raise training.max_length_tokens")
    encoded = _budgeted(encoded, config)
    return encoded, _report(encoded, excluded, scripted)


def _budgeted(encoded: list[Encoded], config: TrainingConfig) -> list[Encoded]:
    """All, or as many as the budget allows, in an order that the seed draws."""
    if config.most_rows is None and config.most_tokens is None:
        return encoded
    drawn = Random(f"budget:{config.seed}").sample(encoded, len(encoded))[: config.most_rows]
    before = accumulate((len(each.ids) for each in drawn), initial=0)
    return [each for each, tokens in zip(drawn, before, strict=False) if config.most_tokens is None or tokens < config.most_tokens]


def _admitted(tokenizer: Any, row: Row, config: TrainingConfig) -> bool:
    """Whether the row is scripted. Raises for one that must not be trained on."""
    if row.source == "scripted" and not config.allow_scripted:
        raise ConfigError(
            f"row {row.id} was said by the scripted model, which teaches a model its templates; "
            "simulate with a real one, or set training.allow_scripted=true"
        )
    for text in _texts(row):
        for token in control_tokens(tokenizer):
            if token in text:
                raise ArtifactError(f"row {row.id} holds the control token {token!r} in a text, where it would act as one; make the dataset again")
    return row.source == "scripted"


def control_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Texts that the tokenizer reads as control tokens wherever they stand."""
    return tuple(token.content for token in tokenizer.added_tokens_decoder.values() if token.special)


def _texts(row: Row) -> Iterator[str]:
    for message in row.messages:
        yield message.get("content") or ""
        yield from (call["function"]["arguments"] for call in message.get("tool_calls") or ())


def _over(made: Encoded, config: TrainingConfig) -> str:
    if config.overlong == "error":
        raise ArtifactError(
            f"row {made.row_id} has {len(made.ids)} tokens, over training.max_length_tokens={config.max_length_tokens}; raise it, "
            "or set training.overlong=exclude to leave such rows out and list them in the card"
        )
    return made.row_id


def _report(encoded: list[Encoded], excluded: list[str], scripted: int) -> RowsReport:
    return RowsReport(
        rows=len(encoded),
        excluded=tuple(excluded),
        tokens=sum(len(each.ids) for each in encoded),
        trained_tokens=sum(each.trained for each in encoded),
        longest_tokens=max(len(each.ids) for each in encoded),
        scripted_rows=scripted,
    )
