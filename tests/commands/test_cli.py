"""The command line: every error is one line with a next action and the right exit code, and nothing is half-written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from writ.cli import VERBS, app

ROOT = Path(__file__).parents[2]
LIBRARY = ["--set", "domains.names=[library]", "--set", "domains.code={library: examples/library}", "--set", "domains.users=80"]


def writ(*arguments, cwd=ROOT):
    return subprocess.run([sys.executable, "-m", "writ", *arguments], capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A finished run of the library desk."""
    folder = tmp_path_factory.mktemp("runs")
    done = writ("run", "--plain", "--out", str(folder), *LIBRARY, "--set", "dataset.count=12")
    assert done.returncode == 0, done.stderr
    return folder, done


def test_run_ends_with_funnel_grid_and_paths(store):
    _, done = store
    assert "funnel" in done.stdout
    assert "evidence" in done.stdout
    assert "report.html" in done.stdout.replace("\n", "")


def test_run_again_makes_nothing_and_says_so(store):
    folder, first = store
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.zst")}
    again = writ("run", "--plain", "--out", str(folder), *LIBRARY, "--set", "dataset.count=12")
    assert again.returncode == 0
    assert "simulate: 12 records done  reused" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.zst")} == before
    sha = [line for line in first.stdout.splitlines() if line.startswith("sha256")]
    assert sha == [line for line in again.stdout.splitlines() if line.startswith("sha256")]


def test_concurrency_changes_nothing_in_the_dataset(store, tmp_path):
    _, first = store
    other = writ("run", "--plain", "--out", str(tmp_path), *LIBRARY, "--set", "dataset.count=12", "--set", "simulation.concurrency=1")
    line = next(line for line in first.stdout.splitlines() if line.startswith("sha256"))
    assert line in other.stdout


def test_plan_after_one_changed_knob_reuses_what_does_not_depend_on_it(store):
    folder, _ = store
    plan = writ("plan", "--out", str(folder), *LIBRARY, "--set", "dataset.count=12", "--set", "dataset.near_duplicate=0.8").stdout
    states = {line.split()[0]: line.split()[2] for line in plan.splitlines()[1:]}
    assert states["simulate"] == states["verify"] == "reuse"
    assert states["dataset"] == states["report"] == "make"


def test_an_altered_part_is_named_and_exits_3(store, tmp_path):
    folder, _ = store
    part = next(iter((folder / "tasks").rglob("*.zst")))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        result = writ("run", "--plain", "--out", str(folder), *LIBRARY, "--set", "dataset.count=12", "--set", "instructions.per_task=2")
    finally:
        part.write_bytes(whole)
    assert result.returncode == 3
    assert part.name in result.stderr


BAD = [
    (["run", "--set", "dataset.count=none"], 2, "dataset.count"),
    (["run", "--set", "dataset.cuont=5"], 2, "dataset.cuont"),
    (["run", "--set", "count"], 2, "write --set dataset.count=500"),
    (["run", "--set", "seed=1", "--set", "seed.x=1"], 2, "seed"),
    (["run", "--config", "no-such-file.yaml"], 2, "no-such-file.yaml"),
    (["run", "--domain-data", "no-such-folder"], 2, "no-such-folder"),
    (["run", "--set", "domains.names=[bakery]"], 2, "bakery"),
    (["run", "--set", "tasks.mix={read_heavy: -1}"], 2, "tasks"),
    (["run", *LIBRARY, "--set", "dataset.count=1", "--set", "simulation.faults={wrong: 2}"], 2, "wrong"),
    (["plan", "--out", "s4://bucket"], 2, "s4"),
    (["stage", "verify", "--out", "{tmp}", *LIBRARY], 3, "writ stage"),
    (["stage", "simulate", "--shard", "3", "--shards", "2"], 2, "shard"),
    (["stage", "bake"], 2, "bake"),
    (["domain", "show", "examples"], 2, "examples"),
    (["domain", "replay", "examples/library", "no-such.jsonl"], 2, "no-such.jsonl"),
    (["verify", "no-such.json", "--domain", "examples/library"], 2, "no-such.json"),
    (["model", "serve", "--out", "{tmp}", "--domain", "aa", "--instructions", "bb"], 3, "domain/aa"),
    (["tasks", "export"], 2, "--to"),
    (["verfy"], 2, "verfy"),
]


@pytest.mark.parametrize(("arguments", "code", "named"), BAD, ids=[" ".join(case[0][:4]) for case in BAD])
def test_bad_input_is_one_line_with_the_right_exit_code(arguments, code, named, tmp_path):
    arguments = [argument.replace("{tmp}", str(tmp_path / "store")) for argument in arguments]
    if "--out" not in arguments and arguments[0] in ("run", "plan", "stage"):
        arguments += ["--out", str(tmp_path / "store")]
    result = writ(*arguments)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert named in result.stderr
    assert not list((tmp_path / "store" / "dataset").rglob("*"))


def test_replay_of_a_torn_line_names_it(tmp_path):
    file = tmp_path / "calls.jsonl"
    file.write_text('{"id": "a", "calls": []}\n{"id": "b", "calls": [\n')
    result = writ("domain", "replay", "examples/library", str(file))
    assert result.returncode == 3
    assert "2" in result.stderr
    assert json.loads(result.stdout.splitlines()[0])["id"] == "a"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_an_example(verb):
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0, result.output
    assert "Example:" in result.output


def test_help_lists_every_verb_without_importing_the_rooms():
    code = "import sys; sys.argv=['writ','--help']; from writ.cli import main\ntry: main()\nfinally: print('pydantic' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.strip().endswith("False")
    assert all(verb in result.stdout for verb in VERBS)
