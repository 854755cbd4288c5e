"""Marks by which chat templates tell turns apart, inside texts that people and tools wrote.

A tokenizer reads ``<|im_end|>`` in a text as the end of the turn, whoever wrote it: what follows is
then another speaker's. Found are the marks of ChatML, Llama, Mistral, Gemma, DeepSeek, Command and
their kin. ``<s>`` and ``</s>`` are HTML as well: only an end without its beginning counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# A text without any of these holds no mark; most texts are done with them.
_SIGNS = (
    "<|",
    "<\uff5c",
    "INST]",
    "SYS>>",
    "_of_turn>",
    "_TOOLS]",
    "[TOOL_",
    "_PROMPT]",
    "</s>",
    "<bos>",
    "<eos>",
)
_find_signs = BytesAhoCorasick(
    [sign.encode() for sign in _SIGNS], matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes
_MARK = re.compile(
    r"<\|[A-Za-z][A-Za-z0-9_.-]{0,40}\|>"
    r"|<\uff5c[A-Za-z\u2581_ ]{1,40}\uff5c>"
    r"|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT)\]"
    r"|<</?SYS>>"
    r"|<(?:start|end)_of_turn>"
    r"|<(?:bos|eos)>"
)


def has_markup(text: str) -> bool:
    if not _find_signs(text.encode("utf-8", "surrogatepass")):
        return False
    return _MARK.search(text) is not None or text.count("</s>") > text.count("<s>")


def any_markup(texts: Iterable[str | None]) -> bool:
    return any(text and has_markup(text) for text in texts)
