"""The command line: every error is one line with a next action and the right exit code, and nothing is half-written."""

import base64
import json
import re
import subprocess
import sys
import zlib

import click
import pytest
from click.testing import CliRunner
from command_line import LIBRARY, ROOT, writ

from writ.cli import VERBS, app


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A finished run of the library desk."""
    folder = tmp_path_factory.mktemp("runs")
    done = writ("run", "--plain", "--out", str(folder), *LIBRARY)
    assert done.code == 0, done.err
    return folder, done


def test_run_ends_with_funnel_grid_and_paths(store):
    _, done = store
    assert "funnel" in done.out
    assert "evidence" in done.out
    assert "report.html" in done.out.replace("\n", "")


def test_page_that_a_run_makes_names_the_run(store):
    folder, done = store
    run = next(line.split()[1] for line in done.out.splitlines() if line.startswith("run "))
    index = re.search(rb'id="index">([^<]*)<', next(folder.glob("report/*/report.html")).read_bytes())
    assert json.loads(zlib.decompress(base64.b64decode(index[1])))["head"]["run"] == run


@click.command()
def leave():
    raise click.exceptions.Exit(7)


def test_verb_that_leaves_with_a_code_ends_the_process_with_it(monkeypatch):
    monkeypatch.setitem(VERBS, "leave", (f"{__name__}:leave", "Leaves."))
    assert writ("leave").code == 7
    assert writ("leave", "--help").code == 0


def test_run_again_makes_nothing_and_says_so(store):
    folder, first = store
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.zst")}
    again = writ("run", "--plain", "--out", str(folder), *LIBRARY)
    assert again.code == 0
    assert "simulate: 4 records done  reused" in again.err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.zst")} == before
    sha = [line for line in first.out.splitlines() if line.startswith("sha256")]
    assert sha == [line for line in again.out.splitlines() if line.startswith("sha256")]


def test_concurrency_changes_nothing_in_the_dataset(store, tmp_path):
    _, first = store
    other = writ("run", "--plain", "--out", str(tmp_path), *LIBRARY, "--set", "simulation.concurrency=1")
    line = next(line for line in first.out.splitlines() if line.startswith("sha256"))
    assert line in other.out


def test_plan_after_one_changed_knob_reuses_what_does_not_depend_on_it(store):
    folder, _ = store
    plan = writ("plan", "--out", str(folder), *LIBRARY, "--set", "dataset.near_duplicate=0.8").out
    states = {line.split()[0]: line.split()[2] for line in plan.splitlines()[1:]}
    assert states["simulate"] == states["verify"] == "reuse"
    assert states["dataset"] == states["report"] == "make"


def test_an_altered_part_is_named_and_exits_3(store, tmp_path):
    folder, _ = store
    part = next(iter((folder / "tasks").rglob("*.zst")))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        result = writ("run", "--plain", "--out", str(folder), *LIBRARY, "--set", "instructions.per_task=2")
    finally:
        part.write_bytes(whole)
    assert result.code == 3
    assert part.name in result.err


def test_mistyped_verb_is_one_line_from_a_process_of_its_own():
    result = subprocess.run([sys.executable, "-m", "writ", "verfy"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert result.stderr.splitlines() == [result.stderr.strip()]
    assert "verify" in result.stderr


def test_replay_of_a_torn_line_names_it(tmp_path):
    file = tmp_path / "calls.jsonl"
    file.write_text('{"id": "a", "calls": []}\n{"id": "b", "calls": [\n')
    result = writ("domain", "replay", f"{ROOT}/examples/library", str(file))
    assert result.code == 3
    assert "2" in result.err
    assert json.loads(result.out.splitlines()[0])["id"] == "a"


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
