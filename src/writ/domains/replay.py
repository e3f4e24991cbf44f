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


def replay(lines: Iterable[bytes], toolkit: type[Toolkit], database: Database, source: str = "recording") -> Iterator[bytes]:
    """One line of results for each line of calls, newline included; blank lines are skipped. `source`: what an error calls the lines.

    Raises: ArtifactError naming the line that is no recording.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json.dumps(_replayed(_recording(line, f"{source}, line {number}"), Environment(toolkit, database))).encode() + b"\n"


def _replayed(recording: dict[str, Any], environment: Environment) -> dict[str, Any]:
    initial = environment.db_hash()
    results = []
    for call in recording["calls"]:
        result = environment.call(call["name"], call["arguments"])
        results.append({"result": result.content, "error": result.error, "db_hash": environment.db_hash()})
    return {"id": recording.get("id"), "initial_db_hash": initial, "results": results, "final_db_hash": environment.db_hash()}


def _recording(line: bytes, place: str) -> dict[str, Any]:
    try:
        recording = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise _wrong(place, f"is not JSON ({e})") from e
    calls = recording.get("calls") if isinstance(recording, dict) else None
    if not isinstance(calls, list):
        raise _wrong(place, "holds no list 'calls'")
    for number, call in enumerate(calls, start=1):
        if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not isinstance(call.get("arguments"), dict):
            raise _wrong(place, f"has in call {number} no name (string) or no arguments (object)")
    return recording  # type: ignore[no-any-return]


def _wrong(place: str, fact: str) -> ArtifactError:
    return ArtifactError(f'{place} {fact}; wanted {{"id": …, "calls": [{{"name": …, "arguments": {{…}}}}]}}')
