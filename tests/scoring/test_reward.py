"""The benchmark's reward on conversations with the library desk, and what a judge's answer is worth."""

import json

import pytest
from benchmark_folder import raw_tasks

from library_world import site
from writ.errors import ConfigError
from writ.schema import Message, ToolCall, Trajectory
from writ.scoring.assertions import all_met, messages
from writ.scoring.benchmark import gold_messages, instruction
from writ.scoring.reward import benchmark_reward, communicated


def trajectory(spoken, termination="user_stop"):
    return Trajectory(
        id="c",
        task_id="t",
        instruction_id="i",
        domain="library",
        rollout=0,
        source="playback",
        agent="a",
        user="u",
        messages=tuple(spoken),
        termination=termination,
    )


def earned(raw, spoken, termination="user_stop", judged=None):
    return benchmark_reward(site(), raw, trajectory(spoken, termination), judged)


@pytest.mark.parametrize("number", [0, 2, 3])
def test_gold_replayed_earns_one(number):
    raw = raw_tasks()[number]
    assert earned(raw, gold_messages(raw)).reward == 1.0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_conversation_without_the_gold_writes_earns_nothing(number):
    raw = raw_tasks()[number]
    spoken = [message for message in gold_messages(raw) if not message.tool_calls]
    assert earned(raw, spoken, judged=True).parts["DB"] == 0.0
    assert earned(raw, spoken, judged=True).reward == 0.0


def test_a_write_that_gold_lacks_earns_nothing_and_one_that_is_refused_changes_nothing():
    write, none = raw_tasks()[0], raw_tasks()[3]
    assert earned(none, gold_messages(write)).reward == 0.0
    assert earned(none, [Message(role="assistant", content="No.")]).reward == 1.0


def test_arguments_that_are_no_object_are_passed_over():
    raw = raw_tasks()[3]
    name = raw["evaluation_criteria"]["actions"][0]["name"]
    calls = tuple(ToolCall(id=text, name=name, arguments=text) for text in ("[1]", "{", "NaN"))
    assert earned(raw, [Message(role="assistant", tool_calls=calls)]).reward == 1.0


@pytest.mark.parametrize(
    ("said", "met"), [("That is 1,234 dollars", True), ("12,34", True), ("123 4", False), ("", False)], ids=["comma", "any comma", "space", "nothing"]
)
def test_communicated_texts_are_found_once_the_commas_of_the_message_are_gone(said, met):
    assert communicated("1234", [Message(role="assistant", content=said)]) is met


def test_communicated_texts_are_found_in_any_case_in_any_agent_turn_and_never_in_the_users():
    assert communicated("Gold", [Message(role="assistant", content="it is GOLD"), Message(role="assistant", content="bye")])
    assert not communicated("gold", [Message(role="user", content="gold"), Message(role="tool", content="gold")])


def test_a_text_with_a_comma_is_never_found_as_in_the_benchmark():
    assert not communicated("1,234", [Message(role="assistant", content="1,234")])


@pytest.mark.parametrize("ending", ["max_steps", "max_errors", "agent_error"])
def test_a_conversation_that_did_not_end_properly_earns_nothing_whatever_it_did(ending):
    raw = raw_tasks()[0]
    assert earned(raw, gold_messages(raw), ending).reward == 0.0


@pytest.mark.parametrize("ending", ["transfer", "out_of_scope"])
def test_every_stop_token_of_the_user_is_a_proper_end(ending):
    raw = raw_tasks()[0]
    assert earned(raw, gold_messages(raw), ending).reward == 1.0


@pytest.mark.parametrize("ending", ["infrastructure", "budget", "user_error"])
def test_what_is_not_the_agents_affair_is_unknown_and_not_nothing(ending):
    raw = raw_tasks()[0]
    assert earned(raw, gold_messages(raw), ending).reward is None


@pytest.mark.parametrize(("judged", "reward"), [(True, 1.0), (False, 0.0), (None, None)])
def test_assertions_multiply_the_reward_and_are_unknown_without_a_judge(judged, reward):
    raw = raw_tasks()[1]
    found = earned(raw, gold_messages(raw), judged=judged)
    assert (found.reward, found.parts["DB"]) == (reward, 1.0)


def test_a_part_that_is_not_evaluated_here_is_refused():
    raw = raw_tasks()[0]
    raw["evaluation_criteria"]["reward_basis"] = ["ENV_ASSERTION"]
    with pytest.raises(ConfigError, match="ENV_ASSERTION"):
        earned(raw, [])


def judgement(*met):
    return json.dumps({"results": [{"number": number, "why": "", "met": each} for number, each in enumerate(met, start=1)]})


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        (judgement(True, True), True),
        (judgement(True, False), False),
        (f"Here it is:\n```json\n{judgement(True, True)}\n```", True),
        (judgement(True), None),
        (judgement(True, "yes"), None),
        (judgement(True, None), None),
        ('{"results": "good"}', None),
        ("{broken", None),
        ("", None),
        (None, None),
    ],
)
def test_a_judges_answer_counts_only_if_it_settles_every_expectation(answer, met):
    assert all_met(answer, 2) is met


def test_a_judge_is_shown_every_expectation_and_all_that_was_said_and_done():
    raw = raw_tasks()[1]
    asked = b"".join(messages(raw["evaluation_criteria"]["nl_assertions"], gold_messages(raw))).decode()
    assert "1. The agent is kind." in asked
    assert "2. The agent is brief." in asked
    assert raw["evaluation_criteria"]["actions"][0]["name"] in asked
    assert "Wish 1." in asked


def test_a_scenario_is_told_word_for_word():
    told = instruction(raw_tasks()[1], "library")
    assert (told.id, told.reason_for_call, told.known_info, told.unknown_info) == ("library-1", "Wish 1.", "You are you.", "")
