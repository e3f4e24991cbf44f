from itertools import combinations, product

import pytest
from pydantic import ValidationError

from writ.instructions.covering import all_values, axes, behaviors
from writ.settings import InstructionsConfig

FIXED = [{}, {"order": "as_given"}, {"order": "as_given", "pressure": False, "fallback": False, "correction": False}]


@pytest.mark.parametrize("fixed", FIXED)
def test_behaviors_over_the_free_axes_hold_every_pair_of_values(fixed):
    rows = [row.model_dump() for row in behaviors(axes(fixed))]
    values = {name: (fixed[name],) if name in fixed else options for name, options in all_values().items()}
    for one, other in combinations(values, 2):
        seen = {(row[one], row[other]) for row in rows}
        assert seen == set(product(values[one], values[other]))


def test_behaviors_are_far_fewer_than_all_combinations():
    assert len(behaviors(axes({}))) <= 16


def test_behaviors_with_every_axis_fixed_are_the_one_that_is_left():
    fixed = {name: values[0] for name, values in all_values().items()}
    assert [row.model_dump() for row in behaviors(axes(fixed))] == [fixed]


def test_axes_take_the_values_that_are_allowed_and_no_others():
    rows = behaviors(axes({"order": "as_given"}, {"pace": ("all_at_once",), "tone": ("formal", "neutral"), "digression": (False,)}))
    assert {(row.pace, row.digression) for row in rows} == {("all_at_once", False)}
    assert {row.tone for row in rows} == {"formal", "neutral"}
    assert {row.pressure for row in rows} == {False, True}


@pytest.mark.parametrize("behaviors", [{"speed": ["fast"]}, {"pace": []}, {"pace": ["slowly"]}, {"digression": ["no"]}])
def test_unknown_axes_and_values_are_refused(behaviors):
    with pytest.raises(ValidationError, match=r"behaviors has|Input should be"):
        InstructionsConfig.model_validate({"behaviors": behaviors})
