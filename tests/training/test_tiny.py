"""The tiny model's own template, and what its random weights can do: copy."""

import json

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from training_world import MESSAGES, TOOL, row

from writ.training import tiny
from writ.training.calls import hermes, reader_of
from writ.training.encode import encode
from writ.training.render import render


def test_the_compact_template_shows_the_talk_alone_and_is_trained_as_it_is_served():
    tokenizer = tiny.tokenizer(tiny.texts(row(), compact=True), tiny.COMPACT, 420)
    encoded = encode(tokenizer, row())
    text = tokenizer.decode(encoded.ids)
    assert "Policy" not in text
    assert TOOL["function"]["description"] not in text
    for index, message in enumerate(MESSAGES):
        if message["role"] == "assistant":
            served = tokenizer(render(tokenizer, MESSAGES[:index], [TOOL], options={}, ask=True), add_special_tokens=False)["input_ids"]
            assert encoded.ids[: len(served)] == served
    spelled = [
        tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])[-3:] for text in ("h0742", " h0742", '["h0742')
    ]
    assert spelled == [["h", "07", "42"]] * 3, "an id is the same tokens wherever it stands"
    assert len(tokenizer("0742", add_special_tokens=False)["input_ids"]) == 2, "every pair of digits is one token"
    assert reader_of(tiny.COMPACT) == "hermes"
    turn = text.split("<|im_start|>assistant\n")[2].split("<|im_end|>")[0]
    assert hermes(turn) == (None, (("get_order", json.dumps({"order_id": "#W1234567", "note": "Zürich <b>&amp;"}, ensure_ascii=False)),))


def test_random_weights_say_what_followed_the_last_time_over_any_distance():
    import torch

    torch.set_num_threads(1)
    model = tiny.model(700, seed=1)
    for length in (20, 150):
        before = torch.randperm(700, generator=torch.Generator().manual_seed(length))[: 2 * length].reshape(2, length)
        with torch.inference_mode():
            said = model(input_ids=torch.cat([before, before], dim=1)).logits[:, length : 2 * length - 1].argmax(-1)
        assert (said == before[:, 1:]).float().mean() > 0.8
    model.model.layers[1].self_attn.q_proj.weight.data[: tiny.HEAD] = 0.0
    with torch.inference_mode():
        assert (model(input_ids=torch.cat([before, before], dim=1)).logits[:, length:-1].argmax(-1) == before[:, 1:]).float().mean() < 0.05
