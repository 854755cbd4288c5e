"""Texts as the tokens by which evaluation items and rows are compared.

Words are casefolded and lose their punctuation, so that re-typed questions still match. Code is
compared by its tokens as they stand: case and operators are what it says. Scripts that are
written without spaces count character by character, or a whole sentence would be one word.
Characters that nobody sees are no part of either: one inside a word would make two of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from pipeline.stages.same_text import strict_characters

Kind = Literal["words", "code"]

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff"
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CODE = re.compile(r"\w+|[^\w\s]")
# Controls that are no white space on a screen, annotation marks, and joiners even where they mean
# something: a test item is the same with and without them.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200c\u200d\ufff9-\ufffb]+")
_UNSEEN_IN_ASCII = bytes(byte for byte in range(128) if _UNSEEN.match(chr(byte)))


def tokens(text: str, kind: Kind) -> list[str]:
    """The tokens of ``text`` in order. No token holds a space."""
    # Before the composition: what is hidden between a letter and its accent must not keep them apart.
    if text.isascii():
        text = text.encode().translate(None, _UNSEEN_IN_ASCII).decode()
    else:
        text = strict_characters(_UNSEEN.sub("", text))
    if kind == "code":
        return _CODE.findall(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORDS.findall(text.casefold())
