"""The snapshot is shared and never changes; an overlay holds exactly what one conversation changed."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_databases import retail_database, retail_tables

from writ.domains.database import Database, Overlay
from writ.domains.retail.records import RetailDatabase
from writ.errors import ArtifactError, ConfigError


def whole_hash(overlay: Overlay) -> str:
    """The hash by its definition: dump everything."""
    tables = {name: dict(overlay.items(name)) for name in overlay.database.tables}
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


@pytest.fixture
def overlay() -> Overlay:
    return Overlay(Database({"pets": {"b": {"age": 1}, "a": {"age": 2}}, "homes": {"x": {}}, "toys": {}}))


def test_an_edit_is_seen_by_its_own_overlay_only(overlay):
    twin = Overlay(overlay.database)
    overlay.edit("pets", "a")["age"] = 9
    assert overlay.get("pets", "a") == {"age": 9}
    assert twin.get("pets", "a") == {"age": 2}
    assert overlay.database.tables["pets"]["a"] == {"age": 2}


def test_an_edit_of_nested_values_leaves_the_snapshot_alone():
    database = retail_database()
    overlay = Overlay(database)
    overlay.edit("orders", "#W1")["items"][0]["options"]["size"] = "changed"
    assert database.tables["orders"]["#W1"]["items"][0]["options"] == {"size": "k1"}


def test_editing_an_absent_record_raises_its_id(overlay):
    with pytest.raises(KeyError, match="zebra"):
        overlay.edit("pets", "zebra")
    with pytest.raises(KeyError, match="zebra"):
        overlay.delete("pets", "zebra")


def test_iteration_sees_changes_in_place_then_what_was_inserted(overlay):
    overlay.insert("pets", "A", {"age": 3})
    overlay.edit("pets", "b")["age"] = 7
    overlay.delete("pets", "a")
    assert list(overlay.items("pets")) == [("b", {"age": 7}), ("A", {"age": 3})]
    assert list(overlay.ids("pets")) == ["b", "A"]
    assert list(overlay.values("homes")) == [{}]


def test_rollback_restores_the_state_at_the_mark(overlay):
    overlay.edit("pets", "b")["age"] = 7
    overlay.mark()
    overlay.edit("pets", "b")["age"] = 8
    overlay.edit("pets", "b")["name"] = "Rex"
    overlay.insert("pets", "c", {"age": 3})
    overlay.delete("pets", "a")
    overlay.rollback()
    assert overlay.delta() == {"pets": {"b": {"age": 7}}}
    assert overlay.hash() == whole_hash(overlay)


def test_a_record_read_before_a_mark_is_not_changed_by_later_edits(overlay):
    overlay.edit("pets", "b")["age"] = 7
    overlay.mark()
    seen = overlay.get("pets", "b")
    overlay.edit("pets", "b")["age"] = 8
    assert seen == {"age": 7}


def test_a_delta_leaves_out_a_record_that_was_changed_back(overlay):
    overlay.edit("pets", "b")["age"] = 7
    overlay.edit("pets", "b")["age"] = 1
    assert overlay.delta() == {}


def test_a_delta_tells_an_inserted_from_a_deleted_record(overlay):
    overlay.insert("pets", "c", {"age": 3})
    overlay.delete("pets", "a")
    overlay.insert("toys", "ball", {})
    overlay.delete("toys", "ball")
    assert overlay.delta() == {"pets": {"c": {"age": 3}, "a": None}}


@pytest.fixture
def flights():
    return Overlay(Database({"flights": {"f": {"days": {"1": {"seats": {"low": 5}}, "2": {"seats": {"low": 5}}}}}}))


def test_an_edit_at_a_path_changes_that_object_and_leaves_the_snapshot_alone(flights):
    flights.edit("flights", "f", "days", "1")["seats"]["low"] -= 2
    assert flights.database.tables["flights"]["f"]["days"]["1"] == {"seats": {"low": 5}}
    assert flights.get("flights", "f") == {"days": {"1": {"seats": {"low": 3}}, "2": {"seats": {"low": 5}}}}


def test_edits_at_two_paths_and_of_the_whole_record_add_up_and_roll_back_together(flights):
    flights.edit("flights", "f", "days", "1")["seats"]["low"] = 1
    flights.mark()
    flights.edit("flights", "f", "days", "2")["seats"]["low"] = 2
    flights.edit("flights", "f")["days"]["1"]["seats"]["low"] = 0
    flights.edit("flights", "f", "days", "2")["seats"]["low"] -= 1
    assert flights.get("flights", "f") == {"days": {"1": {"seats": {"low": 0}}, "2": {"seats": {"low": 1}}}}
    flights.rollback()
    assert flights.get("flights", "f") == {"days": {"1": {"seats": {"low": 1}}, "2": {"seats": {"low": 5}}}}


@pytest.mark.parametrize("age", [1.0, True, "1", None])
def test_a_fingerprint_tells_values_apart_that_python_calls_equal(overlay, age):
    overlay.edit("pets", "b")["age"] = age
    assert overlay.fingerprint() != Overlay(overlay.database).fingerprint()


def test_a_fork_and_its_origin_change_independently(overlay):
    overlay.edit("pets", "b")["age"] = 7
    twin = overlay.fork()
    overlay.edit("pets", "b")["age"] = 8
    twin.edit("pets", "b")["age"] = 9
    assert (overlay.get("pets", "b"), twin.get("pets", "b")) == ({"age": 8}, {"age": 9})


RECORDS = st.none() | st.dictionaries(st.sampled_from(["k", "ä", "z"]), st.integers(0, 2) | st.text(max_size=2), max_size=2)
CHANGES = st.dictionaries(st.tuples(st.sampled_from(["pets", "homes", "toys"]), st.sampled_from(["A", "a", "b", "x", "é"])), RECORDS)


def changed(changes: dict) -> Overlay:
    overlay = Overlay(Database({"pets": {"b": {"k": 1}, "a": {"k": 2}}, "homes": {"x": {}}, "toys": {}}))
    for (table, record_id), record in changes.items():
        if record is not None:
            overlay.insert(table, record_id, record)
        elif overlay.get(table, record_id) is not None:
            overlay.delete(table, record_id)
    return overlay


@given(CHANGES)
def test_the_incremental_hash_is_the_hash_of_the_whole_dump(changes):
    overlay = changed(changes)
    assert overlay.hash() == whole_hash(overlay)


@given(CHANGES, CHANGES)
def test_two_fingerprints_are_equal_iff_the_hashes_are(one, other):
    first, second = changed(one), changed(other)
    assert (first.fingerprint() == second.fingerprint()) == (first.hash() == second.hash())


def test_a_loaded_record_gets_the_shapes_order_types_and_absent_fields():
    tables = retail_tables()
    tables["orders"]["#W1"]["extra"] = "ignored, as in the benchmark"
    database = Database.from_bytes(json.dumps(tables).encode(), RetailDatabase)
    order, user = database.tables["orders"]["#W1"], database.tables["users"]["ann_1"]
    assert list(order)[-2:] == ["return_items", "return_payment_method_id"]
    assert order["cancel_reason"] is None
    assert json.dumps(user["payment_methods"]["gift_card_1"]) == '{"source": "gift_card", "id": "gift_card_1", "balance": 15.0}'


def bad(edit) -> bytes:
    tables = retail_tables()
    edit(tables)
    return json.dumps(tables).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bad(lambda t: None)[:-20], "not whole JSON"),
        (b"", "not whole JSON"),
        (b'{"users": {}, "caf\xe9": {}}', r"not UTF-8 \(byte 18\)"),
        (b'{"users": {"a": {}, "b": {}, "a": {}}}', "'a' stands twice"),
        (bad(lambda t: t["products"]["p2"]["variants"]["a1"].update(price=float("nan"))), "NaN is not a JSON number"),
        (bad(lambda t: t["users"]["ann_1"].pop("email")), r"users.ann_1.email: Field required"),
        (bad(lambda t: t["orders"].update({"#W9": 5})), r"orders.#W9: Input should be a valid dictionary"),
        (bad(lambda t: t.pop("orders")), "orders: Field required"),
        (bad(lambda t: t.update(pets={})), "pets: Extra inputs"),
        (b"[]", "the whole: Input should be a valid dictionary"),
        (b"[" * 100_000, "not a database"),
    ],
)
def test_a_damaged_database_is_refused_in_one_line_that_names_file_and_fault(data, reason):
    with pytest.raises(ArtifactError, match=f"^db.json .*{reason}.*restore the file$"):
        Database.from_bytes(data, RetailDatabase, source="db.json")


@pytest.mark.parametrize("tables", [[], {"pets": []}, {"pets": {"a": 1}}])
def test_tables_without_a_shape_must_still_be_records_by_id(tables):
    with pytest.raises(ArtifactError, match="wanted tables of records keyed by id"):
        Database.from_tables(tables)


def test_a_missing_database_file_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match=r"db\.json cannot be read \(No such file"):
        Database.load(tmp_path / "db.json", RetailDatabase)


def test_a_database_file_loads(tmp_path):
    (tmp_path / "db.json").write_text(json.dumps(retail_tables()))
    assert set(Database.load(tmp_path / "db.json", RetailDatabase).tables) == {"products", "users", "orders"}
