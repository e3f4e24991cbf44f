"""A run that is harmed ends cleanly, and started again makes the dataset of the run that was not harmed."""

import random

import pytest
from chaos_places import Absent, folder

from chaos import budget, faulty_model, kills, misled, terminated, terminated_without_store
from writ.llm.faults import FaultPlan


@pytest.mark.slow
def test_run_killed_at_random_moments_loses_nothing_makes_nothing_twice_and_ends_as_if_never_killed(lab):
    assert kills(lab, folder, 1, random.Random(11)) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "harm",
    [
        terminated,
        terminated_without_store,
        misled,
        budget("max_tokens", "20000", "60000000"),
        faulty_model(FaultPlan(rate_limited=0.2, server_error=0.05, reset=0.02, truncated=0.02, invalid_json=0.02, empty_choices=0.02)),
    ],
    ids=["SIGTERM", "SIGTERM without store", "misled model", "budget", "faulty model"],
)
def test_harmed_run_ends_as_the_table_of_faults_says(lab, harm):
    try:
        row = harm(lab)
    except Absent as e:
        pytest.skip(str(e))
    assert row.good, row.outcome
