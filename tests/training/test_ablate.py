"""The smoke form of an ablation, whole: conversations, four trained models, two exams each, a table and a plot; and again, for nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def ablated(folder):
    command = [sys.executable, "-m", "writ", "ablate", "--plain", "--config", "recipes/ablate-smoke.yaml", "--out", str(folder / "store")]
    done = subprocess.run([*command, "--to", str(folder / "out")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_the_smoke_form_gives_a_table_a_plot_and_artifacts_that_are_reused(tmp_path):
    ablated(tmp_path)
    found = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert [(each["arm"], each["seed"]) for each in found["models"]] == [
        ("one_or_three_writes", 0),
        ("one_or_three_writes", 1),
        ("one_write", 0),
        ("one_write", 1),
    ]
    assert len({each["key"] for each in found["models"]}) == 4
    assert len({each["rows"] for each in found["models"]}) == 1
    assert len({each["steps"] for each in found["models"]}) == 1
    assert {(each["exam"], each["arm"]) for each in found["figures"]} == {
        (exam, arm) for exam in ("unseen cells", "seen cells") for arm in ("one_or_three_writes", "one_write")
    }
    unseen = [each for each in found["figures"] if each["exam"] == "unseen cells"]
    assert {cell for each in unseen for cell in each["cells"]} == {"2x0-1"}
    assert 0 < found["chance"]["unseen cells"] < 1
    assert (tmp_path / "out" / "ablation.svg").read_bytes().startswith(b"<?xml")
    before = (tmp_path / "out" / "ablation.md").read_text()
    manifests = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("manifest.json")}
    ablated(tmp_path)
    assert (tmp_path / "out" / "ablation.md").read_text() == before
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("manifest.json")} == manifests
