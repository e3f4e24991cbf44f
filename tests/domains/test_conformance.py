"""Every recorded call of the benchmark, run again: results, error flags and hashes are equal to the byte."""

import json
from pathlib import Path

import pytest

from writ.domains.airline.tools import AirlineTools
from writ.domains.database import Database
from writ.domains.replay import replay
from writ.domains.retail.tools import RetailTools

TOOLKITS = {"retail": RetailTools, "airline": AirlineTools}
INITIAL = {
    "airline": "124e39a664b56402bcd09cb8a6a9cece6acb8462337c969799d5658e3250f263",
    "retail": "b25c9cb211f5efcaee5dd646054a73c4a9f43f4f5acc32c10713cd9f9ac20e9c",
}


@pytest.fixture(scope="module")
def databases(shared: Path) -> dict[str, Database]:
    return {name: Database.load(shared / "tau2-bench" / name / "db.json", toolkit.shape) for name, toolkit in TOOLKITS.items()}


@pytest.mark.parametrize("name", TOOLKITS)
@pytest.mark.parametrize("file", ["gold_replay.jsonl", "recorded_replay.jsonl"])
def test_recorded_calls_run_again_give_the_recorded_results_and_hashes(shared, databases, name, file):
    recorded = (shared / "tau2-bench" / name / file).read_bytes().splitlines()
    replayed = [json.loads(line) for line in replay(recorded, TOOLKITS[name], databases[name])]
    assert len(replayed) == len(recorded)
    for line, ours in zip(map(json.loads, recorded), replayed, strict=True):
        assert (ours["initial_db_hash"], ours["final_db_hash"]) == (line["initial_db_hash"], line["final_db_hash"]), line["task_id"]
        for call, result in zip(line["calls"], ours["results"], strict=True):
            expected = {key: call[key] for key in ("result", "error", "db_hash") if key in call}
            assert {key: result[key] for key in expected} == expected, (line["task_id"], call["name"], call["arguments"])


@pytest.mark.parametrize("name", TOOLKITS)
def test_an_unchanged_database_has_the_published_hash(databases, name):
    assert databases[name].text.hash({}) == INITIAL[name]
