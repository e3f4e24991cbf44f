"""The same rows in the files that people load: parquet and JSON lines for TRL, ShareGPT, and preference pairs."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from writ.schema import Row

Emit = Callable[[str, bytes], None]

ROWS_PER_FILE = 2_000
"""So that a dataset of any size is written with bounded memory."""

_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "domain", "kind", "tool", "pair", "task_id", "instruction_id", "user_id", "source")),
        ("writes", pa.int32()),
        ("burden", pa.int32()),
        (
            "messages",
            pa.list_(
                pa.struct(
                    [
                        ("role", pa.string()),
                        ("content", pa.string()),
                        ("tool_call_id", pa.string()),
                        (
                            "tool_calls",
                            pa.list_(
                                pa.struct(
                                    [
                                        ("id", pa.string()),
                                        ("type", pa.string()),
                                        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
                                    ]
                                )
                            ),
                        ),
                    ]
                )
            ),
        ),
        ("tools", pa.string()),
    ]
)


class Files:
    """Gathers rows by split and format and emits a file whenever one is full. File names end in a running number per split and format."""

    def __init__(self, formats: tuple[str, ...], emit: Emit) -> None:
        self._formats = formats
        self._emit = emit
        self._held: dict[str, list[Row]] = {}
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def add(self, row: Row) -> None:
        held = self._held.setdefault(row.split, [])
        held.append(row)
        if len(held) >= ROWS_PER_FILE:
            self._flush(row.split)

    def finish(self) -> None:
        for split in sorted(self._held):
            self._flush(split)

    def emit(self, name: str, data: bytes) -> None:
        self._emit(name, data)
        self.names.append(name)

    def _flush(self, split: str) -> None:
        rows = self._held.pop(split, [])
        if not rows:
            return
        number = self._numbers.get(split, 0)
        self._numbers[split] = number + 1
        if "parquet" in self._formats:
            self.emit(f"data/{split}-{number:05d}.parquet", parquet(rows))
        if "jsonl" in self._formats:
            self.emit(f"jsonl/{split}-{number:05d}.jsonl", b"".join(orjson.dumps(plain(row)) + b"\n" for row in rows))
        if "sharegpt" in self._formats:
            self.emit(f"sharegpt/{split}-{number:05d}.json", orjson.dumps([sharegpt(row) for row in rows]))


def plain(row: Row) -> dict[str, Any]:
    """A row without its split, which is the file's."""
    return row.model_dump(mode="json", exclude={"split"})


def parquet(rows: list[Row]) -> bytes:
    """zstd parquet with a fixed schema: absent members of a message are null, which TRL's templates leave out."""
    table = pa.Table.from_pylist([plain(row) for row in rows], schema=_SCHEMA)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


_SHAREGPT = {"user": "human", "tool": "observation"}


def sharegpt(row: Row) -> dict[str, Any]:
    """`conversations` of from/value turns, tool calls as `function_call` turns, as LLaMA-Factory reads them."""
    turns, system = [], ""
    for message in row.messages:
        if message["role"] == "system":
            system = message["content"]
        elif message.get("tool_calls"):
            turns += [{"from": "function_call", "value": _called(call)} for call in message["tool_calls"]]
        else:
            turns.append({"from": _SHAREGPT.get(message["role"], "gpt"), "value": message["content"]})
    return {"id": row.id, "system": system, "tools": row.tools, "conversations": turns}


def _called(call: Mapping[str, Any]) -> str:
    function = call["function"]
    return json.dumps({"name": function["name"], "arguments": json.loads(function["arguments"])}, ensure_ascii=False)


def preference(chosen: Row, rejected: Row, cause: str) -> dict[str, Any]:
    """A kept and a failed rollout of one task: the shared beginning as prompt, and how each goes on."""
    shared = 0
    for one, other in zip(chosen.messages, rejected.messages, strict=False):
        if not _same(one, other):
            break
        shared += 1
    return {
        "task_id": chosen.task_id,
        "prompt": list(chosen.messages[:shared]),
        "chosen": list(chosen.messages[shared:]),
        "rejected": list(rejected.messages[shared:]),
        "tools": chosen.tools,
        "rejected_because": cause,
    }


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal but for the ids of calls, which are drawn anew in each rollout."""
    return _without_ids(one) == _without_ids(other)


def _without_ids(message: Mapping[str, Any]) -> dict[str, Any]:
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return {"role": message["role"], "content": message.get("content"), "calls": calls}
