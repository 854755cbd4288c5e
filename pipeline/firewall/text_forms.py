"""The forms in which the content wall compares texts, made from the rules in ``docs/exports.md``.

Written anew rather than imported from the exporter, whose mistake a shared function would repeat.
``tests/pipeline/firewall/test_same_rules.py`` holds the two together on generated texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# Ends of the ranges of Default_Ignorable_Code_Point, with the joiners U+200C and U+200D among them.
_IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip
_JOINERS = "\u200c\u200d"
# For str.translate: what is never seen goes, the joiners are looked at one by one.
_HIDE = {
    code: None for first, last in _IGNORABLE for code in range(first, last + 1) if chr(code) not in _JOINERS
}
_NEVER_PLAIN = frozenset(map(chr, _HIDE)) | frozenset(_JOINERS)
_ASCII = bytes(range(128))
# The white space of ASCII, each as a space.
_SPACED = bytes(32 if code < 128 and chr(code).isspace() else code for code in range(256))
_LAST_OF_CYRILLIC = "\u052f"
_ARROWS = range(0x2190, 0x2200)

_SUPERSCRIPTS = "\u00b2\u00b3\u00b9" + "".join(map(chr, range(0x2070, 0x209D)))
_FRACTIONS = "\u00bc\u00bd\u00be\u2189" + "".join(map(chr, range(0x2150, 0x2160)))
# Numbers in circles and parentheses or with their full stop.
_ENCLOSED = "\u24ea" + "".join(
    chr(code)
    for first, last in ((0x2460, 0x249B), (0x3251, 0x325F), (0x32B1, 0x32BF), (0x1F100, 0x1F10A))
    for code in range(first, last + 1)
)
_AS_THEY_STAND = frozenset(_SUPERSCRIPTS + _FRACTIONS + _ENCLOSED)
_FINAL = frozenset(".!?。")
_WORDS_NEEDED = 4
_BEGINS_OF_CODE = (" ", "\t", "`", "~")  # of a line: any other is prose, or inside of a fence
_LANGUAGE = re.compile(r" *[\w+#.-]{0,20} *", re.A)  # any more of it would be read, and is a text


class StrictForm(NamedTuple):
    """``is_code``: the text stood in one fence as a whole, so that it compares by this form alone."""

    text: str
    is_code: bool


class _Run(NamedTuple):
    """Lines of one kind that follow each other."""

    is_code: bool
    lines: list[str]


def without_hidden(text: str) -> str:
    """NFC, and no character that is never seen but joiners where they mean something."""
    if text.isascii():
        return text
    if _NEVER_PLAIN.isdisjoint(_without_ascii(text)):
        return unicodedata.normalize("NFC", text)
    seen = text.translate(_HIDE)
    if not set(_JOINERS).isdisjoint(seen):
        seen = "".join(_joiners_where_they_mean_something(seen))
    return unicodedata.normalize("NFC", seen)


def _without_ascii(text: str) -> str:
    """The other characters of a text. They are few, and to look at them alone costs a fifth."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


@lru_cache(maxsize=4)  # whether a text says anything is asked right before what it says
def strict_form(text: str) -> StrictForm:
    lines = [line.rstrip() for line in without_hidden(text).splitlines()]
    first, end = _filled(lines)
    lines = lines[first:end]
    if len(lines) > 1:
        mark = _fence_of(lines[0])
        if mark and [number for number, line in enumerate(lines) if number and _closes(line, mark)][:1] == [
            len(lines) - 1
        ]:
            inner = lines[1:-1]
            first, end = _filled(inner)
            return StrictForm("\n".join(inner[first:end]), True)
    return StrictForm("\n".join(lines), False)


def loose_form(form: str) -> str:
    """Of a text in its strict form: prose as it reads, code as it stands."""
    runs = list(_runs(form))
    if runs and not runs[-1].is_code:
        lines = runs[-1].lines
        while lines and (not lines[-1] or _is_rule(lines[-1])):
            del lines[-1]
    return _joined(runs, ends_loosely=True)


def question_form(text: str) -> str:
    """Of a text that was asked. Empty when there is nothing to see in it."""
    return _joined(list(_runs(strict_form(text).text)), ends_loosely=False)


def _joined(runs: list[_Run], *, ends_loosely: bool) -> str:
    """Each run behind the name of its kind and its length, so that none can pose as another."""
    parts = []
    for run in runs:
        said = "\n".join(run.lines) if run.is_code else _prose(run.lines)
        if not run.is_code and ends_loosely and run is runs[-1]:
            said = _without_final_mark(said)
        if said:
            parts.append(f"{'code' if run.is_code else 'prose'} {len(said)}\n{said}")
    return "".join(parts)


def _runs(form: str) -> Iterator[_Run]:
    """The lines of a text in runs of code (fenced, or indented by four or a tab) and of prose."""
    run: _Run | None = None
    mark = ""
    for line in form.split("\n"):
        if mark:
            is_code = True
            if _closes(line, mark):
                mark = ""
        elif line.startswith(_BEGINS_OF_CODE):
            mark = _opening_mark(line)
            is_code = bool(mark) or line.startswith(("    ", "\t"))
        else:
            is_code = False
        if run is None or run.is_code is not is_code:
            if run is not None and run.is_code and not line:
                continue
            if run is not None:
                yield run
            run = _Run(is_code, [])
        run.lines.append(line)
    if run is not None:
        yield run


def _prose(lines: list[str]) -> str:
    text = "\n".join(lines)
    if text.isascii():
        return _one_spaced(text)
    # Nothing would change of a text in NFKC, whatever numbers it holds.
    if not unicodedata.is_normalized("NFKC", text):
        if _AS_THEY_STAND.isdisjoint(_without_ascii(text)):
            text = unicodedata.normalize("NFKC", text)
        else:
            text = "".join(_nfkc_but_numbers(text))
    return " ".join(text.split())


def _one_spaced(text: str) -> str:
    """``" ".join(text.split())`` of a text in ASCII, in half the time where few spaces follow each other."""
    text = text.encode().translate(_SPACED).decode()
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def _nfkc_but_numbers(text: str) -> Iterator[str]:
    """NFKC between the numbers that it would make others of."""
    start = 0
    for at, character in enumerate(text):
        if character in _AS_THEY_STAND:
            yield unicodedata.normalize("NFKC", text[start:at])
            yield character
            start = at + 1
    yield unicodedata.normalize("NFKC", text[start:])


def _without_final_mark(said: str) -> str:
    if not said or said[-1] not in _FINAL:
        return said
    rest = said[:-3] if said[-3:] == "..." else said[:-1]
    count = 0
    for word in rest.split():
        ideographs = [character for character in word if ord(character) >= 0x2E80 and character.isalnum()]
        if ideographs:
            count += len(ideographs)
        elif any(character.isalnum() for character in word):
            count += 1
        if count >= _WORDS_NEEDED:
            return rest.rstrip()
    return said


def _opening_mark(line: str) -> str:
    """The run of backticks or tildes that opens a fence, or nothing."""
    shown = line.lstrip(" ")
    if len(line) - len(shown) > 3 or shown[:1] not in ("`", "~"):
        return ""
    mark = shown[: len(shown) - len(shown.lstrip(shown[0]))]
    return mark if len(mark) > 2 else ""


def _fence_of(line: str) -> str:
    """The same for a fence around a whole text, whose first line names a language at most."""
    mark = _opening_mark(line)
    return mark if _LANGUAGE.fullmatch(line.lstrip(" ")[len(mark) :]) else ""


def _closes(line: str, mark: str) -> bool:
    closing = _opening_mark(line)
    return closing.startswith(mark) and line.lstrip(" ") == closing


def _is_rule(line: str) -> bool:
    """Three or more of - * _ with spaces between, or of = without."""
    shown = line.lstrip(" ")
    if len(line) - len(shown) > 3:
        return False
    marks = shown if shown.startswith("=") else shown.replace(" ", "")
    return len(marks) > 2 and marks[0] in "-*_=" and marks == marks[0] * len(marks)


def _filled(lines: list[str]) -> tuple[int, int]:
    """Where the first line that is not empty stands, and the end of the last one."""
    first, end = 0, len(lines)
    while first < end and not lines[first]:
        first += 1
    while end > first and not lines[end - 1]:
        end -= 1
    return first, end


def _joiners_where_they_mean_something(text: str) -> Iterator[str]:
    """The text with one joiner where some stand between letters of scripts that join, or emoji."""
    before = ""
    waiting = ""
    for character in text:
        if character in _JOINERS:
            waiting = waiting or character
            continue
        if waiting and before and _takes_joiners(before) and _takes_joiners(character):
            yield waiting
        waiting = ""
        yield character
        before = character


def _takes_joiners(character: str) -> bool:
    if character <= _LAST_OF_CYRILLIC:
        return False
    kind = unicodedata.category(character)
    if kind.startswith(("L", "M")):
        return unicodedata.east_asian_width(character) not in ("W", "F")
    return kind in ("So", "Sk") or ord(character) in _ARROWS
