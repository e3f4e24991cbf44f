"""What the tests of this room share: templates of two model families with a small tokenizer, and a conversation with tools."""

import json
from importlib.resources import files

from writ.schema import Row
from writ.training.tiny import tokenizer as tiny_tokenizer

TEMPLATES = ("qwen3_instruct_2507", "llama3_1")

OPTIONS = {"tools_in_user_message": False}
"""Llama 3.1 would take the agent's greeting for the user's first message; other templates pass it over."""

TOOL = {
    "type": "function",
    "function": {
        "name": "get_order",
        "description": "An order.",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}, "note": {"type": "string"}}, "required": ["order_id"]},
    },
}


def call(number, **arguments):
    function = {"name": "get_order", "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"role": "assistant", "content": "", "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}]}


MESSAGES = (
    {"role": "system", "content": "Be kind.\n\nPolicy: read first."},
    {"role": "assistant", "content": "Hi! What may I do?"},
    {"role": "user", "content": "Where is #W1234567?\n"},
    call(1, order_id="#W1234567", note="Zürich <b>&amp;"),
    {"role": "tool", "tool_call_id": "c1", "content": '{"status": "pending", "items": [1, 2]}'},
    {"role": "assistant", "content": "It is pending.\n\nAnything else?"},
    {"role": "user", "content": "And #W7?"},
    call(2, order_id="#W7"),
    {"role": "tool", "tool_call_id": "c2", "content": "Error: Order not found"},
    {"role": "assistant", "content": "I cannot find it."},
)


def row(messages=MESSAGES, **fields):
    known = {"id": "r", "split": "train", "domain": "retail", "kind": "normal", "writes": 1, "burden": 1, "tool": "t", "task_id": "t"}
    known |= {"instruction_id": "i", "user_id": "u", "source": "model", "tools": json.dumps([TOOL]), "messages": messages}
    return Row(**(known | fields))


def tokenizer_of(name):
    """A small byte-level tokenizer over the conversation, with the named template of TRL's."""
    template = (files("trl") / "chat_templates" / f"{name}.jinja").read_text()
    made = tiny_tokenizer([json.dumps(message, ensure_ascii=False) for message in MESSAGES], template, vocabulary=600)
    if name.startswith("llama"):
        extra = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"]
        made.add_special_tokens({"additional_special_tokens": extra, "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"})
    return made
