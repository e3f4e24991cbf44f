"""Conversations that a real model had, recorded by the benchmark's own runner: what we find is what was found."""

import pytest

from writ.domains.registry import open_domain
from writ.domains.sources import snapshots
from writ.settings import DomainsConfig
from writ.verification.foreign import read_foreign
from writ.verification.stage import judge


@pytest.fixture(scope="module")
def judged(shared):
    data = shared / "tau2-bench"
    config = DomainsConfig(names=("retail",), data=str(data))
    (snapshot,) = snapshots(config, seed=0, content="")
    site = open_domain(snapshot)
    recorded = read_foreign(data / "recorded" / "retail_results.json", "retail")
    return [(each, judge(site, each.trajectory, each.task, None, certified=False)) for each in recorded]


def result(verdict, name):
    return next(check.result for check in verdict.checks if check.name == name)


def test_every_recorded_outcome_is_found_again(judged):
    assert len(judged) == 114
    assert [(result(verdict, "end_state") == "pass", verdict.reward) for _, verdict in judged] == [
        (foreign.recorded_db_match, foreign.recorded_reward) for foreign, _ in judged
    ]


def test_recorded_conversations_replay_to_the_letter(judged):
    assert {result(verdict, "transcript") for _, verdict in judged} == {"pass"}


def test_most_recorded_writes_are_confirmed_and_nearly_all_are_grounded(judged):
    wrote = [verdict for _, verdict in judged if result(verdict, "grounding") != "not_applicable"]
    assert sum(result(verdict, "grounding") == "pass" for verdict in wrote) >= 0.95 * len(wrote)
    assert sum(result(verdict, "confirmation") == "pass" for verdict in wrote) >= 0.7 * len(wrote)
