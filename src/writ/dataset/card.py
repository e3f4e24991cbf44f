"""The data card in Hub form: what is in the dataset, what it was made from, what was lost on the way, and what it does not contain."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import yaml

from writ.dataset.diversity import PRESCRIBED, Diversity
from writ.domains.registry import OpenDomain
from writ.schema import BURDEN_BINS, Row, Task, Verdict, burden_bin

BINS = tuple(burden_bin(low) for low, _ in BURDEN_BINS)


@dataclass(slots=True)
class Tally:
    """What the card counts, filled as conversations pass by."""

    attempted: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """(domain, writes, burden bin) -> conversations; `kept` likewise."""
    kept: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    batches: set[str] = field(default_factory=set)
    losses: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    """By split, kind, source; and what was removed, by reason."""
    removed: Counter[str] = field(default_factory=Counter)

    def see(self, task: Task, verdict: Verdict) -> None:
        cell = (task.domain, len(task.writes), burden_bin(task.burden))
        self.attempted[cell] += 1
        if task.batch is not None and task.batch.id not in self.batches:
            self.batches.add(task.batch.id)
            self.asked[cell] += task.batch.wanted
        if verdict.kept:
            self.kept[cell] += 1
        else:
            self.losses[verdict.cause, str(verdict.owner)] += 1

    def take(self, row: Row) -> None:
        for name in (row.split, row.kind, f"source: {row.source}"):
            self.rows[name] += 1


def card(tally: Tally, sites: dict[str, OpenDomain], diversity: Diversity, certificate: dict[str, Any], sha256: str, formats: tuple[str, ...]) -> str:
    """README.md with the YAML head that a model hub reads."""
    return "\n".join(
        [
            "---",
            yaml.safe_dump(_head(tally, formats), sort_keys=False).strip(),
            "---",
            "",
            "# Verified tool-use conversations",
            "",
            f"{sum(tally.rows[split] for split in ('train', 'held_out')):,} conversations of an agent that serves a user through tools, made and"
            " verified by writ: the gold writes of every task are certified against the database, and every kept conversation reaches the gold end"
            " state with sufficient reads, grounded arguments and the user's yes before each write.",
            "",
            *_warning(tally),
            *_section(
                "Domains", [f"- **{name}**: {site.snapshot.origin}; license of the data: {site.snapshot.license}" for name, site in sites.items()]
            ),
            *_section("Splits and kinds", [f"- {name}: {number:,}" for name, number in sorted(tally.rows.items())]),
            *_grid(tally),
            *_section("Yield", _yield(tally)),
            *_section("Diversity", _diversity(diversity)),
            *_section("Decontamination certificate", ["```json", json.dumps(certificate, indent=1), "```"]),
            *_section("Provenance", [f"- sha256 of the rows sorted by id: `{sha256}`", "- `tools` and the `arguments` of calls are JSON text."]),
        ]
    )


def _head(tally: Tally, formats: tuple[str, ...]) -> dict[str, Any]:
    total = tally.rows["train"] + tally.rows["held_out"]
    size = next(name for bound, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**12, "n>100K")) if total < bound)
    head: dict[str, Any] = {
        "language": ["en"],
        "license": "other",
        "task_categories": ["text-generation"],
        "tags": ["tool-use", "agents", "synthetic", "tau2-bench"],
        "size_categories": [size],
    }
    if "parquet" in formats:
        files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in ("train", "held_out") if tally.rows[split]]
        head["configs"] = [{"config_name": "default", "data_files": files}]
    return head


def _warning(tally: Tally) -> list[str]:
    scripted = tally.rows["source: scripted"]
    if not scripted:
        return []
    return [
        f"> **{scripted:,} rows were spoken by the embedded scripted model.** They prove the machinery; they do not teach a real model.",
        "> Training refuses them unless `allow_scripted` is set.",
        "",
    ]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _grid(tally: Tally) -> list[str]:
    lines = []
    for domain in sorted({cell[0] for cell in tally.attempted}):
        lines += [f"### {domain}: asked / attempted / kept, by writes and evidence burden", "", "| writes | " + " | ".join(BINS) + " |"]
        lines.append("|-:|" + "-:|" * len(BINS))
        for writes in sorted({cell[1] for cell in tally.attempted if cell[0] == domain}):
            cells = ((domain, writes, column) for column in BINS)
            shown = (f"{tally.asked[cell]} / {tally.attempted[cell]} / {tally.kept[cell]}" if tally.attempted[cell] else "·" for cell in cells)
            lines.append(f"| {writes} | " + " | ".join(shown) + " |")
        lines.append("")
    return ["## Grid", "", *lines]


def _yield(tally: Tally) -> list[str]:
    attempted, kept = sum(tally.attempted.values()), sum(tally.kept.values())
    lines = [f"- attempted {attempted:,} = kept {kept:,} + lost {sum(tally.losses.values()):,}"]
    lines += [f"- lost to {cause} ({owner}): {number:,}" for (cause, owner), number in tally.losses.most_common()]
    return lines + [f"- kept, but left out ({reason}): {number:,}" for reason, number in tally.removed.most_common()]


def _diversity(diversity: Diversity) -> list[str]:
    lines = [
        f"Over {diversity.conversations:,} conversations; ids, names and numbers are masked; sentences that the protocol prescribes are left out.",
        "",
    ]
    for role in ("user", "assistant"):
        lines.append(f"- {role}: {diversity.distinct_trigrams(role):.3f} distinct trigrams; commonest sentences:")
        lines += [f"  - {share:.2%} `{sentence}`" for sentence, share in diversity.commonest(role, PRESCRIBED)]
    return lines
