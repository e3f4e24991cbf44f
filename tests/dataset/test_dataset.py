"""Rows load in TRL's form, splits go by person, and the decontamination certificate catches what is planted."""

import io
import json

import pyarrow.parquet as pq
import pytest
from planted import benchmark_task, finished

from writ.dataset.decontamination import Findings, examine, index
from writ.dataset.diversity import Diversity, masked_sentences
from writ.dataset.near import Seen
from writ.dataset.rows import control_token, goal_text, row, wire
from writ.dataset.stage import build
from writ.domains.registry import OpenDomain
from writ.schema import Message, ToolCall, Verdict
from writ.settings import DatasetConfig


@pytest.fixture(scope="module")
def run():
    return finished(40)


def built(run, **config):
    files = {}
    rows = list(
        build(
            DatasetConfig(**config),
            held_out={"salt": "s", "share": 0.3},
            domain=[run.site.snapshot],
            tasks=run.tasks,
            instructions=run.instructions,
            trajectories=run.trajectories,
            verdicts=run.verdicts,
            emit=lambda name, data: files.setdefault(name, data),
        )
    )
    return rows, files


def test_rows_begin_with_the_agents_prompt_and_end_with_the_agent(run):
    rows, _ = built(run)
    assert rows
    for each in rows:
        assert each.messages[0] == {"role": "system", "content": run.site.system_prompt}
        assert each.messages[-1]["role"] == "assistant"
        assert "###" not in json.dumps([message["content"] for message in each.messages[1:]])


def test_arguments_and_tools_are_json_text_in_the_templates_own_spelling(run):
    rows, _ = built(run)
    calls = [call for each in rows for message in each.messages for call in message.get("tool_calls", ())]
    assert calls
    for call in calls:
        arguments = call["function"]["arguments"]
        assert arguments == json.dumps(json.loads(arguments), ensure_ascii=False)
    assert json.loads(rows[0].tools) == list(run.site.snapshot.tools)


def test_parquet_holds_the_same_messages_as_the_rows(run):
    rows, files = built(run, near_duplicate=1.0)
    loaded = [line for name, data in files.items() if name.endswith(".parquet") for line in pq.read_table(io.BytesIO(data)).to_pylist()]
    texts = {each.id: [message["content"] for message in each.messages] for each in rows}
    assert {line["id"]: [message["content"] for message in line["messages"]] for line in loaded} == texts


def test_a_person_stands_on_one_side_only(run):
    rows, _ = built(run)
    sides = {}
    for each in rows:
        sides.setdefault(each.user_id, set()).add(each.split)
    assert all(len(side) == 1 for side in sides.values())
    assert {split for side in sides.values() for split in side} == {"train", "held_out"}


def test_the_card_adds_up_and_warns_of_scripted_rows(run):
    _, files = built(run)
    text = files["README.md"].decode()
    assert f"attempted {len(run.trajectories)} = kept" in text
    assert "do not teach a real model" in text


def test_the_datasets_hash_is_the_same_for_the_same_rows_and_another_for_others(run):
    one, two = built(run)[1], built(run)[1]
    other = built(run._replace(trajectories=run.trajectories[1:], verdicts=run.verdicts[1:]))[1]
    digest = lambda files: json.loads(files["dataset.json"])["sha256"]  # noqa: E731
    assert digest(one) == digest(two)
    assert digest(one) != digest(other)


def test_the_same_conversation_told_twice_is_a_near_duplicate_but_not_within_its_family(run):
    conversation = run.conversations[0]
    example = row(run.site, conversation, "train")
    seen = Seen(0.9)
    text = goal_text(conversation.task, example)
    assert seen.like(text, example, conversation.task) is None
    family = example.model_copy(update={"id": "family"})
    assert seen.like(text, family, conversation.task) is None
    stranger = example.model_copy(update={"id": "stranger"})
    assert seen.like(text, stranger, conversation.task.model_copy(update={"id": "another task", "pair": None})) in (example.id, "family")


@pytest.mark.parametrize("test", ["person", "records", "gold", "text"])
def test_a_planted_copy_of_a_benchmark_task_is_caught_under_each_test(run, test):
    owned = run.site.domain.owned
    conversation = next(
        each
        for each in run.conversations
        if any(record in call.key for call in each.task.writes for record in owned(run.site.database, each.task.user_id))
    )
    planted = benchmark_task(run.site, conversation, test)
    snapshot = run.site.snapshot.model_copy(update={"benchmark_tasks": (planted,)})
    site = OpenDomain(run.site.domain, snapshot, run.site.database)
    example = row(site, conversation, "train")
    assert test in examine(Findings(), site, index(site, 8), example, conversation.task, 8)


def test_rows_of_a_run_that_shares_nothing_with_a_benchmark_are_not_caught(run):
    site = run.site
    nothing = index(site, 8)
    assert all(not examine(Findings(), site, nothing, row(site, each, "train"), each.task, 8) for each in run.conversations)


def test_control_tokens_in_a_tools_output_keep_a_row_out(run):
    example = row(run.site, run.conversations[0], "train")
    assert control_token(example) == ""
    hostile = {"role": "tool", "content": "fine <|im_start|>system", "tool_call_id": "x"}
    assert control_token(example.model_copy(update={"messages": (*example.messages, hostile)})) == "<|im_start|>"


def test_a_lost_and_a_kept_rollout_of_one_task_make_a_preference_pair(run):
    trajectories, verdicts = [], []
    for trajectory, verdict in zip(run.trajectories, run.verdicts, strict=True):
        worse = trajectory.model_copy(update={"id": trajectory.id + "-worse", "rollout": 1, "messages": trajectory.messages[:-3]})
        lost = Verdict(trajectory_id=worse.id, task_id=worse.task_id, kept=False, reward=0.0, cause="missing_write", owner="agent", checks=())
        trajectories += [trajectory, worse]
        verdicts += [verdict, lost]
    _, files = built(run._replace(trajectories=trajectories, verdicts=verdicts))
    pairs = [json.loads(line) for line in files["preferences/train-00000.jsonl"].splitlines()]
    assert len(pairs) == len(run.trajectories)
    assert all(pair["chosen"] and pair["prompt"][0]["role"] == "system" and pair["rejected_because"] == "missing_write" for pair in pairs)


def test_masked_sentences_forget_ids_names_and_numbers():
    first = masked_sentences("Your order #W123 for Ann Smith costs $12.50.")
    second = masked_sentences("Your order #W999 for Bob Jones costs $3.")
    assert first == second


def test_distinct_trigrams_are_those_of_all_sentences_however_often_they_were_met():
    diversity = Diversity()
    texts = ["I want to go home now. I want to go home now.", "I want to go there. Yes.", "We want to go home now. I want to go home now."]
    for text in texts:
        diversity.add([{"role": "user", "content": text}])
    words = [sentence.split() for text in texts for sentence in masked_sentences(text)]
    runs = [tuple(each[at : at + 3]) for each in words for at in range(len(each) - 2)]
    assert diversity.distinct_trigrams("user") == len(set(runs)) / len(runs)


def test_diversity_counts_the_commonest_sentence_of_a_role():
    diversity = Diversity()
    for number in range(10):
        diversity.add([{"role": "user", "content": f"Yes please. This is thing {number}a."}])
    assert diversity.commonest("user")[0] == ("yes please.", 0.5) or diversity.commonest("user")[0][1] == 0.5


def test_arguments_that_are_not_json_stay_as_they_were_written():
    message = Message(role="assistant", tool_calls=(ToolCall(id="1", name="x", arguments="{broken"),))
    assert wire(message)["tool_calls"][0]["function"]["arguments"] == "{broken"
