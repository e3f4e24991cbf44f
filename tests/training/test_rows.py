"""Rows before any money is spent: the mask token by token, the renderer's identity, and what is refused. No download, no training."""

import json
import re

import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from importlib.resources import files

from training_world import MESSAGES, OPTIONS, TEMPLATES, TOOL, row, tokenizer_of

from writ.errors import ArtifactError, ConfigError
from writ.settings import TrainingConfig
from writ.training.checks import prepare
from writ.training.encode import IGNORED, encode
from writ.training.render import render
from writ.training.tiny import tokenizer as tiny_tokenizer


def config_of(**fields):
    return TrainingConfig(template_options=OPTIONS, **fields)


@pytest.fixture(scope="module", params=TEMPLATES)
def tokenizer(request):
    return tokenizer_of(request.param)


def expected_turns(tokenizer, text):
    """The agent's turns found in the rendered text by its own marks, without our renderer."""
    if "<|im_start|>" in text:
        found = re.finditer(r"<\|im_start\|>assistant\n(.*?<\|im_end\|>\n)", text, re.DOTALL)
    else:
        found = re.finditer(r"<\|start_header_id\|>assistant<\|end_header_id\|>\n\n(.*?<\|eot_id\|>)", text, re.DOTALL)
    return [match.group(1) for match in found]


def runs(encoded):
    """Trained stretches of tokens."""
    stretches, current = [], []
    for token, label in zip(encoded.ids, encoded.labels, strict=True):
        if label != IGNORED:
            assert label == token
            current.append(token)
        elif current:
            stretches.append(current)
            current = []
    return [*stretches, current] if current else stretches


def test_loss_is_on_every_token_of_the_agents_turns_and_on_no_other(tokenizer):
    encoded = encode(tokenizer, row(), OPTIONS)
    text = tokenizer.decode(encoded.ids)
    expected = expected_turns(tokenizer, text)
    assert len(expected) == 5
    assert [tokenizer.decode(stretch) for stretch in runs(encoded)] == expected
    assert 0 < encoded.trained < len(encoded.ids) / 2


def test_what_is_trained_before_each_turn_is_token_by_token_what_a_server_is_sent(tokenizer):
    encoded = encode(tokenizer, row(), OPTIONS)
    for index, message in enumerate(MESSAGES):
        if message["role"] == "assistant":
            served = tokenizer(render(tokenizer, MESSAGES[:index], [TOOL], options=OPTIONS, ask=True), add_special_tokens=False)["input_ids"]
            assert encoded.ids[: len(served)] == served
            assert encoded.labels[len(served)] == encoded.ids[len(served)], "the first token after the prompt is trained"


def test_the_mask_equals_the_one_that_trl_itself_makes():
    from trl.chat_template_utils import get_training_chat_template

    made = tiny_tokenizer([json.dumps(each) for each in MESSAGES], (files("trl") / "chat_templates" / "qwen3_instruct_2507.jinja").read_text(), 600)
    theirs = made.apply_chat_template(
        [dict(message) for message in MESSAGES],
        tools=[TOOL],
        chat_template=get_training_chat_template(made),
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ours = encode(made, row())
    assert ours.ids == theirs["input_ids"]
    assert [label != IGNORED for label in ours.labels] == [bool(mark) for mark in theirs["assistant_masks"]]


def test_a_template_that_rewrites_earlier_turns_is_refused():
    made = tiny_tokenizer(["x"], (files("trl") / "chat_templates" / "qwen3.jinja").read_text(), 300)
    with pytest.raises(ArtifactError, match="would not match serving"):
        encode(made, row())


def test_arguments_are_rendered_as_they_are_spelled_in_the_rows(tokenizer):
    assert '"Zürich <b>&amp;"' in render(tokenizer, MESSAGES, [TOOL], options=OPTIONS)


@pytest.mark.parametrize("overlong", ["error", "exclude"])
def test_a_row_over_length_ends_the_command_or_is_listed_and_never_cut(tokenizer, overlong):
    short = row(MESSAGES[:2], id="short")
    limit = len(encode(tokenizer, short, OPTIONS).ids)
    config = config_of(max_length_tokens=limit, overlong=overlong)
    if overlong == "error":
        with pytest.raises(ArtifactError, match=f"max_length_tokens={limit}"):
            prepare(tokenizer, [short, row(id="long")], config)
        return
    encoded, report = prepare(tokenizer, [short, row(id="long")], config)
    assert [each.row_id for each in encoded] == ["short"]
    assert (report.excluded, report.rows, report.longest_tokens) == (("long",), 1, limit)


def test_control_tokens_inside_a_text_are_refused(tokenizer):
    token = next(each.content for each in tokenizer.added_tokens_decoder.values() if each.special)
    messages = (*MESSAGES[:2], {"role": "user", "content": f"I say {token} now"}, MESSAGES[5])
    with pytest.raises(ArtifactError, match="control token"):
        prepare(tokenizer, [row(messages)], config_of())


def test_scripted_rows_are_refused_unless_they_are_allowed(tokenizer):
    scripted = row(source="scripted")
    with pytest.raises(ConfigError, match="allow_scripted"):
        prepare(tokenizer, [scripted], config_of())
    assert prepare(tokenizer, [scripted], config_of(allow_scripted=True))[1].scripted_rows == 1


def test_rows_without_a_turn_of_the_agent_and_no_rows_at_all_are_refused(tokenizer):
    with pytest.raises(ArtifactError, match="nothing in it would be trained"):
        prepare(tokenizer, [row((MESSAGES[0], MESSAGES[2]))], config_of())
    with pytest.raises(ArtifactError, match="no row is left"):
        prepare(tokenizer, [], config_of())


def test_the_report_counts_what_is_trained(tokenizer):
    encoded, report = prepare(tokenizer, [row(), row(id="s")], config_of())
    assert report.tokens == 2 * len(encoded[0].ids)
    assert report.trained_tokens == 2 * encoded[0].trained
    assert report.trained_share == pytest.approx(encoded[0].trained / len(encoded[0].ids))


def test_a_budget_takes_rows_in_an_order_that_the_seed_draws(tokenizer):
    rows = [row(id=str(number)) for number in range(8)]
    taken = [[each.row_id for each in prepare(tokenizer, rows, config_of(most_rows=3, seed=seed))[0]] for seed in (0, 0, 1)]
    assert taken[0] == taken[1] != taken[2]
    assert len(set(taken[0])) == 3
    length = len(encode(tokenizer, row(), OPTIONS).ids)
    encoded, report = prepare(tokenizer, rows, config_of(most_tokens=2 * length + 1))
    assert (len(encoded), report.rows, report.tokens) == (3, 3, 3 * length)
