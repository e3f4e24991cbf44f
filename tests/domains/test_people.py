"""Nobody whom a benchmark names can appear in training data; everybody stands on one side."""

import json

import pytest

from library_world import site
from writ.commands.domain import opened
from writ.domains.people import blocked_users, split_of


def test_split_depends_on_the_person_and_the_salt_alone():
    sides = {user: split_of(user, "a", 0.3) for user in map(str, range(1000))}
    assert sides == {user: split_of(user, "a", 0.3) for user in reversed(sides)}
    assert 0.25 < sum(side == "held_out" for side in sides.values()) / 1000 < 0.35
    assert sides != {user: split_of(user, "b", 0.3) for user in sides}


def test_no_benchmark_tasks_block_nobody():
    assert blocked_users(site().domain, site().database, []) == frozenset()


@pytest.mark.parametrize("before", [" ", "\n", "\t", "("])
@pytest.mark.parametrize("named_by", ["id", "e-mail", "record"])
def test_a_person_named_in_a_task_is_blocked_and_no_other(named_by, before):
    domain, database = site().domain, site().database
    user = domain.persons(database)[3]
    mail = next(
        fact.value for which in ("primary", "alternative") for fact in domain.identity(site().environment(), user, which) if "@" in fact.value
    )
    record = sorted(domain.owned(database, user))[0]
    text = {"id": user, "e-mail": mail.upper(), "record": record}[named_by]
    task = {"user_scenario": f"You are the person of{before}{text}."}
    assert blocked_users(domain, database, [task]) == {user}


def test_an_order_named_without_its_mark_blocks_its_person(shared):
    real = opened("retail", str(shared / "tau2-bench"))
    user = next(
        user for user in real.domain.persons(real.database) if any(record.startswith("#") for record in real.domain.owned(real.database, user))
    )
    order = next(record for record in real.domain.owned(real.database, user) if record.startswith("#"))
    assert blocked_users(real.domain, real.database, [{"user_scenario": f"Where is my order {order[1:]}?"}]) == {user}


def test_every_person_of_the_real_benchmark_tasks_is_blocked(shared):
    for name in ("retail", "airline"):
        real = opened(name, str(shared / "tau2-bench"))
        blocked = blocked_users(real.domain, real.database, real.snapshot.benchmark_tasks)
        for task in real.snapshot.benchmark_tasks:
            text = json.dumps(task)
            for user in real.domain.persons(real.database):
                person = real.database.tables["users"][user]["name"]
                if f"{person['first_name']} {person['last_name']}" in text or f'"{user}"' in text:
                    assert user in blocked
