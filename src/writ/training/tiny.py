"""A small Qwen3 with random weights and a byte-level tokenizer trained on the spot: real formats, no download."""

from collections.abc import Iterable
from typing import Any

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Single tokens, but not special ones: a server's parser must see them."""

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""What a token may not reach across. Numbers come in pairs of digits: a small model copies those, and not single ones."""


def tokenizer(texts: Iterable[str], template: str, vocabulary: int = 2_000) -> Any:
    """A fast tokenizer over the texts, with a chat template and Qwen's control tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(_WORDS), behavior="isolated")
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False))
    raw.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    raw.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKS])
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template)


def model(size: int, *, hidden: int = 128, layers: int = 3, seed: int = 0) -> Any:
    """`size`: of the vocabulary. Heads are 64 wide: narrower ones are refused by servers, and learn no copying."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    shape = Qwen3Config(
        vocab_size=size,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 64),
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=32_768,
        tie_word_embeddings=True,
        initializer_range=0.05,
    )
    return Qwen3ForCausalLM(shape)


def qwen_template() -> str:
    """The template of Qwen3 Instruct 2507, from TRL's own files."""
    from importlib.resources import files

    return (files("trl") / "chat_templates" / "qwen3_instruct_2507.jinja").read_text(encoding="utf-8")
