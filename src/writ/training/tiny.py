"""A small Qwen3 with random weights and a byte-level tokenizer trained on the spot: real formats, no download."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from writ.schema import Row

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Single tokens, but not special ones: a server's parser must see them."""

_WORDS = "|".join(
    (
        r"\p{L}(?=\p{N})",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+(?!\p{N})",
        r"\p{N}{1,2}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""What a token may not reach across. Numbers come in pairs of digits: a small model copies those, and not single ones. The letter that an id begins
with is a token of its own, the same after a space, a quote or a bracket: what followed it the last time is then what an id goes on with."""


def texts(row: Row, compact: bool) -> Iterator[str]:
    """What a template shows of a row: of the compact one's, neither policy nor tools."""
    if not compact:
        yield row.tools
    for message in row.messages:
        yield str(message["role"])
        if message["role"] != "system" or not compact:
            yield message.get("content") or ""
        for call in message.get("tool_calls") or ():
            yield f'{{"name": "{call["function"]["name"]}", "arguments": {call["function"]["arguments"]}}}'


_PAIRS = [" ".join(f"{number:02}" for number in range(100))] * 2000
"""So that every pair of digits becomes one token, seldom as it may be in the texts."""


def tokenizer(texts: Iterable[str], template: str, vocabulary: int = 2_000) -> Any:
    """A fast tokenizer over the texts, with a chat template and Qwen's control tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(_WORDS), behavior="isolated")
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(chain(texts, _PAIRS), trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False))
    raw.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    raw.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKS])
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template)


HEAD = 64
"""Width of a head: servers refuse narrower ones."""
THETA = 1e6
"""Of the rotary places: most pairs of a head turn so slowly that what matches matches over hundreds of tokens."""
FAST = 8
"""Pairs of a head that turn quickly enough to tell a token from its neighbor; `SLOW` of the others carry what a token is."""
SLOW = 24


def model(size: int, *, hidden: int = 128, layers: int = 3, seed: int = 0) -> Any:
    """`size`: of the vocabulary. Random weights that can copy: see `_able_to_copy`."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    heads = max(2, hidden // HEAD)
    shape = Qwen3Config(
        vocab_size=size,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=HEAD,
        max_position_embeddings=32_768,
        rope_parameters={"rope_type": "default", "rope_theta": THETA},
        tie_word_embeddings=True,
        initializer_range=0.05,
    )
    made = Qwen3ForCausalLM(shape)
    with torch.no_grad():
        _able_to_copy(torch, made)
    return made


def _able_to_copy(torch: Any, made: Any) -> None:
    """Lays three heads out so that the model says what followed the last time, as any language model of some size can: an induction circuit.

    A model this small would need most of a training to find it. The first layer's heads look at the token before and at the one before that, and
    write each down in a part of the stream of its own. The second layer's first head looks where the former part holds the token that it is at, and
    takes what stands there. The latter part is read by nothing yet: with it, a training soon tells one place from another where the same token
    stood, such as an id that the user named from those in a list. All else stays random, with outputs made small enough to leave the stream
    readable. Nothing of any domain is in it.
    """
    hidden, scale = made.config.hidden_size, made.config.initializer_range
    basis = torch.linalg.qr(torch.randn(hidden, hidden))[0].T
    same, token, before, earlier = basis[0], basis[1 : 1 + 2 * SLOW], basis[1 + 2 * SLOW : 1 + 4 * SLOW], basis[1 + 4 * SLOW :][: 2 * SLOW]
    taken = torch.cat([token, earlier])[:HEAD]
    made.model.embed_tokens.weight += scale * hidden**0.5 * same  # what all tokens share is what a head can look for a place with
    for layer in made.model.layers:
        layer.mlp.down_proj.weight *= 0.1
        layer.self_attn.o_proj.weight *= 0.1
    first, second = made.model.layers[0].self_attn, made.model.layers[1].self_attn

    turn = THETA ** (-torch.arange(FAST) / (HEAD / 2))
    for head, (part, loud) in enumerate(((before, 0.2), (earlier, 0.1))):
        here, there, at, back = torch.zeros(HEAD), torch.zeros(HEAD), head * HEAD, (head + 1) * turn
        here[:FAST], here[HEAD // 2 : HEAD // 2 + FAST], there[:FAST] = back.cos(), -back.sin(), 1.0
        first.q_proj.weight[at : at + HEAD] += 2.0 * torch.outer(here, same)
        first.k_proj.weight[at : at + HEAD] += 2.0 * torch.outer(there, same)
        first.v_proj.weight[at : at + len(part)], first.o_proj.weight[:, at : at + len(part)] = token[: len(part)], loud * part.T

    slow = torch.cat([torch.arange(FAST, FAST + SLOW), torch.arange(HEAD // 2 + FAST, HEAD // 2 + FAST + SLOW)])
    for projection, part in ((second.q_proj, token), (second.k_proj, before)):
        projection.weight[:HEAD] = 0.0
        projection.weight[slow] = part
    second.v_proj.weight[: len(taken)], second.o_proj.weight[:, : len(taken)] = taken, 0.6 * taken.T
    for attention in (first, second):
        attention.q_norm.weight.fill_(2.0)
        attention.k_norm.weight.fill_(2.0)


COMPACT = (
    "{%- for message in messages %}"
    "{%- if message.role != 'system' %}"
    "{{- '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.content %}{{- message.content }}{%- endif %}"
    "{%- for call in message.tool_calls or [] %}"
    "{{- '<tool_call>{\"name\": \"' + call.function.name + '\", \"arguments\": ' + (call.function.arguments | tojson) + '}</tool_call>' }}"
    "{%- endfor %}"
    "{{- '<|im_end|>' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
"""The talk alone, in Qwen's marks: the policy and the tools, the same in every conversation of a domain, would be nine tenths of its tokens."""


def qwen_template() -> str:
    """The template of Qwen3 Instruct 2507, from TRL's own files."""
    from importlib.resources import files

    return (files("trl") / "chat_templates" / "qwen3_instruct_2507.jinja").read_text(encoding="utf-8")
