"""Recorded calls, run again: how a claim of compatibility is checked.

In: JSON lines `{"id", "calls": [{"name", "arguments"}]}`, further keys ignored. Out, in the same order: `{"id", "initial_db_hash", "results":
[{"result", "error", "db_hash"}], "final_db_hash"}`. Every line starts from a fresh database.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.toolkit import Toolkit
from writ.errors import ArtifactError


def replay(lines: Iterable[bytes], toolkit: type[Toolkit], database: Database) -> Iterator[bytes]:
    """One line of results for each line of calls, newline included; blank lines are skipped.

    Raises: ArtifactError naming the line that is no recording.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json.dumps(_replayed(_recording(line, number), Environment(toolkit, database))).encode() + b"\n"


def _replayed(recording: dict[str, Any], environment: Environment) -> dict[str, Any]:
    initial = environment.db_hash()
    results = []
    for call in recording["calls"]:
        result = environment.call(call["name"], call["arguments"])
        results.append({"result": result.content, "error": result.error, "db_hash": environment.db_hash()})
    return {"id": recording.get("id"), "initial_db_hash": initial, "results": results, "final_db_hash": environment.db_hash()}


def _recording(line: bytes, number: int) -> dict[str, Any]:
    try:
        recording = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise _wrong(number, f"is not JSON ({e})") from e
    calls = recording.get("calls") if isinstance(recording, dict) else None
    if not isinstance(calls, list):
        raise _wrong(number, "holds no list 'calls'")
    for place, call in enumerate(calls, start=1):
        if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not isinstance(call.get("arguments"), dict):
            raise _wrong(number, f"call {place}: wanted a name (string) and arguments (object)")
    return recording  # type: ignore[no-any-return]


def _wrong(number: int, fact: str) -> ArtifactError:
    return ArtifactError(f'recording: line {number} {fact}; wanted {{"id": …, "calls": [{{"name": …, "arguments": {{…}}}}]}}')
