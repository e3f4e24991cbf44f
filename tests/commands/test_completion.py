"""The Tab key: verbs without importing them, options, keys of settings."""

import os
import subprocess
import sys

import pytest
from command_line import writ


def offered(*words):
    """What the shell's script is given for the last word."""
    asked = {"_WRIT_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(("writ", *words)), "COMP_CWORD": str(len(words))}
    done = subprocess.run([sys.executable, "-m", "writ"], env={**os.environ, **asked}, capture_output=True, text=True, timeout=60)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_verbs_are_offered():
    assert offered("do") == ["domain", "doctor"]


def test_keys_of_settings_are_offered_behind_set():
    assert offered("run", "--set", "dataset.c") == ["dataset.count="]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_a_shell_asks_writ(shell):
    said = writ("completion", shell)
    assert said.code == 0
    assert "_WRIT_COMPLETE" in said.out


def test_script_of_bash_is_one_that_bash_reads():
    said = writ("completion", "bash")
    assert subprocess.run(["bash", "-n"], input=said.out, text=True, capture_output=True, check=False).returncode == 0


def test_unknown_shell_is_refused_with_those_that_are_known():
    said = writ("completion", "tcsh")
    assert said.code == 2
    assert "fish" in said.err
