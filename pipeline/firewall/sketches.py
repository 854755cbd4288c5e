"""Two cheap numbers that answers share which are the same on any level, found without decoding them.

A rejected run's answer leaves both numbers in a bit map. A row whose numbers are not there gave
no rejected answer; only the few others are normalised and hashed in full. The first number is of
the last letters and digits of a text, the second of its first ones, too: much code ends alike.
Fences, rules, marks, white space and hidden characters are none of them. The numbers are the same in
every process, so that a look can be kept.
"""

from __future__ import annotations

import unicodedata
from zlib import crc32

import msgspec

from pipeline.firewall.text_forms import without_hidden

EDGE = 16  # letters and digits that a sketch looks at
_WINDOW = 48  # bytes at an end of a raw text that usually hold them
_LONG = 256
_ESCAPE = 6  # bytes of an escape at most
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters that nobody sees
_FENCES = ("```", "~~~")
# For each first byte of a text whether it can be neither a fence, nor an escape or space before
# one, nor a character that nobody sees.
_MAY_HIDE = b'"\\`~ \xc2\xcd\xd8\xe1\xe2\xe3\xef\xf0\xf3'
_IS_PLAIN = bytes(code > 32 and code not in _MAY_HIDE for code in range(256))
_BEGINNING = 24
_decode_text = msgspec.json.Decoder(str | None).decode


def tail_sketches(raws: list[bytes], *, fences: bool = True) -> list[int]:
    """``tail_sketch`` of many raw texts, in a fraction of the time."""
    found = []
    for raw in raws:
        piece = raw[-_WINDOW:-1]
        if b"\\" in piece:
            piece = _without_escapes(raw)
        if not _IS_PLAIN[raw[1]] and _may_begin_with_fence(raw):
            piece = b""
        shown = piece.translate(None, _NO_LETTERS)
        # Only the first few can be wrong: those of an escape that was cut.
        if len(shown) >= EDGE + _ESCAPE and shown.isascii():
            found.append(crc32(shown[-EDGE:]))
        else:
            found.append(tail_sketch(raw, fences=fences))
    return found


def _may_begin_with_fence(raw: bytes) -> bool:
    """Whether a fence may stand before the text, so that words of its line are no part of the answer."""
    head = raw[1:_BEGINNING].replace(b"\\n", b" ").replace(b"\\t", b" ").replace(b"\\r", b" ").lstrip()
    return not head or not _IS_PLAIN[head[0]]


def _without_escapes(raw: bytes) -> bytes:
    """The end of a raw text with its frequent escapes undone; empty when others are left."""
    if raw[-_WINDOW - 1 : -_WINDOW] == b"\\":
        return b""  # cut amid backslashes, it could be misread
    # An escaped backslash leaves one behind in each replacement, and so is never mistaken.
    piece = raw[-_WINDOW:-1].replace(b"\\n", b" ").replace(b"\\t", b" ").replace(b'\\"', b'"')
    return b"" if b"\\" in piece else piece


def tail_sketch(raw: bytes, *, fences: bool = True) -> int:
    """Of the last letters and digits of a raw text, given as bytes.

    Without ``fences`` their lines are text as any other: so version 1 compares.
    """
    return crc32(_tail(raw, fences=fences).encode())


def edges_sketch(raw: bytes, tail: int, *, fences: bool = True) -> int:
    """Of the first letters and digits of a raw text, too; ``tail`` is its ``tail_sketch``."""
    return crc32(_head(raw, fences=fences).encode(), tail)


def letters(text: str) -> str:
    """The letters and digits of a text, decomposed: what no rule of comparison takes away."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        for filler in _FILLERS:
            text = text.replace(filler, "")
    return "".join(filter(str.isalnum, text))


def _tail(raw: bytes, *, fences: bool) -> str:
    if len(raw) > _LONG and not _may_begin_with_fence(raw):
        # A space byte stands for itself in JSON and in UTF-8.
        piece = raw[-_WINDOW:-1]
        start = piece.find(b" ")
        if start >= 0:
            shown = letters(_decode_text(b'"%b"' % piece[start:]) or "")
            if len(shown) >= EDGE:
                return shown[-EDGE:]
    text = _decode_text(raw) or ""
    text = _without_fences(text) if fences else text
    # What a character of ASCII begins is decomposed by itself.
    if text[-_LONG : -_LONG + 1].isascii():
        shown = letters(text[-_LONG:])
        if len(shown) >= EDGE:
            return shown[-EDGE:]
    return letters(text)[-EDGE:]


def _head(raw: bytes, *, fences: bool) -> str:
    if _stands_for_itself(raw):
        text = _decode_text(raw[:_WINDOW] + b'"') or ""
        shown = letters(text)
        if len(shown) >= EDGE and not (fences and text.lstrip().startswith(_FENCES)):
            return shown[:EDGE]
    text = _decode_text(raw) or ""
    text = _without_fences(text) if fences else text
    if text[_LONG : _LONG + 1].isascii():
        shown = letters(text[:_LONG])
        if len(shown) >= EDGE:
            return shown[:EDGE]
    return letters(text)[:EDGE]


def _without_fences(text: str) -> str:
    """Without the lines of fences before it, whose words about the code are no part of the answer."""
    text = without_hidden(text)
    if not text.lstrip().startswith(_FENCES):
        return text
    lines = text.splitlines()
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip(" ").startswith(_FENCES)):
        at += 1
    return "\n".join(lines[at:])


def _stands_for_itself(raw: bytes) -> bool:
    """Whether the first bytes of a long text are plain characters, so that it can be cut behind them."""
    return len(raw) > _LONG and raw[:_WINDOW].isascii() and b"\\" not in raw[:_WINDOW]
