"""A real model, small and hardly trained, is the agent of a run: its text is parsed into calls by the server, its mistakes are found and owned."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from writ.artifacts import list_runs
from writ.runners.execute import read_stage
from writ.runners.serving import served_weights
from writ.storage import open_store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SMALL = ("dataset.count=96", "domains.users=200", "training.epochs=5", "training.learning_rate=0.003")


def writ(folder, verb, *arguments, sets=()):
    command = [sys.executable, "-m", "writ", verb, "--plain", "--config", "recipes/learn.yaml", "--out", str(folder), *arguments]
    command += [part for each in sets for part in ("--set", each)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for verb, arguments in (("run", ()), ("train", ("--to", str(folder / "model")))):
        done = writ(folder / "store", verb, *arguments, sets=SMALL)
        assert done.returncode == 0, done.stderr
    return folder / "model"


def test_a_fallible_model_plays_through_the_server_and_every_conversation_is_kept_or_has_its_cause(weights, tmp_path):
    with served_weights(weights, "small") as url:
        sets = ("seed=8", "dataset.count=12", "domains.users=200", "dataset.min_kept_share=0", "simulation.max_steps=24")
        agent = ("model=small", f"base_url={url}", "temperature=0", "tool_probe=false")  # it knows no talk but that of the desk
        done = writ(tmp_path / "store", "run", sets=(*sets, *(f"simulation.agent.{each}" for each in agent)))
    assert done.returncode == 0, done.stderr
    store = open_store(str(tmp_path / "store"))
    (run,) = list_runs(store)
    played = {each.id: each for each in read_stage(store, run.keys, "simulate")}
    verdicts = list(read_stage(store, run.keys, "verify"))
    assert len(played) == len(verdicts) >= 12
    calls = [call for each in played.values() for message in each.messages for call in message.tool_calls]
    assert {"find_member"} <= {call.name for call in calls}
    assert all(isinstance(json.loads(call.arguments), dict) for call in calls)
    assert all(each.agent_usage.completion_tokens > 0 for each in played.values())
    assert all(verdict.kept or verdict.cause for verdict in verdicts)
    lost = Counter(verdict.cause for verdict in verdicts if verdict.owner == "agent")
    assert lost, "a model as little trained as this makes mistakes of its own"
    assert all(f"agent ({cause})" in done.stdout for cause in lost)
