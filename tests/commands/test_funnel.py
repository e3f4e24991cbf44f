"""What a run says at its end where it kept fewer conversations than were asked for."""

import io

from rich.console import Console

from writ.commands.summary import funnel
from writ.domains.sources import snapshots
from writ.schema import Verdict
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.stage import synthesize

LIBRARY = DomainsConfig(names=("library",), code={"library": "examples/library"}, users=2)


def told(asked, lost=0):
    tasks = list(synthesize(TasksConfig(workers=1, held_out_share=0), count=asked, seed=7, domain=snapshots(LIBRARY, seed=7, content="")))
    wanted = sum({task.batch.id: task.batch.wanted for task in tasks}.values())
    verdicts = [
        Verdict(trajectory_id=f"t{number}", task_id=task.id, kept=number >= lost, reward=None, checks=())
        for number, task in enumerate(tasks[:wanted])
    ]
    console = Console(file=io.StringIO(), width=200)
    console.print(funnel(verdicts, tasks, asked=asked, rows=wanted - lost))
    return console.file.getvalue(), wanted


def test_a_database_that_holds_too_few_tasks_is_named_with_what_says_why():
    text, held = told(10_000)
    assert 0 < held < 10_000
    assert f"the databases hold tasks for {held:,}; 'writ tasks capacity' says what bounds them" in text
    assert "10,000" in text


def test_losses_beyond_the_spare_tasks_are_named_and_a_full_run_says_nothing():
    assert "no spare tasks were left" in told(4, lost=1)[0]
    assert "asked" not in told(4)[0]
