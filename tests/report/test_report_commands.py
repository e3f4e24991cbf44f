"""`writ report`, `show` and `doctor` on a store that holds finished runs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_worlds import LIBRARY, library_run, write_store

from writ.cli import app
from writ.errors import ArtifactError
from writ.llm.server import Answer, Reply, chat_reply, serve
from writ.schema import ToolCall


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def ok(*arguments):
    done = invoke(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    _, first = write_store(folder, library_run(9)[:-1], "a")
    _, other = write_store(folder, library_run(13)[:-1], "b")
    return folder, first, other


def test_report_of_a_run_stands_in_the_store_under_a_shortened_id(runs):
    folder, first, _ = runs
    place = ok("report", first[:7], "--out", folder).strip()
    assert place.startswith(f"{folder}/report/")
    assert place.endswith("/report.html")
    assert Path(place).read_bytes().startswith(b"<!doctype html>")


def test_report_of_two_runs_goes_to_a_named_file(runs, tmp_path):
    folder, first, other = runs
    assert ok("report", f"{folder}/{first}", f"{folder}/{other}", "--to", tmp_path / "both.html").strip() == str(tmp_path / "both.html")
    assert (tmp_path / "both.html").read_bytes().startswith(b"<!doctype html>")


def test_unknown_or_ambiguous_run_is_refused_with_those_that_are_there(runs):
    folder, first, other = runs
    unknown = invoke("report", "zzz", "--out", folder)
    assert isinstance(unknown.exception, ArtifactError)
    assert first in str(unknown.exception)
    assert other in str(unknown.exception)
    assert "2 runs begin with ''" in str(invoke("report", "", "--out", folder).exception)


def test_show_lists_runs_and_prints_run_task_and_conversation(runs):
    folder, first, _ = runs
    assert first in ok("show", "--out", folder)
    text = ok("show", first, "--out", folder)
    assert "lost: Wrong value in a change" in text
    assert "agent (wrong_argument)" in text
    assert "writ show conversation-000000000000" in text
    task = ok("show", "library-000000000001", "--out", folder, "--run", first)
    assert f"run {first}" in task
    assert "3 editions of The Salt Island" in task
    assert "Lost: Wrong value in a change." in ok("show", "conversation-000000000000", "--out", folder, "--run", first[:6])


def test_show_of_what_several_runs_hold_or_of_several_asks_for_one(runs):
    folder, first, other = runs
    lost = "conversation-000000000000"
    several = str(invoke("show", lost, "--out", folder).exception)
    assert f"2 runs hold conversation '{lost}'; name one: writ show {lost} --run" in several
    assert first in several
    assert other in several
    assert "conversations begin with 'conversation-'; write more of the id" in str(invoke("show", "conversation-", "--out", folder).exception)


def test_show_of_nothing_that_is_there_says_so(runs):
    assert "holds a conversation 'conversation-ffff'" in str(invoke("show", "conversation-ffff", "--out", runs[0]).exception)
    assert "holds a task 'library-ffff'" in str(invoke("show", "library-ffff", "--out", runs[0]).exception)


def doctor(tmp_path, *settings):
    sets = [part for setting in settings for part in ("--set", setting)]
    library = ("domains.names=[library]", f"domains.code={{library: {LIBRARY}}}", "domains.users=5")
    known = [part for setting in library for part in ("--set", setting)]
    return invoke("doctor", *known, *sets, "--out", tmp_path / "runs", "--wait", "2")


def test_doctor_finds_the_default_configuration_well(tmp_path):
    done = doctor(tmp_path)
    assert done.exit_code == 0, done.output
    assert "✕" not in done.output
    for subject in ("versions", "store", "disk", "domains", "agent", "simulated user"):
        assert f"✓ {subject}" in done.output


def test_doctor_names_everything_that_is_wrong_and_exits_with_the_first(tmp_path):
    (tmp_path / "runs").write_text("a file where the store should be")
    done = doctor(tmp_path, "simulation.user.model=gpt", "simulation.agent.base_url=http://127.0.0.1:9/v1")
    assert done.exit_code in (2, 75)
    assert [line.split()[1] for line in done.output.splitlines() if line.startswith("✕")] == ["store", "agent", "simulated"]
    assert "model 'gpt' has no base_url" in done.output
    assert "3 to fix" in done.output


def doctor_of_a_server(tmp_path, answer: Answer, *settings: str):
    """The doctor's words on a real endpoint that serves `the-model` and answers so."""

    async def scenario():
        async with serve(answer, models=["the-model"]) as server:
            return await asyncio.to_thread(doctor, tmp_path, f"simulation.agent.base_url={server.base_url}", *settings)

    return asyncio.run(scenario())


async def calls_tools(body: dict[str, Any]) -> Reply:
    tools = body.get("tools")
    called = (ToolCall(id="c1", name=tools[0]["function"]["name"], arguments="{}"),) if tools else ()
    return chat_reply(None if called else "Yes.", tool_calls=called, model="the-model", prompt_tokens=5, completion_tokens=1)


async def calls_tools_in_words(body: dict[str, Any]) -> Reply:
    return chat_reply('<tool_call>{"name": "find_member"}</tool_call>', model="the-model", prompt_tokens=5, completion_tokens=1)


def test_doctor_of_a_good_endpoint_says_that_its_tool_calls_are_parsed(tmp_path):
    done = doctor_of_a_server(tmp_path, calls_tools, "simulation.agent.model=the-model")
    assert done.exit_code == 0, done.output
    assert "'the-model' answers at http://127.0.0.1" in done.output
    assert "its tool calls are parsed" in done.output


def test_doctor_of_a_wrong_model_name_names_the_served_ones(tmp_path):
    done = doctor_of_a_server(tmp_path, calls_tools, "simulation.agent.model=the-modle")
    assert done.exit_code == 2
    assert "set `model` to one of: the-model" in done.output


def test_doctor_of_an_endpoint_that_does_not_parse_tool_calls_names_the_flags(tmp_path):
    done = doctor_of_a_server(tmp_path, calls_tools_in_words, "simulation.agent.model=the-model")
    assert done.exit_code == 2
    assert "--enable-auto-tool-choice" in done.output
