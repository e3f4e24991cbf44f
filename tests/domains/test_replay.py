"""Recorded calls are run again line by line; what is no recording is named by its line."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
        (recording(LOOK, {"name": "get_order_details"}), "has in call 2 no name"),
        (recording({"name": 5, "arguments": {}}), "has in call 1 no name"),
        (recording({"name": "x", "arguments": "{}"}), "has in call 1 no name"),
        (recording(5), "has in call 1 no name"),
    ],
)
def test_a_line_that_is_no_recording_is_named_by_its_number(line, fault):
    with pytest.raises(ArtifactError, match=rf"^recording, line 3 {fault}") as refusal:
        replayed(recording(LOOK), b"", line)
    assert "\n" not in str(refusal.value)


WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(), max_size=8)
    | st.sampled_from([10**400, "#W1", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
WILD_CALL = st.builds(
    lambda name, arguments: {"name": name, "arguments": arguments},
    st.sampled_from(sorted(RetailTools.tools)) | st.text(max_size=8),
    st.dictionaries(
        st.sampled_from(["order_id", "item_ids", "new_item_ids", "payment_method_id", "reason", "user_id", "expression"]) | st.text(max_size=6),
        WILD | st.sampled_from(["#W1", ["k1"], "paypal_1", "no longer needed", "ann_1"]),
        max_size=4,
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=st.lists(WILD_CALL, max_size=5))
def test_any_recorded_calls_are_answered_one_by_one(sequence):
    (line,) = replayed(recording(*sequence))
    assert len(line["results"]) == len(sequence)
    assert all(result["error"] == result["result"].startswith("Error: ") for result in line["results"])
