"""Wishes that are declined only because of a write of the same conversation."""

from random import Random

import pytest

from writ.domains.certificates import certify
from writ.domains.registry import open_domain
from writ.domains.sources import snapshots
from writ.schema import Decision, Task
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.compose import compose
from writ.tasks.shelf import shelf

RULES = {"retail": {"already_modified", "already_requested", "already_cancelled"}, "airline": {"already_cancelled"}}


@pytest.fixture(scope="module", params=["retail", "airline"])
def sequels(request):
    """A site, and the sequels of a few users of a generated database."""
    config = DomainsConfig(names=(request.param,), users=20, deep=True)
    site = open_domain(next(snapshots(config, seed=7, content="")))
    few = TasksConfig(proposals_per_kind=2)
    users = site.domain.persons(site.database)[:6]
    return site, [entry for user_id in users for entry in shelf(site, user_id, few, 7) if entry.after]


def test_each_rule_that_only_a_write_brings_about_is_reached(sequels):
    site, entries = sequels
    assert {entry.tool for entry in entries} == RULES[site.name]


def test_a_sequel_makes_an_ordered_refusal_that_holds_the_due_write(sequels):
    site, entries = sequels
    for entry in entries:
        task = compose(site, [entry.after, entry], TasksConfig())
        assert isinstance(task, Task), task
        assert (task.kind, task.ordered, task.tool, len(task.writes)) == ("refusal", True, entry.tool, 1)
        assert task.decisions[1].rule == entry.tool


def test_without_the_write_a_sequel_is_decided_otherwise(sequels):
    site, entries = sequels
    for entry in entries:
        alone = certify(site.domain, entry.wish, entry.user_id, site.environment())
        assert not isinstance(alone, Decision) or alone.rule != entry.tool


def test_a_sequel_is_told_in_words_that_hold_its_facts(sequels):
    site, entries = sequels
    for entry in entries:
        kind = site.domain.kinds[entry.wish.kind]
        text = kind.request(entry.wish, Random(1))
        assert all(fact.text in text for fact in kind.facts(entry.wish) if fact.core)
