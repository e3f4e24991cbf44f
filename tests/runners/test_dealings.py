"""Whoever goes on with another number of shards pays for no conversation again."""

import pytest

from writ.artifacts import read_manifest
from writ.domains.registry import open_domain
from writ.jobs.thread import served
from writ.pipeline import BY_NAME, plan
from writ.runners.execute import read_stage
from writ.runners.local import run_stage
from writ.runners.simulate import Keys, join, simulate
from writ.settings import RunConfig
from writ.simulation.scripted.server import Scripted
from writ.storage import open_store


@pytest.fixture
def begun(tmp_path):
    """A run whose tasks are told, and whose models are on loopback; with the conversations that they were asked for, each time anew."""
    settings = {"domains": {"names": ["library"], "code": {"library": "examples/library"}, "users": 60}, "dataset": {"count": 12}}
    bare = RunConfig.model_validate(settings | {"tasks": {"batch_size": 2, "workers": 1}})
    store, planned = open_store(str(tmp_path)), plan(bare)
    for name in ("domain", "tasks", "instructions"):
        run_stage(BY_NAME[name], bare, planned, store, lambda step: None, Keys())
    told = {each.id: each for each in read_stage(store, planned.keys, "instructions")}
    sites = {each.name: open_domain(each) for each in read_stage(store, planned.keys, "domain")}
    scripted, asked = Scripted(sites, told.__getitem__), set()

    async def answer(body):
        if body["user"].startswith("agent:"):
            asked.add(body["user"])
        return scripted.reply(body)

    with served(answer, models=("scripted",)) as url:
        side = bare.simulation.agent.model_copy(update={"base_url": url})
        config = bare.model_copy(update={"simulation": bare.simulation.model_copy(update={"agent": side, "user": side})})
        yield config, plan(config), store, asked


def shards(begun, numbers, count):
    """Runs these shards; what the models were asked for meanwhile."""
    config, planned, store, asked = begun
    asked.clear()
    for number in numbers:
        simulate(config, planned, store, lambda step: None, Keys(), shard=number, shards=count)
    return {user for user in asked if "instruction" in user}


def test_shards_dealt_anew_ask_only_for_what_no_shard_has_finished(begun):
    _, planned, store, _ = begun
    first = shards(begun, [1], 2)
    second = shards(begun, [0, 1, 2], 3)
    assert first
    assert second
    assert not first & second
    whole = join(planned, store, 3)
    assert whole.records == len(first | second)
    undealt = [each.task_id for each in read_stage(store, planned.keys, "simulate")]
    assert undealt == [each.id for each in read_stage(store, planned.keys, "tasks") if each.id in set(undealt)]


def test_a_whole_run_takes_up_what_shards_have_finished_and_leaves_no_journal(begun):
    _, planned, store, _ = begun
    first = shards(begun, [0, 2], 4)
    rest = shards(begun, [0], 1)
    assert first
    assert not first & rest
    assert read_manifest(store, "simulate", planned.keys["simulate"]).records == len(first | rest)
    assert not [name for name in store.list("simulate/") if "/journal/" in name]
