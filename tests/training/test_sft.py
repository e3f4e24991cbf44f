"""A real, tiny training on a CPU: the loss falls, a killed training goes on, and what is saved renders as the original."""

import json
import math

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from writ.errors import ConfigError
from writ.schema import Row
from writ.settings import TrainingConfig
from writ.training import sft
from writ.training.card import card, curve

pytestmark = pytest.mark.slow


def rows(count=6):
    def one(number):
        order = f"#W{number}{number}"
        function = {"name": "get_order", "arguments": json.dumps({"order_id": order})}
        messages = (
            {"role": "system", "content": "Be kind."},
            {"role": "assistant", "content": "Hi!"},
            {"role": "user", "content": f"Where is {order}?"},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "c", "content": "pending"},
            {"role": "assistant", "content": f"{order} is pending."},
        )
        known = {"split": "train", "domain": "retail", "kind": "normal", "writes": 0, "burden": 1, "tool": "t", "task_id": "t", "tools": "[]"}
        return Row(id=f"r{number}", instruction_id="i", user_id="u", source="model", messages=messages, **known)

    return [one(number) for number in range(count)]


def config(**fields):
    known = {"model": "tiny", "learning_rate": 3e-3, "rows_per_step": 2, "warmup_steps": 1, "max_steps": 8, "save_steps": 4}
    return TrainingConfig(**(known | fields))


def test_loss_falls_and_weights_tokenizer_card_and_curve_are_whole(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained = sft.train(config(), rows(), tmp_path)
    assert trained.curve[-1][1] < trained.curve[0][1] / 2
    assert trained.precision == "fp32"
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == sft.tiny.qwen_template()
    assert sum(weight.numel() for weight in AutoModelForCausalLM.from_pretrained(tmp_path).parameters()) > 100_000
    assert "**rows**: 6" in card(trained, config(), {"dataset": "abc"})
    assert curve(trained.curve).startswith(b"<?xml")


def test_a_training_that_was_cut_short_goes_on_from_its_checkpoint_to_the_same_end(tmp_path):
    whole = sft.train(config(), rows(), tmp_path / "whole")
    sft.train(config(), rows(), tmp_path / "cut")
    for name in ("model.safetensors", "checkpoints/checkpoint-8/trainer_state.json"):
        (tmp_path / "cut" / name).unlink()
    again = sft.train(config(), rows(), tmp_path / "cut")
    assert (whole.resumed_from, again.resumed_from) == (0, 4)
    assert [step for step, _ in again.curve] == [step for step, _ in whole.curve]
    assert math.isclose(again.curve[-1][1], whole.curve[-1][1], rel_tol=1e-3)


def test_checkpoints_of_other_settings_or_rows_are_never_gone_on_from(tmp_path):
    sft.train(config(max_steps=1), rows(), tmp_path)
    with pytest.raises(ConfigError, match="other settings or rows"):
        sft.train(config(max_steps=1, seed=1), rows(), tmp_path)
    with pytest.raises(ConfigError, match="other settings or rows"):
        sft.train(config(max_steps=1), rows(5), tmp_path)
