"""When two texts are the same text: the strict form, the loose form, and the form of what was asked.

The rules are written out in ``docs/exports.md``, with examples; the firewall has its own copy, made
from that page and not from this file. Texts whose strict forms are equal have equal loose forms.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# Default_Ignorable_Code_Point of Unicode 15, less the two joiners.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_JOINER = re.compile("[\u200c\u200d]+")
# How the UTF-8 of each of them begins, joiners too. One pass for these finds most texts free of them.
_HIDDEN_BEGINS = (
    *(b"\xc2\xad", b"\xcd\x8f", b"\xd8\x9c", b"\xe1\x85", b"\xe1\x9e", b"\xe1\xa0", b"\xe2\x81", b"\xe3\x85"),
    *(bytes((0xE2, 0x80, last)) for last in (*range(0x8B, 0x90), *range(0xAA, 0xAF))),
    *(b"\xef\xb8", b"\xef\xbb", b"\xef\xbe", b"\xef\xbf", b"\xf0\x9b\xb2", b"\xf0\x9d\x85", b"\xf3\xa0"),
)
_find_hidden = BytesAhoCorasick(
    list(_HIDDEN_BEGINS), matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes
# Latin, Greek and Cyrillic letters stand below this; there, and in Chinese, Japanese and Korean, a
# joiner does nothing but hide.
_FIRST_OF_JOINING_SCRIPTS = "\u0530"

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# All that the first line of a fence may say for the fence not to be part of what was said.
_LANGUAGE = re.compile(" *[A-Za-z0-9_+#.-]{0,20} *")
_RULE = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,}|={3,} *)")
# NFKC would make other numbers of these: 10² is not 102, 1½ is not 11/2, and ①② is not 12.
_NUMBERS_KEPT = re.compile(
    "([\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u215f\u2189"
    "\u2460-\u249b\u24ea\u3251-\u325f\u32b1-\u32bf\U0001f100-\U0001f10a]+)"
)
_ENDS = (".", "!", "?", "。")  # of …, NFKC makes three dots: one mark
_WORDS_BEFORE_AN_END = 4
_A_FEW_WORDS = 120  # characters, in which so many words mostly are
_ASCII_SPACE_AS_SPACE = bytes(32 if byte < 128 and chr(byte).isspace() else byte for byte in range(256))
_WIDE_SPACES = (
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_WIDE_SPACE = re.compile(f"[{_WIDE_SPACES}]")
_find_wide_space = BytesAhoCorasick(
    [space.encode() for space in _WIDE_SPACES], matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes
# A search for two bytes that follow each other, many times as fast as that of ``in``.
_find_two_spaces = BytesAhoCorasick([b"  "]).find_matches_as_indexes
_MAY_BEGIN_CODE = (" ", "\t", "`", "~")
_CODE_LINE = re.compile(r" {4}|\t| {0,3}(?:```|~~~)")
_CODE_BEGINS = re.compile(rf"\n(?:{_CODE_LINE.pattern})")


class StrictText(NamedTuple):
    """A text in its strict form. ``was_fenced``: one fence stood around all of it, so that it is code."""

    text: str
    was_fenced: bool


def strict_characters(text: str) -> str:
    """NFC, without characters that nobody sees."""
    if text.isascii():
        return text
    if _find_hidden(text.encode("utf-8", "surrogatepass")):
        text = _HIDDEN.sub("", text)
        if "\u200c" in text or "\u200d" in text:
            text = _JOINER.sub(_joiner_kept, text)
    return unicodedata.normalize("NFC", text)


def strict(text: str) -> StrictText:
    """Equal for texts that differ in nothing that could be seen, or in a fence around the whole."""
    lines = [line.rstrip() for line in strict_characters(text).splitlines()]
    whole = "\n".join(lines).strip("\n")
    if whole.startswith(("`", "~", " ")):
        inside = _inside_of_fence(whole.split("\n"))
        if inside is not None:
            return StrictText("\n".join(inside).strip("\n"), True)
    return StrictText(whole, False)


def loose(strict_form: str) -> str:
    """Equal for texts that say the same, code as it stands. PURE, of a strict form alone.

    The segments of prose and of code in their order, each with a letter before it.
    """
    if not _may_hold_code(strict_form) and not strict_form.endswith(("-", "*", "_", "=")):
        return _segment("p", _without_end(_prose(strict_form)))
    segments = _segments(strict_form, at_end=True)
    if segments and segments[-1][0] == "p":
        segments[-1] = ("p", _without_end(segments[-1][1]))
    return "".join(_segment(*segment) for segment in segments)


def asked(strict_form: str) -> str:
    """The form of what was asked, of a strict form alone: prose in NFKC and one-spaced, code as it stands."""
    if not _may_hold_code(strict_form):
        return _segment("p", _prose(strict_form))
    return "".join(_segment(*segment) for segment in _segments(strict_form, at_end=False))


def _segment(kind: str, text: str) -> str:
    """Neither kind can pose as the other: its length stands before it. Nothing is nothing."""
    return f"{kind}{len(text)}:{text}" if text else ""


def _may_hold_code(text: str) -> bool:
    return text.startswith(_MAY_BEGIN_CODE) or _CODE_BEGINS.search(text) is not None


def _segments(text: str, *, at_end: bool) -> list[tuple[str, str]]:
    """Runs of prose (``p``, normalised) and of code (``c``, as it stands).

    ``at_end``: horizontal rules at the end are left out.
    """
    segments: list[tuple[str, str]] = []
    start = 0
    is_code = _CODE_LINE.match(text) is not None
    while start <= len(text):
        if is_code:
            lines, start = _code_lines(text, start)
            segments.append(("c", "\n".join(lines)))
        else:
            code = _CODE_BEGINS.search(text, start)
            prose = text[start:] if code is None else text[start : code.start()]
            start = len(text) + 1 if code is None else code.start() + 1
            if at_end and code is None:
                prose = _without_rules(prose)
            segments.append(("p", _prose(prose)))
        is_code = not is_code
    return segments


def _code_lines(text: str, start: int) -> tuple[list[str], int]:
    """The lines of the code that begins at ``start``, and where the first line behind it begins.

    An empty line parts no code from code, and is none where no fence is open.
    """
    lines: list[str] = []
    fence = ""
    while start <= len(text):
        stop = text.find("\n", start)
        line = text[start:] if stop < 0 else text[start:stop]
        if fence:
            mark = _FENCE.match(line)
            if mark is not None and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            lines.append(line)
        elif line:
            if _CODE_LINE.match(line) is None:
                break
            mark = _FENCE.match(line)
            fence = "" if mark is None else mark[1]
            lines.append(line)
        start = len(text) + 1 if stop < 0 else stop + 1
    return lines, start


def _without_rules(prose: str) -> str:
    """Without the empty lines and horizontal rules at its end."""
    while prose:
        end = prose.rfind("\n")
        last = prose[end + 1 :]
        if last and not _RULE.fullmatch(last):
            break
        prose = prose[: max(0, end)]
    return prose


def _prose(text: str) -> str:
    # The numbers that are kept are no NFKC themselves, so that a text in NFKC holds none.
    if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
        pieces = _NUMBERS_KEPT.split(text)
        pieces[::2] = [unicodedata.normalize("NFKC", piece) for piece in pieces[::2]]
        text = "".join(pieces)
    return one_spaced(text)


def one_spaced(text: str) -> str:
    """Every run of white space as one space, trimmed.

    White space is what ``str.split()`` splits at: the Unicode property White_Space and
    U+001C to U+001F. The result equals ``" ".join(text.split())``; splitting at the few long
    runs instead of at every word takes a third of the time.
    """
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > len(text) and _find_wide_space(encoded):
        text = _WIDE_SPACE.sub(" ", text)
        encoded = text.encode("utf-8", "surrogatepass")
    encoded = encoded.translate(_ASCII_SPACE_AS_SPACE)
    text = encoded.decode("utf-8", "surrogatepass")
    if _find_two_spaces(encoded):
        text = " ".join(filter(None, map(str.strip, text.split("  "))))
    return text.strip()


def _without_end(prose: str) -> str:
    """Without one final mark, where at least four words come before it."""
    if not prose.endswith(_ENDS):
        return prose
    before = prose[: -3 if prose.endswith("...") else -1].rstrip()
    return before if _words(before) >= _WORDS_BEFORE_AN_END else prose


def _words(prose: str) -> int:
    """What stands between spaces and holds a letter or digit; a Chinese or Japanese character is one.

    Counts no further than is asked for.
    """
    if len(prose) > _A_FEW_WORDS:
        few = _words(prose[:_A_FEW_WORDS])
        if few >= _WORDS_BEFORE_AN_END:
            return few
    count = 0
    for word in prose.split(" "):
        wide = 0 if word.isascii() else sum(map(_is_a_word, word))
        count += wide or any(map(str.isalnum, word))
        if count >= _WORDS_BEFORE_AN_END:
            break
    return count


def _is_a_word(character: str) -> bool:
    return character >= "\u2e80" and character.isalnum()


def _inside_of_fence(lines: list[str]) -> list[str] | None:
    """The lines inside of one fence around all of them, None where there is none."""
    opening = _FENCE.match(lines[0])
    if opening is None or len(lines) < 2 or not _LANGUAGE.fullmatch(lines[0], opening.end()):
        return None
    for number, line in enumerate(lines[1:], 1):
        closing = _FENCE.match(line)
        if closing and closing[1].startswith(opening[1]) and not line[closing.end() :].strip():
            return lines[1:number] if number == len(lines) - 1 else None
    return None


def _joiner_kept(run: re.Match[str]) -> str:
    """A joiner between two letters of a script that joins, or two emoji, stays; any other only hides."""
    text, start, end = run.string, run.start(), run.end()
    if start == 0 or end == len(text):
        return ""
    return run[0][0] if _joins(text[start - 1]) and _joins(text[end]) else ""


def _joins(character: str) -> bool:
    if character < _FIRST_OF_JOINING_SCRIPTS:
        return False
    category = unicodedata.category(character)
    if category[0] in "LM":
        return unicodedata.east_asian_width(character) not in "WF"
    return category in ("So", "Sk") or "\u2190" <= character <= "\u21ff"
