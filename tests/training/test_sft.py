"""A real, tiny training on a CPU: the loss falls, a killed training goes on, and what is saved renders as the original."""

import json
import math

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from writ.errors import Unavailable
from writ.schema import Row
from writ.settings import TrainingConfig
from writ.storage.file import LocalStore
from writ.training import sft
from writ.training.card import card, curve
from writ.training.checkpoints import Checkpoints

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


def kept(tmp_path):
    return Checkpoints(LocalStore(tmp_path / "store"), "train/k/checkpoints")


def test_loss_falls_and_weights_tokenizer_card_and_curve_are_whole(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained = sft.train(config(), rows(), tmp_path, kept(tmp_path))
    assert trained.curve[-1][1] < trained.curve[0][1] / 2
    assert trained.precision == "fp32"
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == sft.tiny.qwen_template()
    assert sum(weight.numel() for weight in AutoModelForCausalLM.from_pretrained(tmp_path).parameters()) > 100_000
    assert "**rows**: 6" in card(trained, config(), {"dataset": "abc"})
    assert curve(trained.curve).startswith(b"<?xml")


def test_a_training_that_was_stopped_goes_on_on_another_disk_from_its_checkpoint_in_the_store_to_the_same_end(tmp_path):
    whole = sft.train(config(), rows(), tmp_path / "whole", Checkpoints(LocalStore(tmp_path / "other"), "train/k/checkpoints"))
    with pytest.raises(Unavailable, match="at step 5 of 8"):
        sft.train(config(), rows(), tmp_path / "here", kept(tmp_path), lambda number: number == 5)
    again = sft.train(config(), rows(), tmp_path / "there", kept(tmp_path))
    assert (whole.resumed_from, again.resumed_from) == (0, 5)
    assert [step for step, _ in again.curve] == [step for step, _ in whole.curve]
    assert math.isclose(again.curve[-1][1], whole.curve[-1][1], rel_tol=1e-3)


def test_adapters_lie_beside_weights_that_hold_them(tmp_path):
    """The merged weights are what a plain server loads; the adapters over the same base say the same."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = tmp_path / "base"
    sft.train(config(max_steps=1), rows(), base, kept(tmp_path / "a"))
    made = sft.train(config(model=str(base), method="lora", learning_rate=3e-2), rows(), tmp_path / "lora", kept(tmp_path / "b"))
    assert made.curve[-1][1] < made.curve[0][1]
    merged = AutoModelForCausalLM.from_pretrained(made.folder)
    assert type(merged).__name__ == "Qwen3ForCausalLM"
    fresh = AutoModelForCausalLM.from_pretrained(base)
    ids = torch.arange(5, 25).unsqueeze(0)
    plain = fresh(ids).logits
    adapted = PeftModel.from_pretrained(fresh, made.folder / sft.ADAPTER)(ids).logits
    assert torch.allclose(merged(ids).logits, adapted, atol=1e-3)
    assert not torch.allclose(plain, adapted, atol=1e-2)
