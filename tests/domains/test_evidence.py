"""The smallest evidence set, against brute force."""

from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from writ.domains.evidence import Unreachable, smallest_plan
from writ.schema import Call

READS = tuple(Call(name=f"r{index}") for index in range(7))
CLAUSES = st.lists(st.lists(st.sampled_from(READS), min_size=1, max_size=3, unique_by=lambda read: read.name), max_size=6)
# A read needs only reads of a lower number, so that an order always exists.
NEEDS = st.fixed_dictionaries({index: st.lists(st.sets(st.integers(0, max(0, index - 1)), min_size=1, max_size=2), max_size=2) for index in range(7)})


def needs_function(needs):
    return lambda read: [[READS[i] for i in sorted(options)] for options in needs[int(read.name[1:])] if int(read.name[1:]) > 0]


def is_sufficient(chosen, rivals, needs_of):
    keys = {read.key for read in chosen}
    clauses = [*rivals, *(clause for read in chosen for clause in needs_of(read))]
    return all(any(read.key in keys for read in clause) for clause in clauses)


# A read that is as good as another here, and alone gives the argument of one that is still to be chosen.
@example([[READS[0], READS[1], READS[2]], [READS[1], READS[2]], [READS[5], READS[6]]], {**{index: [] for index in range(5)}, 5: [{0}], 6: [{2}]})
@given(CLAUSES, NEEDS)
def test_smallest_plan_is_sufficient_and_no_smaller_set_is(rivals, needs):
    needs_of = needs_function(needs)
    plan = smallest_plan(rivals, needs_of)
    assert is_sufficient(plan, rivals, needs_of)
    assert not any(is_sufficient(fewer, rivals, needs_of) for size in range(len(plan)) for fewer in combinations(READS, size))


@given(CLAUSES, NEEDS)
def test_smallest_plan_reads_nothing_before_its_arguments_are_known(rivals, needs):
    needs_of = needs_function(needs)
    done = set()
    for read in smallest_plan(rivals, needs_of):
        assert all(any(option.key in done for option in clause) for clause in needs_of(read))
        done.add(read.key)


def test_smallest_plan_where_a_rival_has_no_refuter_is_refused():
    with pytest.raises(Unreachable):
        smallest_plan([[READS[0]], []], lambda read: [])


def test_smallest_plan_where_two_reads_need_each_other_is_refused():
    circle = {"r0": [[READS[1]]], "r1": [[READS[0]]]}
    with pytest.raises(Unreachable):
        smallest_plan([[READS[0]]], lambda read: circle[read.name])
