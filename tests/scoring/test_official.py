"""The benchmark's runner beside ours: gold for whoever asks, its results read, both compared task by task; and the page of the figures."""

import asyncio
import json
import sys

import pytest
from benchmark_folder import raw_tasks, write_folder
from click.testing import CliRunner

from library_world import FOLDER
from writ.commands.evaluate import evaluate
from writ.errors import ArtifactError, ConfigError
from writ.report.evaluation import evaluation_page
from writ.schema import Score
from writ.scoring.benchmark import task_id
from writ.scoring.gold import JUDGE, Gold
from writ.scoring.official import Trial, agreement, read_results

RAWS = {task_id("library", raw["id"]): raw for raw in raw_tasks()}
TOOLS = [{"type": "function", "function": {"name": "t"}}]


def said(body):
    """The text and the calls of gold's answer."""
    reply = asyncio.run(Gold(RAWS)(body))
    message = json.loads(reply.body)["choices"][0]["message"]
    return message.get("content"), [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message.get("tool_calls") or ()]


def test_gold_plays_a_task_that_it_knows_from_the_text_of_the_messages_alone():
    wish, _ = said({"messages": [{"role": "system", "content": "Reason:\n\tWish 2.\n\tYou are you.\n\t."}, {"role": "user", "content": "Hi!"}]})
    assert wish.endswith("[task library-2]")
    talk = [{"role": "system", "content": "policy"}, {"role": "assistant", "content": "Hi!"}, {"role": "user", "content": wish}]
    made = []
    for action in RAWS["library-2"]["evaluation_criteria"]["actions"]:
        _, [call] = said({"messages": talk, "tools": TOOLS})
        made.append((call, (action["name"], action["arguments"])))
        talk += [{"role": "assistant", "content": None, "tool_calls": [{}]}, {"role": "tool", "content": "done"}]
    assert made
    assert all(call == gold for call, gold in made)
    text, calls = said({"messages": talk, "tools": TOOLS})
    assert (text.startswith("That is done."), calls) == (True, [])
    assert said({"messages": [*talk[:1], {"role": "assistant", "content": wish}]})[0] == "###STOP###"


def test_gold_as_a_judge_answers_in_the_form_that_it_is_asked_in():
    theirs = said({"model": JUDGE, "messages": [{"role": "user", "content": "conversation: …\n expectedOutcomes:\n ['a', \"b's\"]"}]})[0]
    assert [each["expectedOutcome"] for each in json.loads(theirs)["results"]] == ["a", "b's"]
    ours = said({"model": JUDGE, "messages": [{"role": "user", "content": "Conversation:\n1. no\n\nExpectations:\n1. a\n2. b"}]})[0]
    assert [each["met"] for each in json.loads(ours)["results"]] == [True, True]


def score(number, reward, **parts):
    known = {"trajectory_id": f"t{number}", "kind": "normal", "trial": 0, "writes": 1, "burden": -1, "tool": "t", "termination": "user_stop"}
    return Score(task_id=f"library-{number}", domain="library", reward=reward, parts=parts, agent_tokens=1, user_tokens=1, **known)


def test_runners_are_compared_task_by_task_and_a_difference_names_its_part_and_its_endings():
    ours = [score(0, 1.0, DB=1.0), score(1, 1.0, DB=1.0, COMMUNICATE=1.0), score(2, None)]
    theirs = [
        Trial(task_id="library-0", reward=1.0, parts={"DB": 1.0}, ending="user_stop"),
        Trial(task_id="library-1", reward=0.0, parts={"DB": 1.0, "COMMUNICATE": 0.0}, ending="max_steps"),
    ]
    found = agreement("m", ours, theirs)
    assert (found.tasks, found.agree, found.ours, found.theirs) == (3, 2, 1.0, 0.5)
    [differing] = found.differ
    assert differing.task_id == "library-1"
    assert differing.why == "COMMUNICATE 1 here, 0 there; ended user_stop here, max_steps there"


def fake_checkout(folder):
    """A program in the runner's place: it writes a results file in which every task but one succeeds."""
    program = (
        "import json, os, sys\n"
        "def main():\n"
        "    a = sys.argv\n"
        "    ids = a[a.index('--task-ids') + 1 : a.index('--num-trials')]\n"
        "    llm = json.loads(a[a.index('--agent-llm-args') + 1])\n"
        "    assert llm['api_base'].startswith('http://127.0.0.1') and os.environ['OPENAI_API_BASE'] == llm['api_base']\n"
        "    info = lambda i: {'reward': float(i != '1'), 'reward_breakdown': {}}\n"
        "    runs = [{'task_id': i, 'termination_reason': 'user_stop', 'reward_info': info(i)} for i in ids]\n"
        "    to = os.path.join(os.environ['TAU2_DATA_DIR'], 'simulations', a[a.index('--save-to') + 1])\n"
        "    os.makedirs(to)\n"
        "    json.dump({'simulations': runs}, open(os.path.join(to, 'results.json'), 'w'))\n"
    )
    (folder / "src/tau2").mkdir(parents=True)
    (folder / "src/tau2/__init__.py").touch()
    (folder / "src/tau2/cli.py").write_text(program)
    return folder


def test_one_command_runs_both_and_shows_where_they_differ(tmp_path):
    arguments = ["--set", "domains.names=[library]", "--set", "domains.code={library: " + FOLDER + "}", "--plain", "--out", str(tmp_path / "store")]
    arguments += ["--benchmark", str(write_folder(tmp_path / "bench", raw_tasks())), "--set", "evaluation.trials=1"]
    arguments += [
        "--official",
        str(fake_checkout(tmp_path / "checkout")),
        "--official-python",
        sys.executable,
        "--to",
        str(tmp_path / "figures.json"),
    ]
    made = CliRunner().invoke(evaluate, [*arguments, "--page", str(tmp_path / "page.html")], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    [found] = json.loads((tmp_path / "figures.json").read_text())["official"]
    assert (found["tasks"], found["agree"], [each["task_id"] for each in found["differ"]]) == (4, 3, ["library-1"])
    assert "library-1" in (tmp_path / "page.html").read_text()


def test_a_checkout_or_an_interpreter_that_is_not_there_is_named(tmp_path):
    bench = str(write_folder(tmp_path / "bench", raw_tasks()))
    arguments = ["--set", "domains.names=[library]", "--set", "domains.code={library: " + FOLDER + "}", "--out", str(tmp_path), "--benchmark", bench]
    with pytest.raises(ConfigError, match="no checkout"):
        CliRunner().invoke(evaluate, [*arguments, "--official", str(tmp_path / "none")], catch_exceptions=False)
    with pytest.raises(ConfigError, match="uv sync"):
        CliRunner().invoke(evaluate, [*arguments, "--official", str(fake_checkout(tmp_path / "checkout"))], catch_exceptions=False)


def test_a_results_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "results.json").write_text('{"simulations": [{}]}')
    with pytest.raises(ArtifactError, match="is not a results file"):
        read_results(tmp_path / "results.json", "library")


def test_the_page_shows_every_model_and_lets_no_name_become_markup():
    interval = [0.5, 0.25, 0.75]
    passes = {"tasks": 4, "trials": 8, "unjudged": 1, "by_k": {"1": interval, "2": [0.25, 0.0, 0.5]}}
    cell = {"domain": "library", "writes": 2, "burden": "4-5", "tasks": 1, "trials": 2, "successes": 1}
    model = {
        "overall": passes,
        "domains": {"library": passes},
        "without_judge": None,
        "cells": [cell],
        "tokens": {"per_conversation": 10.0, "agent_per_conversation": 5.0, "per_success": None},
        "errors": {"wrong argument": 3},
        "lucky": 0,
    }
    comparison = {"first": "b", "second": "<a>", "tasks": 4, "difference": interval, "better": 2, "worse": 1, "p_value": 0.5}
    figures = {"models": [model | {"model": "<a>"}, model | {"model": "b"}], "comparisons": [comparison], "official": []}
    page = evaluation_page(figures).decode()
    assert "<a>" not in page
    assert page.count("&lt;a&gt;") >= 5
    assert "50.0 <small>[25.0, 75.0]" in page
    assert "1/2" in page
    assert "<script" not in page
    assert "guessing" not in page
    guessed = evaluation_page(figures | {"chance": 0.46}).decode()
    assert "<td class=name>guessing</td>" in guessed
    assert guessed.count('<u style="left:46.0%">') == 2, "a mark in the bar over all tasks, of each model"
