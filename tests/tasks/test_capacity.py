"""`writ tasks capacity` says what each cell holds, what bounds it, and what a run would leave empty."""

import re

import pytest
from click.testing import CliRunner

from writ.cli import app
from writ.domains.sources import snapshots
from writ.settings import DomainsConfig, TasksConfig
from writ.tasks.grid import WELL_FILLED, quotas
from writ.tasks.stage import survey, unfilled

LIBRARY = DomainsConfig(names=("library",), code={"library": "examples/library"}, users=24)
CONFIG = TasksConfig(workers=1)


@pytest.fixture(scope="module")
def supply():
    return survey(CONFIG, seed=7, domain=snapshots(LIBRARY, seed=7, content=""))


def test_what_is_unfilled_is_every_well_filled_cell_that_no_quota_reaches(supply):
    missing = unfilled(supply, CONFIG, count=20, seed=7)
    reached = {quota.bucket for quota in quotas(20, supply.capacity, CONFIG, supply.sites, 7)}
    well_filled = {bucket for bucket, number in supply.capacity.items() if number >= WELL_FILLED}
    assert missing
    assert set(missing) == well_filled - reached
    assert all("raise the share or dataset.count" in reason for reason in missing.values())


def test_nothing_well_filled_is_left_out_where_the_count_is_large_enough(supply):
    assert unfilled(supply, CONFIG, count=sum(supply.capacity.values()), seed=7) == {}


def test_the_bound_of_a_cell_counts_the_users_that_hold_one(supply):
    eligible = len(supply.shelves)
    for bucket, entries in supply.leads.items():
        held = {entry.user_id for entry in entries}
        assert f"{len(held)} " in supply.bound(bucket, CONFIG)
        assert len(held) <= eligible


def test_the_command_prints_bounds_and_how_many_cells_a_run_fills():
    settings = ["domains.names=[library]", "domains.code={library: examples/library}", "domains.users=24", "dataset.count=20", "tasks.workers=1"]
    result = CliRunner().invoke(app, ["tasks", "capacity", *(part for each in settings for part in ("--set", each))], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    filled, large = map(int, re.search(r"dataset.count=20 fills (\d+) of (\d+) cells of capacity >= 5", result.output).groups())
    assert 0 < filled < large
    assert "stay empty" in result.output
    assert re.search(r"users have one|proposals_per_kind", result.output)
