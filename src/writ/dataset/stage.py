"""The dataset stage: kept conversations become rows, files, a card and a certificate."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from writ.dataset import decontamination
from writ.dataset.card import Tally, card
from writ.dataset.diversity import Diversity
from writ.dataset.formats import Emit, Files, preference
from writ.dataset.near import Seen
from writ.dataset.rows import control_token, goal_text, row
from writ.domains.people import split_of
from writ.domains.registry import OpenDomain, open_domain
from writ.errors import ArtifactError
from writ.schema import DomainSnapshot, Instruction, Row, Task, Trajectory, Verdict
from writ.settings import DatasetConfig
from writ.streams import Conversation, conversations

PREFERENCES_PER_FILE = 2_000


def build(
    config: DatasetConfig,
    *,
    held_out: Mapping[str, Any],
    domain: Iterable[DomainSnapshot],
    tasks: Iterable[Task],
    instructions: Iterable[Instruction],
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    emit: Emit,
) -> Iterator[Row]:
    """Rows in the order of the tasks; files beside them through `emit`. Raises: ArtifactError where verdicts do not follow the trajectories."""
    sites = {snapshot.name: open_domain(snapshot) for snapshot in domain}
    maker = _Maker(config, sites, held_out["salt"], held_out["share"], Files(config.formats, emit))
    verdict_stream = iter(verdicts)
    for conversation in conversations(tasks, instructions, trajectories):
        verdict = next(verdict_stream, None)
        if verdict is None or verdict.trajectory_id != conversation.trajectory.id:
            raise ArtifactError(f"no verdict follows for trajectory {conversation.trajectory.id}; run 'writ stage verify' again")
        made = maker.consider(conversation, verdict)
        if made is not None:
            yield made
    maker.finish()


@dataclass(slots=True)
class _Maker:
    """What is known while conversations pass by."""

    config: DatasetConfig
    sites: dict[str, OpenDomain]
    salt: str
    share: float
    files: Files
    tally: Tally = field(default_factory=Tally)
    diversity: Diversity = field(default_factory=Diversity)
    findings: decontamination.Findings = field(default_factory=decontamination.Findings)
    seen: Seen = field(init=False)
    benchmarks: dict[str, decontamination.Benchmark] = field(init=False)
    sorted_rows: "_SortedHash" = field(default_factory=lambda: _SortedHash())
    rivals: "_Rivals" = field(init=False)

    def __post_init__(self) -> None:
        self.seen = Seen(self.config.near_duplicate)
        self.benchmarks = {name: decontamination.index(site, self.config.ngram_words) for name, site in self.sites.items()}
        self.rivals = _Rivals("preferences" in self.config.formats, self.files)

    def consider(self, conversation: Conversation, verdict: Verdict) -> Row | None:
        """The row of a conversation that is kept and passes every data check; None otherwise, with the reason counted."""
        task, site = conversation.task, self.sites[conversation.task.domain]
        self.tally.see(task, verdict)
        example = row(site, conversation, split_of(task.user_id, self.salt, self.share))
        self.rivals.see(example, verdict)
        if not verdict.kept:
            return None
        reason = self._objection(site, example, task)
        if reason:
            self.tally.removed[reason] += 1
            return None
        self._take(example)
        return example

    def _objection(self, site: OpenDomain, example: Row, task: Task) -> str:
        if control_token(example):
            return "control token in a text"
        if decontamination.examine(self.findings, site, self.benchmarks[task.domain], example, task, self.config.ngram_words):
            return "contaminated"
        return "near-duplicate" if self.seen.like(goal_text(task, example), example, task) else ""

    def _take(self, example: Row) -> None:
        self.tally.take(example)
        self.diversity.add(example.messages)
        self.files.add(example)
        self.sorted_rows.add(example)

    def finish(self) -> None:
        self.files.finish()
        self.rivals.finish()
        proof = decontamination.certificate(self.findings, self.benchmarks, self.sites, self.config.ngram_words)
        sha256 = self.sorted_rows.digest()
        text = card(self.tally, self.sites, self.diversity, proof, sha256, self.config.formats)
        self.files.emit("README.md", text.encode())
        self.files.emit("decontamination.json", json.dumps(proof, indent=1).encode())
        self.files.emit(
            "dataset.json", json.dumps({"sha256": sha256, "rows": len(self.sorted_rows.places), "files": self.files.names}, indent=1).encode()
        )


class _SortedHash:
    """The dataset's identity: sha256 of its rows as JSON lines, sorted by id. Rows wait in a temporary file, only their places in memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `digest`
        self.places: list[tuple[str, int, int]] = []

    def add(self, example: Row) -> None:
        line = example.model_dump_json().encode() + b"\n"
        self.places.append((example.id, self._file.tell(), len(line)))
        self._file.write(line)

    def digest(self) -> str:
        digest = hashlib.sha256()
        for _, start, length in sorted(self.places):
            self._file.seek(start)
            digest.update(self._file.read(length))
        self._file.close()
        return digest.hexdigest()


class _Rivals:
    """Pairs a kept and a lost rollout of one task. Holds the rollouts of one task at a time."""

    def __init__(self, wanted: bool, files: Files) -> None:
        self._wanted, self._files = wanted, files
        self._task_id = ""
        self._kept: Row | None = None
        self._lost: tuple[Row, str] | None = None
        self._lines: list[bytes] = []
        self._number = 0

    def see(self, example: Row, verdict: Verdict) -> None:
        if not self._wanted:
            return
        if example.task_id != self._task_id:
            self._pair()
            self._task_id, self._kept, self._lost = example.task_id, None, None
        if verdict.kept:
            self._kept = self._kept or example
        elif verdict.owner == "agent":
            self._lost = self._lost or (example, verdict.cause)

    def _pair(self) -> None:
        if self._kept is not None and self._lost is not None:
            self._lines.append(orjson.dumps(preference(self._kept, *self._lost)) + b"\n")
            if len(self._lines) >= PREFERENCES_PER_FILE:
                self._flush()

    def _flush(self) -> None:
        if self._lines:
            self._files.emit(f"preferences/train-{self._number:05d}.jsonl", b"".join(self._lines))
            self._number, self._lines = self._number + 1, []

    def finish(self) -> None:
        self._pair()
        self._flush()
