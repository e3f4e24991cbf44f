"""Every setting of writ, in one frozen tree. It is read once, in `cli.py`; nothing else reads files or the environment for settings.

Fields declared with `execution` change how a run goes, not what it makes: they enter no artifact key.
"""

from typing import Literal

from pydantic import Field, model_validator

from writ.schema import Kind, Record, execution


class DomainsConfig(Record):
    """Which domains, over which databases."""

    names: tuple[str, ...] = ("retail", "airline")
    """Domains of the run."""
    code: dict[str, str] = {}
    """Where the code of a further domain is: `{library: examples/library}` (a folder with `domain.py`, or a dotted module)."""
    data: str | None = execution(None)
    """Folder with `<domain>/{db.json, policy.md, tasks.json, tools.json}` and two prompt files; None: a generated database.

    The key holds what the files say, not where they stand."""
    users: int = Field(500, ge=1)
    """Users of a generated database."""


class TasksConfig(Record):
    """Which tasks are wanted, and how sure they must be."""

    mix: dict[Kind, float] = {"read_heavy": 0.3, "write_intensive": 0.35, "normal": 0.2, "refusal": 0.15}
    """Shares of kept conversations by kind; they are scaled to sum to 1."""
    pair_share: float = Field(0.1, ge=0, le=0.5)
    """Share of kept conversations that are members of matched pairs; taken out of read_heavy."""
    max_writes: int = Field(6, ge=1, le=6)
    min_margin: float = Field(0.0, ge=0)
    """A superlative's winner must win by more than this, in the criterion's unit (dollars, minutes)."""
    reserve_share: float = Field(0.2, ge=0)
    """Spare tasks per wanted conversation of a cell; at least two per cell where the database has them."""
    batch_size: int = Field(20, ge=1)
    """Wanted conversations per batch."""
    held_out_share: float = Field(0.15, ge=0, lt=1)
    """Share of persons kept out of training data."""
    salt: str = "writ"
    """Deals persons into train and held-out; change it to deal anew."""
    split: Literal["train", "held_out"] = "train"
    """Whose tasks are made."""
    proposals_per_kind: int = Field(12, ge=1)
    """Proposals that are certified per user and kind of wish."""

    @model_validator(mode="after")
    def _positive(self) -> "TasksConfig":
        if not self.mix or min(self.mix.values()) < 0 or sum(self.mix.values()) <= 0:
            raise ValueError("shares must be >= 0 and not all zero")
        return self
