"""A tokenizer of bytes and a tiny model with random weights, made here: nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_NAMED = {"pad_token": "<|endoftext|>", "bos_token": "<s>", "eos_token": "<|im_end|>"}
_SPECIAL = ("<|im_start|>", *_NAMED.values())


def tokenizer(chat_template: str) -> Any:
    """One token a byte, so that every text has one spelling and a token is a place in it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [*_SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytes_alone = Tokenizer(models.BPE(vocab={text: place for place, text in enumerate(letters)}, merges=[]))
    bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bytes_alone.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=bytes_alone,
        **_NAMED,
        additional_special_tokens=["<|im_start|>"],
    )
    made.chat_template = chat_template
    return made


def save_model(folder: Path, tokens: int, longest: int) -> str:
    """Where the model is, as trainers that load it twice want it."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=tokens,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=longest,
    )
    Qwen3ForCausalLM(config).save_pretrained(str(folder))
    return str(folder)
