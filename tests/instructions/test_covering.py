from itertools import combinations, product

import pytest

from writ.instructions.covering import all_values, axes, behaviors

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
