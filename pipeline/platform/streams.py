# ruff: noqa: RUF001 (look-alikes are what is replaced)
"""The standard streams, made so that nothing that is said can end a command.

An encoding that lacks a character gets it spelled (``→`` as ``->``, ``é`` as ``\\xe9`` in ASCII). A
stream that was closed is ``/dev/null``, so that no file that is opened later takes its number. A
reader that goes away is its right; a stream that refuses for another reason (a full disk) is
remembered, because what was to be written there is not whole.

In the C locale Python speaks UTF-8 all the same (its UTF-8 mode, or a locale of its own choice); who asked
for C asked for ASCII, so there the locale decides, and not the encoding of a stream.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from pipeline.contracts.untrusted import spelled

OUT, ERR = 1, 2
ERRORS = "distill.spelled"

# One cell for one cell, so that what stood in columns still does; ``…`` alone becomes longer.
ASCII_FOR = {
    "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+",
    "┼": "+", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "━": "=", "┃": "#", "┏": "#", "┓": "#", "┗": "#", "┛": "#",
    "»": "*", "►": ">", "›": ">", "→": ">", "·": ".", "▇": "#", "╳": "x", "×": "x",
    "░": ".", "▓": "=", "▒": "-", "▏": "|", "▕": "|", "↑": "^", "↓": "v", "←": "<",
    "▁": "1", "▂": "2", "▃": "3", "▄": "4", "▅": "5", "▆": "6", "█": "8",
    "Δ": "d", "≤": "<", "≥": ">", "⏎": "/", "—": "-", "–": "-", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
_LONGER = {"→": "->", "←": "<-", "…": "...", "≤": "<=", "≥": ">="}

# What Python puts into LC_CTYPE in place of C.
_LOCALES_OF_PYTHON = ("C.UTF-8", "C.utf8", "UTF-8")

# What each stream refused with, as an errno; in one process there is one pair of streams.
_refused: dict[int, int] = {}
# Takes away what is drawn over, before anything else is written. Set by whoever draws.
erase_drawing: Callable[[], None] | None = None


def prepare() -> None:
    """Call it first in every ``main``. It may be called again."""
    _refused.clear()
    codecs.register_error(ERRORS, _spell)
    for number, name in ((0, "stdin"), (OUT, "stdout"), (ERR, "stderr")):
        if not _is_open(number):
            _open_on_nothing(number)
            if getattr(sys, name) is None:
                mode = "r" if number == 0 else "w"
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if number != 0 and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS, encoding="ascii" if asks_for_ascii(os.environ) else None)


def asks_for_ascii(environment: Mapping[str, str], utf8_mode: int | None = None) -> bool:
    """Whether the locale is C or POSIX by name. None named is no answer; PYTHONIOENCODING is a better one.

    Where Python found the C locale it may have put C.UTF-8 into LC_CTYPE by itself: its UTF-8 mode tells.
    """
    if environment.get("PYTHONIOENCODING"):
        return False
    chosen_by_python = _LOCALES_OF_PYTHON if (sys.flags.utf8_mode if utf8_mode is None else utf8_mode) else ()
    character_type = environment.get("LC_CTYPE", "")
    if character_type in chosen_by_python:
        character_type = ""
    named = environment.get("LC_ALL") or character_type or environment.get("LANG", "")
    return named in ("C", "POSIX")


def write(number: int, text: str, *, now: bool = False) -> None:
    """Write to standard output or error, ``now`` past the buffer."""
    stream = _stream(number)
    if stream is None or number in _refused:
        return
    if erase_drawing is not None:
        erase_drawing()
    if number == ERR:
        flush(OUT)  # where both are one terminal, what was said first stands first
    try:
        stream.write(text)
        if now or number == ERR:
            stream.flush()
    except (OSError, ValueError) as error:
        _give_up(number, error)


def write_bytes(data: bytes) -> None:
    """Raw bytes to standard output, after what was written there before."""
    stream = _stream(OUT)
    try:
        if stream is not None and OUT not in _refused:
            stream.flush()
            stream.buffer.write(data)
    except (OSError, ValueError) as error:
        _give_up(OUT, error)


def is_heard() -> bool:
    """Whether standard output has taken all that was written so far."""
    return OUT not in _refused


def flush(number: int) -> None:
    stream = _stream(number)
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError) as error:
        _give_up(number, error)


def end() -> OSError | None:
    """Flush. The error when standard output refused what it was to hold; a gone reader is none."""
    if erase_drawing is not None:
        erase_drawing()
    flush(OUT)
    flush(ERR)
    code = _refused.pop(OUT, errno.EPIPE)
    _refused.clear()
    return None if code == errno.EPIPE else OSError(code, os.strerror(code))


def encoding_for_children() -> dict[str, str]:
    """The environment by which a child that takes over our streams speaks their encoding."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return {} if codecs.lookup(encoding).name == "utf-8" else {"PYTHONIOENCODING": encoding}


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_LONGER.get(each) or ASCII_FOR.get(each) or spelled(each) for each in lacking), error.end


def _stream(number: int) -> TextIO | None:
    return sys.stdout if number == OUT else sys.stderr


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _open_on_nothing(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing == number:
        os.set_inheritable(number, True)
        return
    os.dup2(nothing, number)
    os.close(nothing)


def _give_up(number: int, error: OSError | ValueError) -> None:
    """Nothing more is written there; what is still buffered must not raise again at the exit."""
    _refused[number] = getattr(error, "errno", None) or errno.EPIPE
    stream = _stream(number)
    try:
        real = stream is not None and stream.fileno() == number
    except (OSError, ValueError):
        return
    if real:
        _open_on_nothing(number)
