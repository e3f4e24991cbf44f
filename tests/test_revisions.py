"""Equal keys mean equal artifacts: an output that changes without its stage's revision would be taken for the old one in every store.

`python tests/test_revisions.py` records the artifacts anew once revisions have been raised; it refuses to where a key stayed and its output did not.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from writ.pipeline import STAGES
from writ.runners.execute import read_stage
from writ.runners.local import run
from writ.schema import Record
from writ.settings import DatasetConfig, DomainsConfig, RunConfig, SimulationConfig, TasksConfig

pytestmark = pytest.mark.long
GOLDEN = Path(__file__).parent / "golden" / "artifacts.json"
HELD = tuple(stage.name for stage in STAGES if stage.name != "report")
"""The report's page names paths and versions."""


def made(folder: Path) -> dict[str, dict[str, str]]:
    """Stage -> key and hash of its artifact, of a small run over both domains."""
    config = RunConfig(
        out=str(folder),
        domains=DomainsConfig(users=40),
        tasks=TasksConfig(workers=1, proposals_per_kind=2),
        simulation=SimulationConfig(concurrency=8),
        dataset=DatasetConfig(count=12),
    )
    finished = run(config, lambda progress: None)
    return {name: {"key": finished.plan.keys[name], "sha256": _hash(read_stage(finished.store, finished.plan.keys, name))} for name in HELD}


def _hash(records: Iterable[Record]) -> str:
    """Of the records as they are read, whatever their files' compression."""
    lines = (record.model_dump_json() for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def silent(golden: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Stages whose output changed under an unchanged key: the first of them is where it happened."""
    return [name for name in HELD if golden[name]["key"] == now[name]["key"] and golden[name]["sha256"] != now[name]["sha256"]]


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    return made(tmp_path_factory.mktemp("store"))


def test_no_stage_makes_another_output_under_an_unchanged_key(now):
    changed = silent(json.loads(GOLDEN.read_text()), now)
    assert not changed, f"the output of '{changed[0]}' changed: raise its revision in src/writ/pipeline.py, then run python {Path(__file__).name}"


def test_the_recorded_artifacts_are_those_of_todays_keys(now):
    golden = json.loads(GOLDEN.read_text())
    assert {name: entry["key"] for name, entry in golden.items()} == {name: entry["key"] for name, entry in now.items()}, (
        "a revision or a default setting changed: run python tests/test_revisions.py"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        today = made(Path(folder))
    if GOLDEN.is_file() and (changed := silent(json.loads(GOLDEN.read_text()), today)):
        sys.exit(f"the output of '{changed[0]}' changed under its old key: raise its revision in src/writ/pipeline.py first")
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(today, indent=1) + "\n")
