"""The settings of an ablation's arms and exams, and its table; the whole of it is run by tests/training/test_ablate.py."""

import pytest

from writ.commands.ablate import arm_of, report
from writ.errors import ConfigError
from writ.runners.ablate import SEEN, UNSEEN, Ablated, Model, exams
from writ.scoring.arms import ArmFigures
from writ.scoring.statistics import Interval
from writ.settings import RunConfig

CONFIG = RunConfig.model_validate({"ablation": {"unseen_cells": ["3x6-8"], "exam_tasks": 9}, "tasks": {"without_cells": ["1x0-1"]}})


def test_an_arm_says_otherwise_only_what_it_names_and_its_mix_holds_nothing_else():
    arm = arm_of(CONFIG, "one", {"tasks": {"mix": {"normal": 1.0}, "pair_share": 0.0}})
    assert arm.tasks.mix == {"normal": 1.0}
    assert arm.model_copy(update={"tasks": CONFIG.tasks}) == CONFIG
    assert arm_of(CONFIG, "same", {}) == CONFIG
    with pytest.raises(ConfigError, match="arm 'odd'"):
        arm_of(CONFIG, "odd", {"tasks": {"mixture": {}}})


def test_exams_are_of_another_database_and_part_the_cells_between_them():
    found = exams(CONFIG)
    assert found[UNSEEN].tasks.cells == ("3x6-8",)
    assert found[SEEN].tasks.without_cells == ("1x0-1", "3x6-8")
    for each in found.values():
        assert (each.seed, each.dataset.count, each.tasks.split) == (8, 9, "held_out")


def test_the_table_has_every_model_every_arm_of_every_exam_and_chance():
    def figure(exam, arm, against):
        return ArmFigures(exam=exam, arm=arm, success=Interval(0.5, 0.4, 0.6), by_seed={0: 0.4, 1: 0.6}, against_first=against, cells={"3x6-8": 0.5})

    shown = [figure(exam, arm, against) for exam in (UNSEEN, SEEN) for arm, against in (("mixed", None), ("other", Interval(-0.1, -0.2, 0.0)))]
    models = tuple(Model(arm, seed, 100, 50_000, 42, "0123456789abcdef") for arm in ("mixed", "other") for seed in (0, 1))
    text = report(CONFIG, Ablated(models, tuple(shown), {UNSEEN: 0.25, SEEN: 0.5}))
    assert text.count("| other | 50.0% [40.0%, 60.0%] | 40.0%, 60.0% | -10.0 points [-20.0, +0.0] | 3x6-8 50% |") == 2
    assert text.count("| 100 | 50,000 | 42 |") == 4
    assert "Chance: 25.0%." in text
