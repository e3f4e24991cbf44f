"""`writ train` as people run it: an artifact of the store, skipped where it stands, taken up again after SIGKILL, by one process or by two."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from writ.artifacts import read_manifest, read_records
from writ.schema import StoredFile
from writ.storage.file import LocalStore

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LIBRARY = ["domains.names=[library]", "domains.code={library: examples/library}", "domains.users=80", "dataset.count=12"]
TINY = ["training.model=tiny", "training.allow_scripted=true", "training.rows_per_step=2", "training.max_steps=8", "training.save_steps=2"]


def command(verb, folder, *settings, options=()):
    sets = [part for setting in (*LIBRARY, *TINY, *settings) for part in ("--set", setting)]
    return [sys.executable, "-m", "writ", verb, "--plain", "--out", str(folder), *options, *sets]


def ended(words):
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=900, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    ended(command("run", folder))
    return folder


def artifact(folder):
    """The only train artifact: its manifest, and what lies beside it."""
    [key] = {path.parent.name for path in folder.glob("train/*/manifest.json")}
    return read_manifest(LocalStore(folder), "train", key), folder / "train" / key


def signalled_after_a_checkpoint(words, folder, sent):
    """Starts the command and sends it a signal once a whole checkpoint lies in the store. Its exit code, and what it said."""
    running = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 600
    while not list(folder.glob("train/*/checkpoints/*/whole.json")):
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(sent)
    said = running.communicate(timeout=600)[1]
    return running.returncode, said


def test_a_killed_training_goes_on_from_the_store_and_what_stands_is_not_trained_again(folder, tmp_path):
    words = command("train", folder, options=("--to", str(tmp_path / "model")))
    assert signalled_after_a_checkpoint(words, folder, signal.SIGKILL)[0] == -signal.SIGKILL
    assert not list(folder.glob("train/*/manifest.json"))
    ended(words)
    manifest, place = artifact(folder)
    card = (place / "README.md").read_text()
    assert "**resumed from step**: 0" not in card
    assert "**code**: writ 0.1.0 (" in card
    assert not [path for path in place.glob("checkpoints/**/*") if path.is_file()]
    names = {file.name for file in read_records(LocalStore(folder), manifest, StoredFile)}
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= names
    assert (tmp_path / "model/model.safetensors").stat().st_size > 100_000
    again = ended(command("train", folder))
    assert "reused" in again.stderr


@pytest.mark.parametrize("devices", [1, 2])
def test_a_training_that_is_told_to_stop_saves_at_the_end_of_its_step_and_goes_on_from_there(folder, devices):
    settings = ("training.template=compact", "training.max_steps=24", "training.save_steps=3")
    words = command("train", folder, *settings, f"training.devices={devices}", f"training.seed={10 + devices}")
    before = set(folder.glob("train/*"))
    code, said = signalled_after_a_checkpoint(words, folder, signal.SIGTERM)
    assert code == 75, said
    step = int(re.search(r"told to stop at step (\d+) of 24", said)[1])
    [place] = set(folder.glob("train/*")) - before
    assert (place / f"checkpoints/{step:08d}/whole.json").is_file()
    ended(words)
    assert f"**resumed from step**: {step}" in (place / "README.md").read_text()


def test_two_processes_train_together_and_the_first_of_them_writes(folder, tmp_path):
    other = command("train", folder, "training.devices=2", "training.max_steps=2", "training.seed=1", options=("--to", str(tmp_path / "model")))
    before = set(folder.glob("train/*"))
    ended(other)
    [made] = set(folder.glob("train/*")) - before
    assert "fp32, on 2 devices" in (made / "README.md").read_text()
    assert (tmp_path / "model/model.safetensors").is_file()


def test_a_model_of_the_store_is_served_and_measured_by_its_key(folder, tmp_path):
    ended(command("train", folder, "training.max_steps=1", "training.seed=2"))
    newest = max(folder.glob("train/*/manifest.json"), key=lambda path: path.stat().st_mtime)
    short = ("dataset.count=2", "simulation.max_steps=6", "simulation.agent.max_tokens=24", "evaluation.trials=1")
    options = ("--model", f"tuned=train/{newest.parent.name}", "--to", str(tmp_path / "figures.json"), "--page", str(tmp_path / "page.html"))
    ended(command("evaluate", folder, *short, options=options))
    [model] = json.loads((tmp_path / "figures.json").read_text())["models"]
    assert (model["model"], model["overall"]["unjudged"]) == ("tuned", 0)
    assert model["overall"]["by_k"]["1"][0] == 0.0, "one step from random weights teaches nothing"
    assert "tuned" in (tmp_path / "page.html").read_text()
