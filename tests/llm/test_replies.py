"""Parsing of what comes back, without a wire."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from writ.llm import Cause, ChatReply, ModelFault
from writ.llm.replies import one_line, parse_reply, retry_after_s

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "message", "content", "tool_calls"]), inner),
    max_leaves=12,
)
_CALLS = st.lists(st.fixed_dictionaries({"id": _JSON, "function": st.fixed_dictionaries({"name": _JSON, "arguments": _JSON})}), max_size=2)
_ALMOST = st.fixed_dictionaries(
    {
        "choices": st.lists(st.fixed_dictionaries({"message": st.fixed_dictionaries({"content": _JSON, "tool_calls": _JSON | _CALLS})})),
        "usage": _JSON,
        "model": _JSON,
    }
)


def _parsed(body: bytes) -> ChatReply | Cause:
    try:
        return parse_reply(body)
    except ModelFault as fault:
        return fault.cause


@given(st.binary())
def test_any_bytes_are_a_reply_or_a_fault(body: bytes) -> None:
    assert _parsed(body) in {Cause.INVALID_REPLY, Cause.EMPTY_REPLY}


@given(_JSON | _ALMOST)
def test_any_json_is_a_reply_of_the_right_types_or_a_fault(value: object) -> None:
    reply = _parsed(orjson.dumps(value))
    if isinstance(reply, ChatReply):
        assert reply.content is None or isinstance(reply.content, str)
        assert all(isinstance(text, str) for call in reply.tool_calls for text in (call.id, call.name, call.arguments))
        assert isinstance(reply.prompt_tokens, int)
    else:
        assert reply in {Cause.INVALID_REPLY, Cause.EMPTY_REPLY}


def test_reply_nested_without_end_is_a_fault() -> None:
    assert _parsed(b'{"choices":' + b"[" * 100_000) is Cause.INVALID_REPLY


def test_missing_usage_counts_no_tokens() -> None:
    reply = parse_reply(b'{"choices": [{"message": {"content": "hi"}, "finish_reason": null}], "usage": null}')
    assert (reply.prompt_tokens, reply.completion_tokens, reply.finish_reason) == (0, 0, "")


@given(st.text() | st.sampled_from(["inf", "nan", "1e999", "Mon, 23 Nov 2026 10:00:30 GMT"]))
def test_any_retry_after_is_a_wait_or_nothing(text: str) -> None:
    asked_s = retry_after_s({"retry-after": text})
    assert asked_s is None or 0 <= asked_s < float("inf")


@pytest.mark.parametrize("asked", ["-3", "0"])
def test_retry_after_in_the_past_asks_for_no_wait(asked: str) -> None:
    assert retry_after_s({"retry-after": asked}) == 0


def test_servers_text_in_an_error_is_one_short_line() -> None:
    line = one_line("a\nb\t " + "c" * 5000)
    assert line.startswith("a b ccc")
    assert len(line) == 300
