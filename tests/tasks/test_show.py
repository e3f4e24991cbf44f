"""A task can be read by a person: its wishes in words, its gold, and why each winner wins."""

import pytest
from click.testing import CliRunner

from writ.cli import app
from writ.domains.sources import snapshots
from writ.errors import ArtifactError, ConfigError
from writ.report.names import humane
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.stage import synthesize

LIBRARY = DomainsConfig(names=("library",), code={"library": "examples/library"}, users=60)


@pytest.fixture(scope="module")
def made():
    return list(synthesize(TasksConfig(workers=1), count=12, seed=7, domain=snapshots(LIBRARY, seed=7, content="")))


@pytest.fixture
def file(made, tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(task.model_dump_json() + "\n" for task in made), encoding="utf-8")
    return path


def test_every_winner_says_why_it_wins_and_every_wish_has_words(made):
    candidates = [candidate for task in made for decision in task.decisions for candidate in decision.certificate.candidates]
    assert {candidate.status for candidate in candidates} >= {"winner", "excluded"}
    assert all(candidate.why for candidate in candidates if candidate.status in ("winner", "excluded"))
    assert all(len(task.asks) == len(task.wishes) and all(task.asks) for task in made)


def test_candidates_say_what_is_chosen_among_and_those_of_one_choice_stand_together(made):
    decisions = [decision.certificate.candidates for task in made for decision in task.decisions if decision.certificate.candidates]
    for candidates in decisions:
        choices = [candidate.choice for candidate in candidates]
        assert all(choices)
        assert choices == [choice for choice in dict.fromkeys(choices) for _ in range(choices.count(choice))]


def test_shown_tasks_are_of_different_kinds_and_tell_wish_gold_and_winner(file, made):
    kinds = {task.kind for task in made}
    shown = CliRunner().invoke(app, ["tasks", "show", str(file), "--number", str(len(kinds))], env={"COLUMNS": "300"})
    assert shown.exit_code == 0, shown.output
    assert all(f", {kind}, " in shown.output for kind in kinds)
    printed = [task for task in made if task.id in shown.output]
    assert len(printed) == len(kinds)
    for task in printed:
        assert all(ask.split(".")[0] in shown.output for ask in task.asks)
        assert all(humane(call.name) in shown.output for call in task.writes)


def test_a_missing_file_and_a_file_of_something_else_are_refused_by_name(tmp_path):
    missing = CliRunner().invoke(app, ["tasks", "show", str(tmp_path / "none.jsonl")])
    assert isinstance(missing.exception, ConfigError)
    (tmp_path / "odd.jsonl").write_text('{"id": 3}\n', encoding="utf-8")
    odd = CliRunner().invoke(app, ["tasks", "show", str(tmp_path / "odd.jsonl")])
    assert isinstance(odd.exception, ArtifactError)
    assert "line 1" in str(odd.exception)
