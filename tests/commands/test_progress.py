"""What a run tells while it is at work."""

import json
from itertools import count

import pytest

from writ.commands.progress import Display
from writ.errors import Unavailable
from writ.runners.execute import Progress


def told(capsys, steps, **how):
    """What is said of steps that lie six seconds apart."""
    seconds = count(step=6.0)
    with Display(clock=lambda: next(seconds), **how) as display:
        for step in steps:
            display.listen(step)
    return capsys.readouterr().err.splitlines()


AT_WORK = (
    Progress("simulate", 0, wanted=100),
    Progress("simulate", 30, wanted=100, in_flight=64, losses={"missing_read": 2, "wrong_argument": 4}),
)


def test_plain_line_tells_rate_time_left_in_flight_and_losses_commonest_first(capsys):
    line = told(capsys, AT_WORK, plain=True)[-1]
    assert line == "simulate: 24 of 100 records so far  5.0/s  19 s left  64 in flight  lost: wrong_argument 4, missing_read 2"


def test_json_line_holds_the_same_figures(capsys):
    entry = json.loads(told(capsys, AT_WORK, log="json")[-1])
    assert (entry["stage"], entry["records"], entry["wanted"], entry["in_flight"], entry["seconds_left"]) == ("simulate", 30, 100, 64, 19)
    assert entry["losses"] == {"missing_read": 2, "wrong_argument": 4}


def test_what_an_earlier_start_had_finished_makes_no_rate(capsys):
    line = told(capsys, (Progress("simulate", 90, wanted=100), Progress("simulate", 96, wanted=100)), plain=True)[-1]
    assert "1.0/s  4 s left" in line


def test_json_log_ends_with_what_failed(capsys):
    with pytest.raises(Unavailable), Display(log="json"):
        raise Unavailable("the disk is full; free some space")
    assert json.loads(capsys.readouterr().err)["text"] == "the disk is full; free some space"


def test_live_display_of_a_terminal_shows_a_bar_per_stage(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    text = "\n".join(told(capsys, (*AT_WORK, Progress("simulate", 106, finished=True))))
    assert "simulate" in text
    assert "106" in text
