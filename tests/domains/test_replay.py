"""Recorded calls are run again line by line; what is no recording is named by its line."""

import json

import pytest
from tiny_databases import retail_database

from writ.domains.replay import replay
from writ.domains.retail.tools import RetailTools
from writ.errors import ArtifactError

CANCEL = {"name": "cancel_pending_order", "arguments": {"order_id": "#W1", "reason": "no longer needed"}}
LOOK = {"name": "get_order_details", "arguments": {"order_id": "#W1"}, "result": "ignored"}


def replayed(*lines: bytes) -> list[dict]:
    return [json.loads(line) for line in replay(lines, RetailTools, retail_database())]


def recording(*calls: dict, **more: object) -> bytes:
    return json.dumps({"calls": calls, **more}).encode()


def test_each_line_starts_from_a_fresh_database_and_keeps_its_place():
    first, second, third = replayed(recording(CANCEL, LOOK, id="a"), b"\n", recording(LOOK, id=7, task_id="x"), recording())
    assert [first["id"], second["id"], third["id"]] == ["a", 7, None]
    assert first["initial_db_hash"] == second["initial_db_hash"] == second["final_db_hash"] == third["final_db_hash"]
    assert first["final_db_hash"] == first["results"][0]["db_hash"] == first["results"][1]["db_hash"] != first["initial_db_hash"]
    assert json.loads(first["results"][1]["result"])["status"] == "cancelled"
    assert json.loads(second["results"][0]["result"])["status"] == "pending"


def test_an_error_is_a_result_like_any_other():
    (line,) = replayed(recording({"name": "nope", "arguments": {}}, id=1))
    assert line["results"] == [{"result": "Error: Tool 'nope' not found.", "error": True, "db_hash": line["initial_db_hash"]}]


def test_results_come_as_one_line_each():
    lines = list(replay([recording(LOOK), recording(CANCEL)], RetailTools, retail_database()))
    assert [line.count(b"\n") for line in lines] == [1, 1]
    assert all(line.endswith(b"\n") for line in lines)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "is not JSON"),
        (b'{"calls": "\xff"}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "holds no list 'calls'"),
        (b'{"id": 1}', "holds no list 'calls'"),
        (recording(LOOK, {"name": "get_order_details"}), "call 2: wanted a name"),
        (recording({"name": 5, "arguments": {}}), "call 1: wanted a name"),
        (recording({"name": "x", "arguments": "{}"}), "call 1: wanted a name"),
        (recording(5), "call 1: wanted a name"),
    ],
)
def test_a_line_that_is_no_recording_is_named_by_its_number(line, fault):
    with pytest.raises(ArtifactError, match=rf"^recording: line 3 {fault}") as refusal:
        replayed(recording(LOOK), b"", line)
    assert "\n" not in str(refusal.value)
