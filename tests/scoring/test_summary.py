"""Figures of models from hand-written scores."""

import pytest

from writ.errors import ArtifactError
from writ.schema import Score
from writ.scoring.compare import compare
from writ.scoring.summary import Resampling, summarize

HOW = Resampling(seed=1, resamples=200)


def score(task="t1", trial=0, reward=1.0, **fields):
    known = {"domain": "retail", "kind": "normal", "writes": 1, "burden": 2, "tool": "cancel", "termination": "user_stop"}
    known |= {"agent_tokens": 90, "user_tokens": 10, "trajectory_id": f"{task}-{trial}"}
    return Score(task_id=task, trial=trial, reward=reward, **(known | fields))


def trials(task, *rewards, **fields):
    return [score(task, number, reward, **fields) for number, reward in enumerate(rewards)]


def test_overall_weighs_tasks_and_macro_weighs_domains():
    scores = [*trials("a", 1.0), *trials("b", 1.0), *trials("c", 1.0), *trials("a", 0.0, domain="airline")]
    found = summarize("m", scores, HOW)
    assert found.overall.by_k[1].value == pytest.approx(0.75)
    assert found.macro_pass_1 == pytest.approx(0.5)
    assert found.domains["airline"].by_k[1].value == 0


def test_a_trial_without_reward_is_counted_and_never_averaged_in():
    found = summarize("m", [*trials("a", 1.0, 1.0), *trials("b", 1.0, None)], HOW)
    assert found.overall.unjudged == 1
    assert found.overall.by_k[1].value == 1.0
    assert list(found.overall.by_k) == [1], "k is limited by the least-run task"


def test_a_task_that_no_trial_could_be_judged_of_limits_nothing():
    found = summarize("m", [*trials("a", 1.0, 0.0), *trials("b", None, None)], HOW)
    assert (found.overall.tasks, found.overall.unjudged) == (1, 2)
    assert found.overall.by_k[2].value == 0.0


def test_cells_group_by_writes_and_burden_bin():
    scores = [*trials("a", 1.0, burden=2), *trials("b", 0.0, burden=3), *trials("c", 1.0, burden=13), *trials("d", 1.0, burden=-1)]
    found = {(cell.writes, cell.burden): (cell.tasks, cell.successes) for cell in summarize("m", scores, HOW).cells}
    assert found == {(1, "2-3"): (2, 1), (1, "12+"): (1, 1), (1, ""): (1, 1)}


def test_tokens_per_success_bear_the_failures_too():
    found = summarize("m", trials("a", 1.0, 0.0, 0.0, 1.0), HOW).tokens
    assert (found.per_conversation, found.agent_per_conversation, found.per_success) == (100, 90, 200)
    assert summarize("m", trials("a", 0.0), HOW).tokens.per_success is None


def test_errors_are_named_by_type_and_luck_is_told_apart():
    scores = [
        *trials("a", 0.0, cause="wrong_argument"),
        *trials("b", 0.0, cause="too_long"),
        *trials("c", None, cause="infrastructure"),
        *trials("d", 1.0, cause="missing_read"),
        *trials("e", 0.0, cause="tone"),
    ]
    found = summarize("m", scores, HOW)
    assert found.errors == {"wrong argument": 1, "premature end": 1, "not judged": 1, "tone": 1}
    assert found.lucky == 1


def test_without_a_judge_the_other_parts_still_give_a_figure_of_their_own():
    scores = [
        score("a", reward=None, parts={"DB": 1.0, "NL_ASSERTION": None}),
        score("b", reward=1.0, parts={"DB": 1.0, "NL_ASSERTION": 1.0}),
        score("c", reward=None, parts={"DB": 0.0, "NL_ASSERTION": None}),
        score("d", reward=None, parts={"DB": None, "NL_ASSERTION": None}),
    ]
    found = summarize("m", scores, HOW)
    assert found.overall.tasks == 1
    assert found.without_judge is not None
    assert (found.without_judge.tasks, found.without_judge.unjudged) == (3, 1)
    assert found.without_judge.by_k[1].value == pytest.approx(2 / 3)


def test_models_are_compared_on_the_tasks_that_both_were_judged_on():
    base = [*trials("a", 0.0, 0.0), *trials("b", 1.0, 0.0), *trials("c", 1.0, 1.0), *trials("d", None, None)]
    tuned = [*trials("a", 1.0, 1.0), *trials("b", 1.0, 1.0), *trials("c", 1.0, 0.0), *trials("d", 1.0, 1.0)]
    [found] = compare({"base": base, "tuned": tuned}, HOW)
    assert (found.first, found.second, found.tasks) == ("tuned", "base", 3)
    assert (found.better, found.worse) == (2, 1)
    assert found.difference.value == pytest.approx((1.0 + 0.5 - 0.5) / 3)
    assert found.p_value == 1.0


def test_three_models_give_three_comparisons_the_later_first():
    scores = {name: trials("a", 1.0) for name in ("one", "two", "three")}
    assert [(each.first, each.second) for each in compare(scores, HOW)] == [("two", "one"), ("three", "one"), ("three", "two")]


def test_models_without_a_common_task_are_refused():
    with pytest.raises(ArtifactError, match="share no judged task"):
        compare({"one": trials("a", 1.0), "two": trials("b", 1.0)}, HOW)
