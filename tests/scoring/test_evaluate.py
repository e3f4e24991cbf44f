"""`writ evaluate` end to end over a little benchmark and over held-out tasks: gold replay, a judge on the loopback, the leaderboard's files."""

import json
import re

import pytest
from benchmark_folder import raw_tasks, write_folder
from click.testing import CliRunner

from library_world import FOLDER
from writ.commands.evaluate import evaluate
from writ.commands.figures import Measured, print_figures
from writ.errors import ArtifactError, ConfigError
from writ.jobs.thread import served
from writ.llm.server import chat_reply, error_reply
from writ.schema import Trajectory
from writ.scoring.summary import Resampling, summarize
from writ.verification.foreign import read_foreign

LIBRARY = ("--set", "domains.names=[library]", "--set", "domains.code={library: " + FOLDER + "}", "--plain")


def evaluated(tmp_path, *arguments):
    """The figures of one call."""
    target = tmp_path / "figures.json"
    made = CliRunner().invoke(evaluate, [*LIBRARY, "--out", str(tmp_path / "store"), "--to", str(target), *arguments], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return json.loads(target.read_text())


@pytest.fixture
def folder(tmp_path):
    return str(write_folder(tmp_path / "bench", raw_tasks()))


def judge(answer):
    async def reply(body):
        return answer if not isinstance(answer, str) else chat_reply(answer, model="judge")

    return served(reply, models=("judge",))


def test_gold_replay_succeeds_in_every_trial_of_every_task_that_can_be_judged(tmp_path, folder):
    [model] = evaluated(tmp_path, "--benchmark", folder, "--set", "evaluation.trials=2")["models"]
    assert model["model"] == "gold"
    assert (model["overall"]["tasks"], model["overall"]["unjudged"]) == (3, 2)
    assert model["overall"]["by_k"]["2"] == [1.0, 1.0, 1.0]
    assert (model["without_judge"]["tasks"], model["without_judge"]["by_k"]["1"][0]) == (4, 1.0)


@pytest.mark.parametrize(
    ("answer", "figures"),
    [
        ('{"results": [{"met": true}, {"met": true}]}', (4, 0, 1.0)),
        ('{"results": [{"met": true}, {"met": false}]}', (4, 0, 0.75)),
        ("I would rather not say.", (3, 1, 1.0)),
        (error_reply(400, "no"), (3, 1, 1.0)),
    ],
    ids=["met", "not met", "unreadable", "failing"],
)
def test_a_judge_settles_assertions_and_its_failure_leaves_them_unknown(tmp_path, folder, answer, figures):
    with judge(answer) as url:
        setting = f"evaluation.judge={{model: judge, base_url: '{url}', retries: 0}}"
        [model] = evaluated(tmp_path, "--benchmark", folder, "--set", "evaluation.trials=1", "--set", setting)["models"]
    overall = model["overall"]
    assert (overall["tasks"], overall["unjudged"], overall["by_k"]["1"][0]) == figures


def test_a_split_picks_its_tasks_and_an_unknown_one_is_refused(tmp_path, folder):
    found = evaluated(tmp_path, "--benchmark", folder, "--set", "evaluation.trials=1", "--set", "evaluation.benchmark_split=test")
    [model] = found["models"]
    assert (model["overall"]["tasks"], found["chance"]) == (1, None)
    with pytest.raises(ConfigError, match="there are base, test"):
        evaluated(tmp_path, "--benchmark", folder, "--set", "evaluation.benchmark_split=dev")


def test_a_benchmark_is_not_played_by_a_model_against_nobody(tmp_path, folder):
    with pytest.raises(ConfigError, match="need a model as the user"):
        evaluated(tmp_path, "--benchmark", folder, "--model", "mine=http://127.0.0.1:9/v1")


def test_two_models_on_held_out_tasks_are_compared_and_a_second_call_asks_nobody(tmp_path):
    async def silent(body):
        return chat_reply("I cannot do that.", model="mute")

    count = ("--set", "dataset.count=6", "--set", "domains.users=60", "--set", "evaluation.trials=1", "--set", "simulation.max_steps=8")
    with served(silent, models=("mute", "deaf")) as url:
        models = ("--model", f"mute={url}", "--model", f"deaf={url}")
        found = evaluated(tmp_path, *count, *models)
    again = evaluated(tmp_path, *count, *models)
    assert found == again
    assert [model["overall"]["by_k"]["1"][0] for model in found["models"]] == [0.0, 0.0]
    [comparison] = found["comparisons"]
    assert (comparison["first"], comparison["second"], comparison["p_value"]) == ("deaf", "mute", 1.0)
    assert comparison["tasks"] == found["models"][0]["overall"]["tasks"] >= 6
    assert 0.0 < found["chance"] < 1.0


def test_the_terminals_table_says_what_its_brackets_are_and_what_guessing_would_earn(capsys):
    print_figures(Measured([summarize("mute", [])], [], {}, Resampling(), 0.465))
    said = capsys.readouterr().out
    assert "pass^k, % of tasks [interval]" in said
    assert re.search(r"guessing +│ all .* 46\.5", said)


@pytest.mark.long
def test_the_scripted_model_succeeds_on_held_out_tasks_by_the_bare_protocol(tmp_path):
    [model] = evaluated(tmp_path, "--set", "dataset.count=6", "--set", "domains.users=60", "--set", "evaluation.trials=1")["models"]
    assert model["overall"]["tasks"] >= 6
    assert model["overall"]["by_k"]["1"][0] == 1.0
    assert {cell["burden"] for cell in model["cells"]} != {""}


def test_the_leaderboards_files_carry_the_figures_and_the_conversations(tmp_path, folder):
    submitted = ("--submission", str(tmp_path / "board"), "--about", "us,them,us@example.org")
    evaluated(tmp_path, "--benchmark", folder, "--set", "evaluation.trials=2", *submitted)
    record = json.loads((tmp_path / "board" / "gold" / "submission.json").read_text())
    assert record["results"] == {"library": {"pass_1": 100.0, "pass_2": 100.0, "pass_3": None, "pass_4": None}}
    assert record["submission_type"] == "custom"
    assert record["methodology"]["verification"]["omitted_questions"] is True, "two trials could not be judged"
    name = record["trajectory_files"]["library"]
    read = list(read_foreign(tmp_path / "board" / "gold" / "trajectories" / name, "library"))
    assert len(read) == 8
    assert sum(each.recorded_reward == 1.0 for each in read) == 6
    assert all(isinstance(each.trajectory, Trajectory) for each in read)


def test_a_submission_without_a_judged_task_is_refused(tmp_path):
    raws = [raw for raw in raw_tasks() if raw["id"] == "1"]
    folder = str(write_folder(tmp_path / "bench", raws))
    with pytest.raises(ArtifactError, match="no judged task"):
        evaluated(tmp_path, "--benchmark", folder, "--submission", str(tmp_path / "b"), "--about", "us,them,us@example.org")
    assert list((tmp_path / "b").rglob("*.json")) == []


@pytest.mark.parametrize("about", ["", "us,them", "us,,us@example.org", "us,them,us@example.org,more"])
def test_a_submission_that_does_not_say_whose_it_is_is_refused_before_any_work(tmp_path, folder, about):
    with pytest.raises(ConfigError, match="ORG,MODEL_ORG,EMAIL"):
        evaluated(tmp_path, "--benchmark", folder, "--submission", str(tmp_path / "b"), "--about", about)
    assert not (tmp_path / "store").exists()
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_gold_replay_scores_one_on_all_164_base_tasks_by_what_needs_no_judge(tmp_path, shared):
    target = tmp_path / "figures.json"
    arguments = [
        "--benchmark",
        str(shared / "tau2-bench"),
        "--out",
        str(tmp_path / "store"),
        "--to",
        str(target),
        "--set",
        "evaluation.trials=1",
        "--plain",
    ]
    made = CliRunner().invoke(evaluate, arguments, catch_exceptions=False)
    assert made.exit_code == 0, made.output
    [model] = json.loads(target.read_text())["models"]
    assert (model["without_judge"]["tasks"], model["without_judge"]["by_k"]["1"][0]) == (164, 1.0)
    assert (model["domains"]["airline"]["tasks"], model["domains"]["retail"]["tasks"], model["overall"]["unjudged"]) == (50, 74, 40)
