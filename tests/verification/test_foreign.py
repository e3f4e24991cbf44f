"""Conversations from elsewhere, in every form that we know of; whatever is odd ends in one line that names the place."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from library_world import site, tasks
from writ.cli import app
from writ.errors import WritError
from writ.verification.foreign import read_foreign
from writ.verification.stage import CHECKS, judge

READ = {"name": "get_member", "arguments": {"member_id": "M-1"}}


def call(number, name="get_member", arguments='{"member_id": "M-1"}'):
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def answer(content, **fields):
    return {"role": "tool", "content": content, **fields}


def spoken(*between):
    return [{"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "Hello."}, *between, {"role": "user", "content": "Bye ###STOP###"}]


def given_file(tmp_path, content, name="given.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(tmp_path, content):
    return list(read_foreign(given_file(tmp_path, content), "library"))


def refused():
    return site().environment().call("get_member", {"member_id": "M-1"}).content


def verdict(foreign):
    return {check.name: check.result for check in judge(site(), foreign.trajectory, foreign.task, None, certified=False).checks}


@pytest.mark.parametrize(
    ("form", "count"),
    [
        (lambda talk: "\n".join(json.dumps({"messages": talk}) for _ in range(3)), 3),
        (lambda talk: json.dumps([{"id": "a", "messages": talk}, {"id": "b", "messages": talk}]), 2),
        (lambda talk: json.dumps([talk, talk]), 2),
        (lambda talk: json.dumps({"messages": talk}, indent=1), 1),
        (lambda talk: json.dumps(talk, indent=1), 1),
        (lambda talk: "\ufeff" + json.dumps({"messages": talk}), 1),
        (lambda talk: json.dumps([{"task_id": 3, "trial": 1, "reward": 1.0, "traj": talk}]), 1),
        (lambda talk: json.dumps({"simulations": [{"id": "s", "task_id": 0, "messages": talk, "termination_reason": "user_stop"}]}), 1),
        (lambda talk: json.dumps({"messages": talk}).replace("Hello.", "a\u2028line in a line"), 1),
    ],
    ids=[
        "lines",
        "list of objects",
        "list of lists",
        "one object",
        "bare messages",
        "byte order mark",
        "first tau-bench",
        "results",
        "odd separator",
    ],
)
def test_every_form_of_a_file_is_read(tmp_path, form, count):
    found = read(tmp_path, form(spoken()))
    assert len(found) == count
    assert all(len(each.trajectory.messages) == 3 for each in found)


def test_results_are_laid_at_their_calls_whatever_the_dialect_names_them(tmp_path):
    told = refused()
    dialects = [
        spoken({"role": "assistant", "tool_calls": [call("a"), call("b")]}, answer(told, tool_call_id="b"), answer(told, tool_call_id="a")),
        spoken(*2 * ({"role": "assistant", "content": None, "tool_calls": [call("call_0")]}, answer(told, tool_call_id="call_0"))),
        spoken({"role": "assistant", "tool_calls": [call(""), call("")]}, answer(told), answer(told)),
        spoken({"role": "assistant", "function_call": READ}, {"role": "function", "name": "get_member", "content": told}),
        spoken({"role": "assistant", "tool_calls": [{"id": "x", **READ, "requestor": "assistant"}]}, answer(told, id="x", error=True)),
        spoken({"role": "assistant", "tool_calls": [call("a")]}, {"role": "tool", "tool_messages": [answer(told, id="a")]}),
        [{"role": "developer", "content": "Be kind."}, *spoken({"role": "assistant", "content": [{"type": "text", "text": "One moment."}]})],
    ]
    for talk in dialects:
        [foreign] = read(tmp_path, json.dumps(talk))
        assert verdict(foreign)["transcript"] == "pass", talk
    [wrong] = read(tmp_path, json.dumps(spoken({"role": "assistant", "tool_calls": [call("a")]}, answer("something else", tool_call_id="a"))))
    assert verdict(wrong)["transcript"] == "fail"


def test_result_whose_control_tokens_were_broken_is_still_the_environments(tmp_path):
    asked = call("a", arguments='{"member_id": "<|im_end|>"}')
    told = site().environment().call("get_member", {"member_id": "<|im_end|>"}).content
    assert "<|im_end|>" in told
    for said in (told, told.replace("<|", "< |")):
        [foreign] = read(tmp_path, json.dumps(spoken({"role": "assistant", "tool_calls": [asked]}, answer(said, tool_call_id="a"))))
        assert verdict(foreign)["transcript"] == "pass", said


@pytest.mark.parametrize("arguments", ["{", "[]", '{"member_id": NaN}', '{"member_id": "\\ud800"}', "{" * 100_000, '{"n": ' + "9" * 5000 + "}"])
def test_arguments_that_no_json_text_can_hold_are_malformed_as_the_simulation_takes_them(tmp_path, arguments):
    [foreign] = read(
        tmp_path, json.dumps(spoken({"role": "assistant", "tool_calls": [call("a", arguments=arguments)]}, answer("?", tool_call_id="a")))
    )
    assert judge(site(), foreign.trajectory, None, None, certified=False).cause == "malformed_arguments"


def results(**changes):
    due = next(task for task in tasks() if task.writes).writes[0]
    action = {"requestor": "assistant", "name": due.name, "arguments": due.arguments}
    task = {"id": "7", "user_scenario": {"instructions": "Renew."}, "evaluation_criteria": {"actions": [action]}, **changes.pop("task", {})}
    run = {"id": "s", "task_id": "7", "termination_reason": "user_stop", "messages": spoken(), **changes.pop("run", {})}
    return json.dumps({"tasks": [task], "simulations": [run], **changes})


@pytest.mark.parametrize(
    ("changes", "end_state"),
    [
        ({}, "fail"),
        ({"run": {"reward_info": {"reward": 0.0, "db_check": None}}}, "fail"),
        ({"task": {"evaluation_criteria": None}}, "pass"),
        ({"tasks": None}, "not_applicable"),
        ({"task": {"initial_state": {"initialization_actions": [{"env_type": "user"}]}}}, "not_applicable"),
        ({"task": {"evaluation_criteria": {"actions": [{"requestor": "user", "name": "reboot", "arguments": {}}]}}}, "not_applicable"),
        ({"run": {"messages": spoken({"role": "user", "tool_calls": [{"id": "u", "name": "reboot", "arguments": {}}]})}}, "not_applicable"),
        ({"run": {"reward_info": {"reward": 1.0, "db_check": {"db_match": True}, "action_checks": None}}}, "pass"),
    ],
    ids=["due", "unscored", "no criteria", "no tasks", "own start", "user's action", "user's tools", "scored without actions"],
)
def test_end_state_is_judged_only_where_the_file_says_what_is_due(tmp_path, changes, end_state):
    [foreign] = read(tmp_path, results(**changes))
    assert verdict(foreign)["end_state"] == end_state


def test_folder_of_the_runner_is_read_with_its_simulations(tmp_path):
    whole = json.loads(results())
    (tmp_path / "run" / "simulations").mkdir(parents=True)
    given_file(tmp_path / "run" / "simulations", json.dumps(whole.pop("simulations")[0]), "one.json")
    given_file(tmp_path / "run", json.dumps(whole), "results.json")
    assert [each.trajectory.id for each in read_foreign(tmp_path / "run", "library")] == ["s"]


ODD = {
    "nothing": b"",
    "no JSON": b"hello",
    "half": b'{"messages": [',
    "another thing": b'{"rows": 3}',
    "a number": b"7",
    "empty list": b"[]",
    "no conversations": b'{"simulations": []}',
    "invalid UTF-8": b'{"messages": "\xff"}',
    "deep": b"[" * 100_000,
    "deep in a line": b'{"messages": []}\n' + b'{"a":' * 100_000,
    "endless number": b'{"messages": [{"role": "user", "content": "x", "n": ' + b"9" * 5000 + b"}]}",
    "role": b'{"messages": [{"role": "narrator", "content": "x"}]}',
    "message": b'{"messages": ["x"]}',
    "call without a name": b'{"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]}',
    "calls no list": b'{"messages": [{"role": "assistant", "tool_calls": "abc"}]}',
    "no messages": b'{"simulations": [{"task_id": "1", "messages": null}]}',
    "no task id": b'{"simulations": [{"messages": []}]}',
    "tasks no list": b'{"tasks": 3, "simulations": []}',
    "simulations no list": b'{"simulations": 3}',
    "another domain": b'{"info": {"environment_info": {"domain_name": "telecom"}}, "simulations": []}',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_file_is_one_line_that_names_it_and_says_what_to_do(tmp_path, content):
    path = given_file(tmp_path, content)
    with pytest.raises(WritError) as caught:
        list(read_foreign(path, "library"))
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 600 + len(str(path))


def test_unknown_domain_and_missing_file_are_one_line_on_the_command_line(tmp_path):
    good = given_file(tmp_path, results())
    for arguments, words in (((str(good), "--domain", "telecom"), "telecom"), ((str(tmp_path / "none"), "--domain", "retail"), "none")):
        ended = CliRunner().invoke(app, ["verify", *arguments])
        assert isinstance(ended.exception, WritError), ended.exception
        assert words in str(ended.exception)


def test_how_varied_the_words_are_is_told_of_any_text_and_what_the_protocol_prescribes_is_left_out(tmp_path):
    spoken = [{"role": "user", "content": text} for text in ("Thanks \ud800.", "thanks \ud800.", "Bye for now.", "###STOP###")]
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(spoken))
    ended = CliRunner().invoke(app, ["verify", str(file), "--domain", "examples/library"], catch_exceptions=False)
    assert "wording of the user: 50.00% of its sentences are the commonest one ('thanks" in ended.output


TEXT = st.text(alphabet=st.characters(), max_size=12) | st.sampled_from(["yes", "\ud800", "###STOP###", "M-1", "$5.00", "x" * 2000])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([10**400, -(10**400)]) | st.floats() | TEXT | st.sampled_from(["L-1", "B-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = sorted(site().domain.toolkit.tools)
FIELDS = sorted({name for tool in site().domain.toolkit.tools.values() for name in tool.parameters})
ARGUMENTS = st.dictionaries(st.sampled_from(FIELDS) | TEXT, VALUE, max_size=4)
CALL = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES) | TEXT, "arguments": ARGUMENTS | ARGUMENTS.map(json.dumps) | TEXT},
    optional={"id": st.sampled_from(["a", "b", ""]) | st.none()},
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "assistant", "tool"])},
    optional={"content": st.none() | TEXT | VALUE, "tool_calls": st.none() | st.lists(CALL, max_size=3), "tool_call_id": st.sampled_from(["a", "b"])},
)


def read_or_refused(path):
    """What the file holds; nothing where one line refuses it."""
    refusal, found = "", []
    try:
        found = list(read_foreign(path, "library"))
    except WritError as e:
        refusal = str(e)
    assert "\n" not in refusal
    return found


def judged_or_refused(tmp_path, talk):
    """No conversation makes the verifier fall over: it is judged by every check and can be written down, or refused in one line."""
    path = given_file(tmp_path, json.dumps({"messages": talk}))
    for foreign in read_or_refused(path):
        judged = judge(site(), foreign.trajectory, foreign.task, None, certified=False)
        assert [check.name for check in judged.checks] == list(CHECKS)
        assert judged.model_dump_json()
        assert foreign.trajectory.model_dump_json()


HARMLESS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=HARMLESS)
@given(talk=st.lists(MESSAGE, max_size=6))
def test_any_conversation_is_judged_or_refused_in_one_line(tmp_path, talk):
    judged_or_refused(tmp_path, talk)


@pytest.mark.long
@settings(max_examples=1500, deadline=None, suppress_health_check=HARMLESS)
@given(talk=st.lists(MESSAGE, max_size=10))
def test_any_of_many_conversations_is_judged_or_refused_in_one_line(tmp_path, talk):
    judged_or_refused(tmp_path, talk)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=HARMLESS)
@given(whole=st.dictionaries(st.sampled_from(["messages", "traj", "simulations", "tasks", "info", "id"]), VALUE, min_size=1, max_size=4))
def test_any_object_is_read_or_refused_in_one_line(tmp_path, whole):
    read_or_refused(given_file(tmp_path, json.dumps(whole)))
