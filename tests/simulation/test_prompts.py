"""What goes over the wire: layout, prefixes, hostile text."""

import json

import orjson
import pytest
from desk_world import instruction, open_desk

from writ.domains.hostile import decoded
from writ.llm import EndpointSettings, request_prefix
from writ.schema import ToolCall
from writ.simulation.address import Address, parsed
from writ.simulation.prompts import Side, scenario, user_system, wire, wire_calls, wire_result


def test_a_scenario_is_laid_out_as_the_benchmark_lays_it_out():
    told = instruction(1, persona="A reader.\nIn a hurry.", unknown_info="Your card number.")
    assert scenario(told) == (
        "Persona:\n\tA reader.\n\tIn a hurry.\n"
        "Instructions:\n"
        "\tDomain: desk\n"
        "\tReason for call:\n\t\tYou want to renew loan L00001.\n"
        "\tKnown info:\n\t\tYour loan is L00001.\n"
        "\tUnknown info:\n\t\tYour card number.\n"
        "\tTask instructions:\n\t\tYou are calm."
    )


def test_a_scenario_without_persona_and_unknowns_leaves_their_headings_out():
    assert "Persona" not in scenario(instruction(1))
    assert "Unknown info" not in scenario(instruction(1))


def test_braces_in_policy_and_scenario_are_text():
    desk = open_desk()
    assert "{once}" in desk.system_prompt
    assert "{domain_policy}" not in desk.system_prompt
    assert "{instructions} {0}" in user_system(desk.snapshot, instruction(1, reason_for_call="{instructions} {0}"))


def test_each_request_begins_with_the_messages_of_the_one_before():
    side = Side(request_prefix(EndpointSettings(), [{"type": "function"}], seed=1), "policy", Address("agent", "i1", 0))
    side.hear(wire("assistant", "Hi"))
    first = side.request().body()
    side.hear(wire("user", "A “question”"), wire_calls(None, [ToolCall(id="c", name="get", arguments='{"a": 1}')]), wire_result("c", "{}"))
    second = side.request().body()
    assert second.startswith(first.removesuffix(b"]}"))
    body = orjson.loads(second)
    assert [message["role"] for message in body["messages"]] == ["system", "assistant", "user", "assistant", "tool"]
    assert body["messages"][3]["tool_calls"] == [{"id": "c", "type": "function", "function": {"name": "get", "arguments": '{"a": 1}'}}]
    assert parsed(body["user"]) == Address("agent", "i1", 0)


@pytest.mark.parametrize("arguments", ["", "{", "[]", "null", '{"a": NaN}', '{"a": "\\ud800"}', "[" * 100_000, "7"])
def test_arguments_that_are_no_json_object_go_out_as_an_empty_one(arguments: str):
    assert decoded(arguments) is None
    sent = json.loads(wire_calls("text", [ToolCall(id="c", name="get", arguments=arguments)]))
    assert sent["tool_calls"][0]["function"]["arguments"] == "{}"


def test_arguments_that_are_a_json_object_go_out_byte_for_byte():
    text = '{ "a":1.0,"b" : "\\u00e9\\ud83d\\ude00" }'
    assert decoded(text) == {"a": 1.0, "b": "é😀"}
    assert json.loads(wire_calls(None, [ToolCall(id="c", name="get", arguments=text)]))["tool_calls"][0]["function"]["arguments"] == text


@pytest.mark.parametrize("text", ["agent:i:1", "user:task:with:colons:12"])
def test_an_address_survives_its_text_form(text: str):
    assert str(parsed(text)) == text


@pytest.mark.parametrize("text", ["", "agent", "agent:i", "agent::1", "boss:i:1", "user:i:-1", "user:i:²"])
def test_a_user_field_that_is_no_address_is_refused(text: str):
    with pytest.raises(ValueError, match="names no conversation"):
        parsed(text)
