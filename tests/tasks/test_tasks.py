"""Tasks are verifiable, filled to quota, and the same for the same seed. Over the library desk: small, and every kind occurs."""

from collections import Counter

import pytest

from writ.domains.base import ALLOWED, Ruling
from writ.domains.certificates import unrefuted
from writ.domains.people import named_in
from writ.domains.registry import open_domain
from writ.domains.sources import snapshots
from writ.schema import Call
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.compose import Flaw, flaw_of
from writ.tasks.export import tau2_task
from writ.tasks.grid import quotas
from writ.tasks.shelf import replay
from writ.tasks.stage import survey, synthesize

LIBRARY = DomainsConfig(names=("library",), code={"library": "examples/library"}, users=120)
COUNT = 80


@pytest.fixture(scope="module")
def snapshot():
    return next(snapshots(LIBRARY, seed=7, content=""))


@pytest.fixture(scope="module")
def small():
    """Few persons: what a survey costs."""
    return next(snapshots(LIBRARY.model_copy(update={"users": 24}), seed=7, content=""))


@pytest.fixture(scope="module")
def site(snapshot):
    return open_domain(snapshot)


@pytest.fixture(scope="module")
def made(snapshot):
    return list(synthesize(TasksConfig(), count=COUNT, seed=7, domain=[snapshot]))


def test_wanted_conversations_of_all_batches_sum_to_the_count(made):
    assert sum({task.batch.id: task.batch.wanted for task in made}.values()) == COUNT


def test_every_task_passes_its_self_check(made, site):
    assert [flaw_of(site, task) for task in made] == [None] * len(made)


def test_every_task_scores_zero_for_doing_nothing_where_something_is_due(made, site):
    untouched = site.environment().fingerprint()
    for task in made:
        world = site.environment()
        assert replay(world, task.writes)
        assert (world.fingerprint() == untouched) == (not task.writes)


def test_every_distractor_of_an_acting_task_ends_elsewhere(made, site):
    checked = 0
    for task in made:
        gold = site.environment()
        replay(gold, task.writes)
        for distractor in task.distractors:
            wrong = site.environment()
            replay(wrong, distractor.calls)
            assert wrong.fingerprint() != gold.fingerprint(), distractor.mistake
            checked += 1
    assert checked > COUNT


def test_every_plan_refutes_every_rival_and_no_read_of_it_is_idle(made):
    for task in made:
        for decision in task.decisions:
            plan = decision.certificate.plan
            assert not unrefuted(decision.certificate, plan)
            assert decision.certificate.burden == len(plan) <= decision.certificate.relevant


def test_the_same_seed_gives_the_same_tasks_on_one_process_and_on_two(small):
    one, two = (list(synthesize(TasksConfig(workers=workers), count=20, seed=7, domain=[small])) for workers in (1, 2))
    assert [task.model_dump_json() for task in one] == [task.model_dump_json() for task in two]


@pytest.mark.long
def test_no_task_is_given_twice_where_few_persons_give_many():
    few = DomainsConfig(names=("airline",), users=3)
    made = synthesize(TasksConfig(workers=1), count=200, seed=1, domain=snapshots(few, seed=1, content=""))
    assert [id for id, times in Counter(task.id for task in made).items() if times > 1] == []


def test_another_seed_gives_other_tasks(small):
    one, other = ({task.id for task in synthesize(TasksConfig(workers=1), count=20, seed=seed, domain=[small])} for seed in (7, 8))
    assert len(one & other) < len(one) / 2


def test_both_members_of_a_pair_have_one_gold_and_different_burdens(made):
    pairs = {}
    for task in made:
        if task.pair:
            pairs.setdefault(task.pair.id, {})[task.pair.member] = task
    assert pairs
    for pair in pairs.values():
        assert set(pair) == {"low", "high"}
        assert [call.key for call in pair["low"].writes] == [call.key for call in pair["high"].writes]
        assert pair["low"].burden < pair["high"].burden


def test_at_least_half_of_the_refusals_hold_a_due_write(made):
    refusals = [task for task in made if task.kind == "refusal"]
    assert refusals
    assert sum(bool(task.writes) for task in refusals) >= len(refusals) / 2


def test_no_task_names_one_record_in_two_wishes(made, site):
    for task in made:
        named = Counter(mention for decision in task.decisions for mention in set(decision.mentions) if decision.outcome == "act")
        assert not [mention for mention, number in named.items() if number > 1], task.id


def test_a_task_whose_writes_commute_is_not_marked_as_ordered(made, site):
    for task in made:
        if not task.ordered:
            forward, backward = site.environment(), site.environment()
            replay(forward, task.writes)
            replay(backward, [call for decision in reversed(task.decisions) for call in decision.calls])
            assert forward.fingerprint() == backward.fingerprint()


def test_a_flawed_gold_is_caught_by_the_self_check(made, site):
    task = next(task for task in made if task.writes)
    broken = task.decisions[0].model_copy(update={"calls": (Call(name=task.writes[0].name, arguments={}),)})
    assert flaw_of(site, task.model_copy(update={"decisions": (broken,)})) is not None


def test_a_gold_that_the_tools_take_and_the_rules_forbid_is_caught_by_the_self_check(made, site, monkeypatch):
    task = next(task for task in made if task.writes)
    monkeypatch.setattr(type(site.domain), "permits", forbidding(task.writes[-1]))
    assert flaw_of(site, task) == Flaw("the gold breaks the rule no_such_thing")


def forbidding(write):
    """The rules of a house that forbids one write."""

    def permits(self, call, said):
        return ALLOWED if call.key != write.key else Ruling(False, "no_such_thing")
        yield

    return permits


def test_held_out_persons_make_no_training_task(small):
    config = TasksConfig(held_out_share=0.5, workers=1)
    held_out, train = (
        {task.user_id for task in synthesize(config.model_copy(update={"split": split}), count=20, seed=7, domain=[small])}
        for split in ("held_out", "train")
    )
    assert held_out
    assert train
    assert held_out.isdisjoint(train)


def test_no_task_names_a_record_of_a_person_whom_a_benchmark_names():
    """A refusal may be about a record that is somebody else's."""
    refusals = TasksConfig(mix={"refusal": 1}, pair_share=0, workers=1, held_out_share=0)
    retail = next(snapshots(DomainsConfig(names=("retail",), users=12), seed=7, content=""))
    site = open_domain(retail)
    owners = {record: user for user in site.domain.persons(site.database) for record in site.domain.owned(site.database, user)}
    made = list(synthesize(refusals, count=60, seed=7, domain=[retail]))
    foreign = {user for task in made for record, user in owners.items() if user != task.user_id and named_in(_slots(task), frozenset([record]))}
    assert foreign, "some refusal is about another person's record"
    exam = retail.model_copy(update={"benchmark_tasks": ({"user_scenario": " ".join(sorted(foreign)[:3])},)})
    again = list(synthesize(refusals, count=20, seed=7, domain=[exam]))
    records = frozenset(record for record, user in owners.items() if user in sorted(foreign)[:3])
    assert len(again) >= 20
    assert not any(named_in(_slots(task), records) for task in again)


def _slots(task):
    return [wish.slots for wish in task.wishes]


def test_quotas_never_exceed_capacity_and_use_all_of_it_when_the_count_is_beyond(small):
    config = TasksConfig(workers=1)
    supply = survey(config, seed=7, domain=[small])
    capacity = supply.capacity
    dealt = quotas(10**6, capacity, config, supply.sites, 7)
    assert sum(quota.wanted for quota in dealt) == sum(capacity.values())
    assert all(quota.tasks <= capacity[quota.bucket] for quota in dealt)


def test_an_exported_task_lists_the_gold_writes_as_actions(made):
    task = next(task for task in made if len(task.writes) > 1)
    exported = tau2_task(task)["evaluation_criteria"]
    assert [(action["name"], action["arguments"]) for action in exported["actions"]] == [(call.name, call.arguments) for call in task.writes]


def test_no_task_holds_a_wish_above_the_allowed_burden(snapshot):
    low = list(synthesize(TasksConfig(max_burden=3, max_writes=2), count=20, seed=7, domain=[snapshot]))
    assert len(low) >= 20
    assert max(decision.certificate.burden for task in low for decision in task.decisions) <= 3


def test_no_task_makes_more_writes_than_are_allowed_beside_a_refusal_either(snapshot):
    few = list(synthesize(TasksConfig(max_writes=1, mix={"refusal": 1.0}, pair_share=0.0), count=60, seed=7, domain=[snapshot]))
    assert {len(task.writes) for task in few} == {0, 1}
    assert any(task.writes and any(decision.outcome == "deny" for decision in task.decisions) for task in few)


def test_tasks_stand_in_the_cells_that_are_named_and_in_none_that_is_excluded(snapshot):
    some = TasksConfig(cells=("1x2-3", "2x4-5"), max_writes=2)
    named = {f"{task.cell.writes}x{task.cell.burden}" for task in synthesize(some, count=20, seed=7, domain=[snapshot])}
    assert named == {"1x2-3", "2x4-5"}
    others = TasksConfig(without_cells=("1x2-3", "2x4-5"), max_writes=2)
    rest = {f"{task.cell.writes}x{task.cell.burden}" for task in synthesize(others, count=20, seed=7, domain=[snapshot])}
    assert rest
    assert rest.isdisjoint(named)
