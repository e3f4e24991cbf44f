"""What a user may say, and when they may leave."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from desk_world import instruction

from writ.domains import speech
from writ.schema import Fact, Message, ToolCall
from writ.simulation import guards

RECORDED = Path(__file__).parents[3] / "shared" / "tau2-bench" / "recorded" / "retail_results.json"


def talk(*turns: str) -> list[Message]:
    """Turns by their first letter: `A:` agent, `U:` user, `C:` the name of a tool that the agent calls."""
    messages = []
    for turn in turns:
        who, _, text = turn.partition(":")
        if who == "C":
            call = ToolCall(id="c", name=text, arguments="{}")
            messages += [Message(role="assistant", tool_calls=(call,)), Message(role="tool", tool_call_id="c", content="{}")]
        else:
            messages.append(Message(role="assistant" if who == "A" else "user", content=text))
    return messages


def pending(*turns: str) -> bool:
    return guards.write_pending(talk(*turns), lambda name: name == "cancel_order")


@pytest.mark.parametrize(
    ("text", "words", "token"),
    [
        ("###STOP###", "", "###STOP###"),
        ("Thanks!\n\n###STOP###", "Thanks!", "###STOP###"),
        ("Yes, a human please. ###TRANSFER###", "Yes, a human please.", "###TRANSFER###"),
        ("###STOP### ###OUT-OF-SCOPE###", "", "###OUT-OF-SCOPE###"),
        ("I said stop.", "I said stop.", ""),
    ],
)
def test_a_turn_is_split_into_its_words_and_its_token(text: str, words: str, token: str):
    assert guards.split_stop(text) == (words, token)


def test_values_are_found_by_kind_and_spelled_alike():
    text = "Order #W2378156, item 4107812777, mail Ann.Lee@example.com, $1,200.00, flight HAT123, trip ZFA04Y, card gift_card_3491931, 128GB, May 25."
    assert speech.values(text) == {"w2378156", "4107812777", "ann.lee@example.com", "$1200", "hat123", "zfa04y", "gift_card_3491931"}
    assert speech.values("W2378156 for $1200.") == {"w2378156", "$1200"}


def test_a_value_that_nobody_named_is_invented():
    teller = instruction(3, known_info="Your zip code is 19122 and you have 50 dollars.")
    allowed = speech.known(teller) | speech.mentioned("I found gift_card_3491931 with 20.50 on it.")
    assert speech.invented("Zip 19122, the card 3491931, $20.5 and $50.", allowed) == ()
    assert speech.invented("Zip 19123, order #W1111111, $51, me@here.org", allowed) == ("$51", "19123", "me@here.org", "w1111111")


def test_a_wrong_value_that_the_script_plans_is_not_invented():
    fact = Fact(name="zip", value="19122", text="zip 19122", wrong="zip 19133")
    assert speech.invented("My zip 19133.", speech.known(instruction(1, identity=(fact,)))) == ()


def test_a_hidden_id_is_leaked_unless_the_agent_said_it_first():
    assert speech.leaked("It is #W2378156.", ("#W2378156", "ABC"), lambda each: False) == ("#W2378156",)
    assert speech.leaked("It is #w2378156.", ("#W2378156",), lambda each: True) == ()
    assert speech.leaked("ABCD and XABC", ("ABC",), lambda each: False) == ()


def test_a_write_is_pending_from_the_question_until_it_is_made():
    asked = ("U:Cancel my order.", "A:I will cancel order W1. Do you confirm (yes/no)?")
    assert pending(*asked)
    assert pending(*asked, "U:Yes, go ahead.")
    assert pending(*asked, "U:Yes, go ahead.", "A:One moment, I am doing that now.")
    assert pending(*asked, "U:Yes.", "C:get_order", "A:Still looking.")
    assert not pending(*asked, "U:Yes.", "C:cancel_order", "A:It is cancelled. Anything else?")


@pytest.mark.parametrize(
    "after",
    [
        ("U:No, keep it.",),
        ("U:Yes.", "A:Unfortunately it has shipped and cannot be cancelled."),
        ("U:Actually no, don't.", "A:All right, it stays."),
    ],
)
def test_no_write_is_pending_after_a_no_or_a_refusal(after: tuple[str, ...]):
    assert not pending("A:Do you confirm that I cancel order W1?", *after)


def test_offers_of_further_help_are_no_proposals():
    assert not pending("A:Done. Would you like me to help with anything else?")
    assert not pending("A:I cannot do that. Would you like me to look at something else?")


def recorded_talks() -> list[tuple[dict[str, Any], list[Message]]]:
    """Real conversations, each with the scenario of the task whose gold actions it was scored by."""
    if not RECORDED.is_file():
        pytest.skip("recorded conversations are not beside this checkout (shared/tau2-bench)")
    file = json.loads(RECORDED.read_text())
    by_gold = {gold_key(task["evaluation_criteria"]["actions"] or []): task for task in file["tasks"]}
    pairs = []
    for run in file["simulations"]:
        task = by_gold[gold_key([check["action"] for check in run["reward_info"]["action_checks"] or []])]
        pairs.append((task["user_scenario"]["instructions"], [message_of(each) for each in run["messages"]]))
    return pairs


def gold_key(actions: list[dict[str, Any]]) -> str:
    return json.dumps([(action["name"], action["arguments"]) for action in actions], sort_keys=True)


def message_of(each: dict[str, Any]) -> Message:
    calls = tuple(ToolCall(id=call["id"], name=call["name"], arguments=json.dumps(call["arguments"])) for call in each.get("tool_calls") or ())
    return Message(role=each["role"], content=each["content"] or "", tool_calls=calls)


def test_guards_let_nearly_all_turns_of_recorded_real_users_pass():
    turns = objections = 0
    for told, messages in recorded_talks():
        allowed = set(speech.known(instruction(1, facts=(), **{name: text or "" for name, text in told.items() if name != "domain"})))
        for before, message in pairwise(messages):
            if before.role == "assistant" and not before.tool_calls:
                allowed |= speech.mentioned(before.content or "")
            if message.role == "user":
                turns += 1
                objections += bool(speech.invented(guards.split_stop(message.content or "")[0], allowed))
    assert turns == 520
    assert objections <= 0.01 * turns
