"""What is trained is what is served, through the running server; and its text is read as vLLM reads it."""

import asyncio
import json

import aiohttp
import pytest

pytest.importorskip("trl", reason="training packages are not installed (requirements/train-cpu.txt)")

from training_world import MESSAGES, OPTIONS, TEMPLATES, TOOL, row, tokenizer_of

from writ.llm.server import serve
from writ.training.calls import hermes, llama3_json, reader_of
from writ.training.decode import Ask, Decoder, Wrote
from writ.training.encode import IGNORED, encode
from writ.training.render import render
from writ.training.serving import Served, Weights
from writ.training.tiny import model as tiny_model


@pytest.fixture(scope="module", params=TEMPLATES)
def tokenizer(request):
    return tokenizer_of(request.param)


def spoken(tokenizer, turn):
    """A decoder that writes these tokens whatever it is asked, up to the one that ends the turn."""
    end = tokenizer.eos_token_id
    return lambda asks: [Wrote(turn[: turn.index(end)], True) for _ in asks]


async def posted(weights, body, **kwargs):
    """Status and decoded body of one request to a server of its own."""
    async with (
        serve(Served(weights, **kwargs), models=["m"]) as server,
        aiohttp.ClientSession() as session,
        session.post(f"{server.base_url}/chat/completions", json={"model": "m"} | body) as reply,
    ):
        return reply.status, await reply.json()


def asked(tokenizer, messages, decode, **body):
    known = {"messages": messages, "tools": [TOOL], "chat_template_kwargs": OPTIONS, "return_token_ids": True}
    status, reply = asyncio.run(posted(Weights(tokenizer, decode, 4096), known | body))
    assert status == 200, reply
    return reply


def test_a_whole_conversation_is_served_the_tokens_that_were_trained_turn_by_turn(tokenizer):
    """The server writes each trained turn; what it answers goes into the history as a client has it, and the next prompt is trained text again."""
    trained = encode(tokenizer, row(), OPTIONS)
    history, turns = [], 0
    for message in MESSAGES:
        if message["role"] != "assistant":
            history.append(message)
            continue
        begin = sum(1 for _ in prompt_of(tokenizer, history))
        turn = trained.ids[begin:]
        reply = asked(tokenizer, history, spoken(tokenizer, turn))
        assert reply["prompt_token_ids"] == trained.ids[:begin]
        assert all(label != IGNORED for label in trained.labels[begin : begin + len(reply["choices"][0]["token_ids"]) + 1])
        answer = reply["choices"][0]["message"]
        wanted = [call["function"] for call in message.get("tool_calls", ())]
        assert [call["function"] for call in answer.get("tool_calls", ())] == wanted
        assert (answer["content"] or "") == message["content"]
        assert reply["choices"][0]["finish_reason"] == ("tool_calls" if wanted else "stop")
        ids = {"tool_calls": [{**call, "id": message["tool_calls"][0]["id"]} for call in answer["tool_calls"]]} if wanted else {}
        history.append({**answer, **ids})
        turns += 1
    assert turns == 5
    assert trained.ids[: len(prompt_of(tokenizer, history, ask=False))] == prompt_of(tokenizer, history, ask=False)


def prompt_of(tokenizer, history, ask=True):
    return tokenizer(render(tokenizer, history, [TOOL], options=OPTIONS, ask=ask), add_special_tokens=False)["input_ids"]


def test_hermes_calls_are_all_read_or_the_whole_turn_is_content():
    one, two = '{"name": "a", "arguments": {"x": "Z\\u00fc"}}', '{"name": "b", "arguments": {}}'
    assert hermes(f"Sure.\n<tool_call>\n{one}\n</tool_call>\n<tool_call>{two}") == ("Sure.\n", (("a", '{"x": "Zü"}'), ("b", "{}")))
    for broken in ("<tool_call>{</tool_call>", '<tool_call>{"name": "b"}</tool_call>', '<tool_call>["b"]</tool_call>', "<tool_call>"):
        text = f"<tool_call>{one}</tool_call>{broken}"
        assert hermes(text) == (text, ())
    assert hermes("No call.") == ("No call.", ())


def test_llama_calls_are_bare_json_with_parameters_or_arguments():
    one, two = '{"name": "a", "parameters": {"x": {"y": 1}}}', '{"name": "b", "arguments": {"z": "ü"}}'
    assert llama3_json(f"<|python_tag|>{one}; {two}") == (None, (("a", '{"x": {"y": 1}}'), ("b", '{"z": "ü"}')))
    for text in ("No call.", f"{one} and {{", f'{one}; {{"name": "b"}}', "a { brace"):
        assert llama3_json(text) == (text, ())


def test_the_reader_is_chosen_by_the_template():
    assert [reader_of(tokenizer_of(name).chat_template) for name in TEMPLATES] == ["hermes", "llama3_json"]


def test_a_broken_call_is_content_and_a_reply_that_never_ends_says_length(tokenizer):
    broken = tokenizer('<tool_call>\n{"name": "get_order", "arg', add_special_tokens=False)["input_ids"]
    choice = asked(tokenizer, MESSAGES[:3], lambda asks: [Wrote(broken, False)])["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": '<tool_call>\n{"name": "get_order", "arg'}
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"n": 2}, "n=1"),
        ({"stream": True}, "stream"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"messages": [{"content": "no role"}]}, "cannot render"),
        ({"messages": list(MESSAGES[:3]) * 400}, "maximum context length is 4096"),
    ],
)
def test_what_the_server_does_not_do_is_refused_with_the_reason(body, said):
    tokenizer = tokenizer_of(TEMPLATES[0])
    status, reply = asyncio.run(posted(Weights(tokenizer, spoken(tokenizer, [tokenizer.eos_token_id]), 4096), {"messages": MESSAGES[:3]} | body))
    assert (status, said in reply["error"]["message"]) == (400, True), reply


def test_rows_of_a_batch_get_the_tokens_that_they_get_alone():
    import torch

    torch.set_num_threads(1)
    model = tiny_model(300, layers=2)
    decoder = Decoder(model, frozenset({7}), 0)
    dice = torch.Generator().manual_seed(1)
    asks = [Ask(torch.randint(10, 300, (length,), generator=dice).tolist(), most) for length, most in ((5, 12), (40, 9), (1, 3), (17, 12))]
    asks.append(asks[0]._replace(temperature=1.5, top_p=0.9, seed=3))
    together = decoder(asks)
    assert together == [decoder([ask])[0] for ask in asks]
    assert [len(each.ids) for each in together[:3]] == [12, 9, 3]
    assert together[4].ids != together[0].ids
    with torch.inference_mode():
        whole = model.generate(torch.tensor([asks[1].ids]), max_new_tokens=9, do_sample=False, eos_token_id=7, pad_token_id=0)
    assert together[1].ids == whole[0, 40:].tolist()


def test_requests_that_wait_are_decoded_together_and_a_failed_batch_fails_alone():
    tokenizer = tokenizer_of(TEMPLATES[0])
    sizes = []

    def decode(asks):
        sizes.append(len(asks))
        if len(sizes) == 2:
            raise RuntimeError("no memory")
        return [Wrote([tokenizer.eos_token_id - 1], True) for _ in asks]

    async def many():
        served = Served(Weights(tokenizer, decode, 4096), at_once=4)
        request = {"model": "m", "messages": MESSAGES[:3]}
        return await asyncio.gather(*(served(request) for _ in range(9)), return_exceptions=True)

    replies = asyncio.run(many())
    assert sizes == [4, 4, 1]
    assert [isinstance(each, RuntimeError) for each in replies] == [False] * 4 + [True] * 4 + [False]
    assert json.loads(replies[0].body)["usage"]["completion_tokens"] == 2
