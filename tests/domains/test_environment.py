"""The environment answers every call, leaves no trace of a refused one, and tells what changed."""

from typing import Any

import pytest
from pydantic import BaseModel
from tiny_databases import airline_database, retail_database

from writ.domains.airline.tools import AirlineTools
from writ.domains.database import Database, Overlay
from writ.domains.environment import Environment, ToolResult
from writ.domains.retail.tools import RetailTools
from writ.domains.toolkit import Toolkit, generic_tool, read_tool, write_tool
from writ.errors import ToolRefused


class Counter(BaseModel):
    counters: dict[str, dict[str, Any]]


class CounterTools(Toolkit):
    shape = Counter

    @read_tool
    def show(self, name: str, how: str = "record") -> Any:
        record = self.database.get("counters", name)
        if record is None:
            raise ToolRefused(f"No counter {name}")
        return {"record": record, "number": record["n"], "list": [record["n"], True, None, record], "text": str(record["n"])}[how]

    @write_tool
    def add(self, name: str, number: int) -> Any:
        record = self.database.edit("counters", name)
        record["log"].append(number)
        record["n"] += number
        if record["n"] > 10:
            raise ToolRefused("Too many")
        return record

    @write_tool
    def add_and_keep(self, name: str, number: int) -> Any:
        self.database.edit("counters", name)["n"] += 1
        self.database.mark()
        return self.add(name, number)

    @generic_tool
    def echo(self, *, value: Any) -> Any:
        return value


@pytest.fixture
def environment() -> Environment:
    return Environment(CounterTools, Database({"counters": {"a": {"n": 1, "log": []}, "ä": {"n": 2, "log": []}}}))


@pytest.mark.parametrize(
    ("how", "content"),
    [("record", '{"n": 1, "log": []}'), ("number", '"1"'), ("list", '["1", "True", null, {"n": 1, "log": []}]'), ("text", "1")],
)
def test_a_result_is_text_as_it_is_and_records_as_json_with_loose_numbers_quoted(environment, how, content):
    assert environment.call("show", {"name": "a", "how": how}) == ToolResult(content, error=False)


@pytest.mark.parametrize(
    ("name", "arguments", "content"),
    [
        ("nope", {}, "Tool 'nope' not found."),
        ("__init__", {}, "Tool '__init__' not found."),
        ("show", {"name": "b"}, "No counter b"),
        ("show", {"name": ["b"]}, "unhashable type: 'list'"),
        ("show", {"name": "a", "how": "loud"}, "'loud'"),
        ("show", {}, "CounterTools.show() missing 1 required positional argument: 'name'"),
        ("add", {}, "CounterTools.add() missing 2 required positional arguments: 'name' and 'number'"),
        ("add", {"nome": "a"}, "CounterTools.add() got an unexpected keyword argument 'nome'"),
        ("add", {"name": "a", "number": "1"}, "unsupported operand type(s) for +=: 'int' and 'str'"),
        ("add", {"name": "zebra", "number": 1}, "'zebra'"),
        ("nope", {"self": 1}, "Environment.make_tool_call() got multiple values for argument 'self'"),
    ],
)
def test_a_refused_call_gives_its_reason_and_changes_nothing(environment, name, arguments, content):
    before = environment.db_hash()
    assert environment.call(name, arguments) == ToolResult(f"Error: {content}", error=True)
    assert (environment.delta(), environment.db_hash()) == ({}, before)


def test_a_missing_third_argument_is_listed_as_python_lists_it():
    result = Environment(RetailTools, retail_database()).call("exchange_delivered_order_items", {"order_id": "#W1"})
    assert result.content.endswith("missing 3 required positional arguments: 'item_ids', 'new_item_ids', and 'payment_method_id'")


def test_a_write_that_fails_after_changing_records_is_undone(environment):
    environment.call("add", {"name": "a", "number": 4})
    after_first = environment.db_hash()
    assert environment.call("add", {"name": "a", "number": 100}).error
    assert environment.delta() == {"counters": {"a": {"n": 5, "log": [4]}}}
    assert environment.db_hash() == after_first


def test_what_a_tool_marked_before_it_failed_stays(environment):
    before = environment.db_hash()
    assert environment.call("add_and_keep", {"name": "a", "number": 100}).error
    assert environment.delta() == {"counters": {"a": {"n": 2, "log": []}}}
    assert environment.db_hash() != before


def test_a_read_gives_values_and_refuses_as_an_exception(environment):
    assert environment.read("show", {"name": "a"}) == {"n": 1, "log": []}
    assert environment.read("echo", {"value": [1]}) == [1]
    with pytest.raises(ToolRefused, match=r"^No counter b$"):
        environment.read("show", {"name": "b"})
    with pytest.raises(ToolRefused, match=r"^Tool 'nope' not found"):
        environment.read("nope", {})


def test_a_read_of_a_write_tool_is_refused_and_does_not_run_it(environment):
    with pytest.raises(ToolRefused, match="'add' writes"):
        environment.read("add", {"name": "a", "number": 1})
    assert environment.delta() == {}


def test_only_write_tools_write():
    environment = Environment(AirlineTools, airline_database())
    assert [name for name in AirlineTools.tools if environment.writes(name)] == [
        "book_reservation",
        "cancel_reservation",
        "send_certificate",
        "update_reservation_baggages",
        "update_reservation_flights",
        "update_reservation_passengers",
    ]
    assert not environment.writes("nope")


def test_conversations_over_one_database_do_not_see_each_other():
    database = retail_database()
    one, other = Environment(RetailTools, database), Environment(RetailTools, database)
    one.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    assert '"status": "pending"' in other.call("get_order_details", {"order_id": "#W1"}).content
    assert other.delta() == {}


def test_a_fork_goes_on_from_the_same_state_without_touching_its_origin(environment):
    environment.call("add", {"name": "a", "number": 4})
    fork = environment.fork()
    assert fork.db_hash() == environment.db_hash()
    fork.call("add", {"name": "a", "number": 1})
    assert environment.read("show", {"name": "a"})["n"] == 5
    assert fork.read("show", {"name": "a"})["n"] == 6


def test_an_environment_opens_over_an_overlay_that_holds_changes_already():
    overlay = Overlay(retail_database())
    overlay.edit("orders", "#W1")["status"] = "delivered"
    assert Environment(RetailTools, overlay).read("get_order_details", {"order_id": "#W1"})["status"] == "delivered"


def test_a_refused_argument_record_is_explained_with_the_benchmarks_version_of_the_link():
    arguments = {"reservation_id": "R1", "passengers": [{"first_name": "Ann", "last_name": 5}]}
    assert Environment(AirlineTools, airline_database()).call("update_reservation_passengers", arguments).content == (
        "Error: 2 validation errors for Passenger\n"
        "last_name\n"
        "  Input should be a valid string [type=string_type, input_value=5, input_type=int]\n"
        "    For further information visit https://errors.pydantic.dev/2.12/v/string_type\n"
        "dob\n"
        "  Field required [type=missing, input_value={'first_name': 'Ann', 'last_name': 5}, input_type=dict]\n"
        "    For further information visit https://errors.pydantic.dev/2.12/v/missing"
    )


def test_a_read_that_was_answered_before_is_answered_anew_where_something_was_written():
    database = retail_database()
    look = ("get_order_details", {"order_id": "#W1"})
    first, second = Environment(RetailTools, database), Environment(RetailTools, database)
    pending = first.call(*look)
    second.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    assert second.call(*look) != pending
    assert Environment(RetailTools, database).call(*look) == pending


@pytest.mark.parametrize(("one", "other"), [(None, float("nan")), (1, True), ("1", 1)])
def test_remembered_answers_of_like_arguments_are_not_mixed_up(one, other):
    database = airline_database()
    search = {"destination": None, "date": "2024-05-20"}
    for origin in (one, other, one):
        fresh = Environment(AirlineTools, airline_database()).call("search_direct_flight", search | {"origin": origin})
        assert Environment(AirlineTools, database).call("search_direct_flight", search | {"origin": origin}) == fresh


def test_what_perform_gave_stays_as_it_was_whatever_is_written_later(environment):
    first = environment.perform("add", {"name": "a", "number": 1})
    seen = environment.perform("show", {"name": "a"})
    assert (first.value, first.text) == ({"n": 2, "log": [1]}, '{"n": 2, "log": [1]}')
    environment.perform("add", {"name": "a", "number": 2})
    assert first.value == seen.value == {"n": 2, "log": [1]}
    assert environment.read("show", {"name": "a"}) == {"n": 4, "log": [1, 2]}
    with pytest.raises(ToolRefused, match=r"^No counter b"):
        environment.perform("show", {"name": "b"})


def test_a_read_is_remembered_through_writes_of_other_records_alone():
    database = retail_database()
    untouched, writer = Environment(RetailTools, database), Environment(RetailTools, database)
    orders, users = ("get_order_details", {"order_id": "#W1"}), ("get_user_details", {"user_id": "ann_2"})
    order, user = untouched.perform(*orders), untouched.perform(*users)
    writer.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    assert writer.perform(*orders).value["status"] == "cancelled"
    assert untouched.perform(*orders) is order
    assert writer.perform(*users) is user
