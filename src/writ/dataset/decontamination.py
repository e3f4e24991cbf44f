"""The decontamination certificate: what the dataset shares with given benchmark tasks, and proof of what it does not.

Four tests. *Person*: no row is of a user whom a benchmark task names. *Records*: no row names an order, reservation or payment method that belongs
to such a user. *Gold*: no row's gold actions hash like a benchmark task's, as they are, and with personal ids masked (reported). *Text*: no
n-gram of a row's user turns stands in a benchmark task's scenario. What is shared by design is declared as environment overlap.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from writ.domains.people import blocked_users, named_in, records_of
from writ.domains.registry import OpenDomain
from writ.schema import Call, Row, Task

_WORD = re.compile(r"[a-z0-9#@._'-]+")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one domain's benchmark tasks hold, indexed for the four tests."""

    users: frozenset[str]
    records: frozenset[str]
    gold: Mapping[str, str]
    """Hash -> task id."""
    masked_gold: Mapping[str, str]
    ngrams: frozenset[int]
    tasks: int


@dataclass(slots=True)
class Findings:
    """What was found over all rows: offending rows per test, with a few examples."""

    rows: int = 0
    offending: dict[str, list[str]] = field(default_factory=lambda: {"person": [], "records": [], "gold": [], "text": []})
    masked_gold: int = 0
    """Rows whose gold, with personal ids masked, is some benchmark task's: reported, not refused."""


def index(site: OpenDomain, ngram_words: int) -> Benchmark:
    """The benchmark tasks that came with a domain's data; empty where there are none."""
    tasks = site.snapshot.benchmark_tasks
    users = blocked_users(site.domain, site.database, tasks)
    records = records_of(site.domain, site.database, users)
    gold = {action_hash(calls): str(task.get("id")) for task in tasks if (calls := _gold(task, site))}
    masked = {action_hash(_masked(site, calls)): str(task.get("id")) for task in tasks if (calls := _gold(task, site))}
    ngrams = frozenset(gram for task in tasks for gram in word_ngrams(_scenario(task), ngram_words))
    return Benchmark(users, records, gold, masked, ngrams, len(tasks))


def _gold(task: Mapping[str, Any], site: OpenDomain) -> list[Call]:
    """Gold writes of a benchmark task."""
    actions = (task.get("evaluation_criteria") or {}).get("actions") or ()
    tools = site.domain.toolkit.tools
    named = [Call(name=action["name"], arguments=action.get("arguments") or {}) for action in actions]
    return [call for call in named if call.name in tools and tools[call.name].kind == "write"]


def _scenario(task: Mapping[str, Any]) -> str:
    """What a benchmark's user is told: the text that user turns could repeat."""
    scenario = task.get("user_scenario") or {}
    return " ".join(_texts(scenario.get("instructions"))) if isinstance(scenario, dict) else str(scenario)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def action_hash(calls: Sequence[Call]) -> str:
    """Order-free hash of a set of calls."""
    return hashlib.sha256("\n".join(sorted(call.key for call in calls)).encode()).hexdigest()


def _masked(site: OpenDomain, calls: Iterable[Call]) -> list[Call]:
    """The calls with every id of a record replaced by its table, so that the same act for another person looks the same."""
    ids = site.database.memo("ids by table", lambda tables: {record: table for table in sorted(tables) for record in tables[table]})
    return [Call(name=call.name, arguments=_mask(call.arguments, ids)) for call in calls]


def _mask(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _mask(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask(item, ids) for item in value]
    if isinstance(value, str):
        return f"<{ids[value]}>" if value in ids else re.sub(r"\d{4,}", "<n>", value)
    return value


def word_ngrams(text: str, words: int) -> Iterator[int]:
    """Hashes of all runs of that many words, in lower case."""
    found = _WORD.findall(text.lower())
    for start in range(len(found) - words + 1):
        yield int.from_bytes(hashlib.blake2b(" ".join(found[start : start + words]).encode(), digest_size=8).digest(), "big")


def examine(findings: Findings, site: OpenDomain, benchmark: Benchmark, example: Row, task: Task, ngram_words: int) -> list[str]:
    """Runs the four tests on a row; returns the names of those that caught it, and counts them."""
    findings.rows += 1
    caught = [name for name, hit in _tests(site, benchmark, example, task, ngram_words) if hit]
    for name in caught:
        findings.offending[name].append(example.id)
    if benchmark.masked_gold and task.writes and action_hash(_masked(site, task.writes)) in benchmark.masked_gold:
        findings.masked_gold += 1
    return caught


def _tests(site: OpenDomain, benchmark: Benchmark, example: Row, task: Task, ngram_words: int) -> Iterator[tuple[str, bool]]:
    yield "person", example.user_id in benchmark.users
    said = [message["content"] for message in example.messages if message["role"] == "user"]
    yield "records", named_in([said, *(call.arguments for call in task.writes)], benchmark.records)
    yield "gold", bool(task.writes) and action_hash(task.writes) in benchmark.gold
    yield "text", bool(benchmark.ngrams) and any(gram in benchmark.ngrams for text in said for gram in word_ngrams(text, ngram_words))


def certificate(findings: Findings, benchmarks: Mapping[str, Benchmark], sites: Mapping[str, OpenDomain], ngram_words: int) -> dict[str, Any]:
    """The certificate as it is shipped: per test the number of offending rows, which must be 0 in what is published."""
    return {
        "benchmarks": {
            name: {"tasks": benchmark.tasks, "users_named": len(benchmark.users), "records_of_those": len(benchmark.records)}
            for name, benchmark in benchmarks.items()
        },
        "rows_examined": findings.rows,
        "removed": {name: len(rows) for name, rows in findings.offending.items()},
        "removed_examples": {name: rows[:5] for name, rows in findings.offending.items() if rows},
        "rows_with_a_benchmark_gold_after_masking_ids": findings.masked_gold,
        "ngram_words": ngram_words,
        "environment_overlap": {name: _overlap(site) for name, site in sites.items()},
    }


def _overlap(site: OpenDomain) -> str:
    if site.snapshot.origin.startswith("generated"):
        return "tool names and rules only: the database is generated, and its ids are disjoint from the benchmark's"
    return "database (products, flights, other users), policy and tools are the benchmark's own; persons of its tasks are left out"
