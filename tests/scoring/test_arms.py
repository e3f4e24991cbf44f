"""Arms of an ablation: every figure over the same tasks, each seed seen, and what guessing would earn."""

import pytest

from library_world import site, tasks
from writ.errors import ArtifactError
from writ.schema import Score
from writ.scoring.arms import figures
from writ.scoring.chance import chance
from writ.scoring.summary import Resampling


def score(task, reward, *, writes=1, burden=1):
    known = {"domain": "library", "kind": "normal", "trial": 0, "tool": "t", "termination": "user_stop", "agent_tokens": 1, "user_tokens": 1}
    return Score(trajectory_id=f"r{task}", task_id=str(task), writes=writes, burden=burden, reward=reward, **known)


def arm(*seeds):
    return {number: [score(task, float(reward), writes=1 + task % 2) for task, reward in enumerate(rewards)] for number, rewards in enumerate(seeds)}


def test_an_arm_is_the_mean_over_seeds_and_tasks_and_is_compared_with_the_first_over_the_same_tasks():
    found = figures("e", {"mixed": arm("1100", "1110"), "other": arm("0000", "1000")}, Resampling(1, 500, 0.95))
    mixed, other = found
    assert (mixed.success.value, mixed.by_seed, mixed.against_first) == (0.625, {0: 0.5, 1: 0.75}, None)
    assert other.against_first.value == pytest.approx(0.125 - 0.625)
    assert other.against_first.low < -0.5 < other.against_first.high
    assert mixed.cells == {"1x0-1": 0.75, "2x0-1": 0.5}


def test_a_model_that_was_not_judged_on_every_task_is_no_arm_yet():
    with pytest.raises(ArtifactError, match="arm 'other' of seed 0 was judged on 3 of 4 tasks"):
        figures("e", {"mixed": arm("1100"), "other": arm("000")}, Resampling(1, 500, 0.95))


def test_chance_draws_every_own_record_among_those_of_its_kind_without_putting_it_back():
    holds = [task for task in tasks() if {call.name for call in task.writes} == {"cancel_hold"}]
    member = site().database.tables["members"]
    for task in holds[:20]:
        number, expected = len(member[task.user_id]["holds"]), 1.0
        for left in range(len(task.writes)):
            expected /= number - left
        assert chance(site(), [task]) == pytest.approx(expected)
    assert chance(site(), []) == 0.0
