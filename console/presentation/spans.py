"""Lines of text with roles: measured in terminal cells, cut, padded and put side by side.

Widths are those of the painter (``rich.cells``): two cells for wide East Asian characters and for
emoji, none for combining marks, and what one cluster shows is never taken apart. Text from data is
expected to have gone through ``visible`` already.

All is written with Unicode marks; where the locale or the terminal has only ASCII, each line goes through
``to_ascii`` last, so no screen draws anything twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from pipeline.platform.streams import ASCII_FOR

Role = Literal[
    "text",
    "dim",
    "strong",
    "title",
    "border",
    "accent",
    "ok",
    "warn",
    "fail",
    "badge",
    "armed",
    "cursor",
    "key",
    "accepted",
    "partial",
    "review",
    "rejected",
    "groove",
    "spark",
]


class Span(NamedTuple):
    text: str
    role: Role = "text"


Line = tuple[Span, ...]
EMPTY: Line = ()
SPACE = Span(" ")


def line(*parts: str | Span) -> Line:
    """A line from spans and plain strings; empty parts fall out."""
    spans = (part if isinstance(part, Span) else Span(part) for part in parts)
    return tuple(span for span in spans if span.text)


# Latin letters and the marks that the product itself draws with. The painter is imported for other
# text only: plain commands start without it. A test holds this against the painter's own table.
_ONE_CELL_EACH = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u23ce\u2500-\u25fc]*"
)


def cell_width(text: str) -> int:
    """How many terminal cells ``text`` takes."""
    if _ONE_CELL_EACH.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def clusters(text: str) -> list[tuple[str, int]]:
    """What takes cells together (a letter and its accents, an emoji of several parts), and how many."""
    if _ONE_CELL_EACH.fullmatch(text):
        return [(character, 1) for character in text]
    from rich.cells import split_graphemes

    return [(text[start:end], cells) for start, end, cells in split_graphemes(text)[0]]


def line_width(spans: Line) -> int:
    return sum(cell_width(span.text) for span in spans)


def plain_text(spans: Line) -> str:
    return "".join(span.text for span in spans)


def cut_text(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells; what was cut is marked with ``…``."""
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept: list[str] = []
    room = width - 1
    for cluster, cells in clusters(text):
        room -= cells
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept) + "…"


def fit_text(text: str, width: int, *, right: bool = False) -> str:
    """``text`` in exactly ``width`` cells, cut or padded; numbers stand to the ``right``."""
    shown = cut_text(text, width)
    padding = " " * (width - cell_width(shown))
    return padding + shown if right else shown + padding


def cut(spans: Line, width: int) -> Line:
    """The line in at most ``width`` cells; the span that crosses the edge is cut with ``…``."""
    if line_width(spans) <= width:
        return spans
    kept: list[Span] = []
    room = width
    for position, span in enumerate(spans):
        size = cell_width(span.text)
        rest = any(later.text.strip() for later in spans[position + 1 :])
        if size < room or (size == room and not rest):
            kept.append(span)
            room -= size
            continue
        # Something of this span or after it is lost, and the mark has to say so.
        shown = cut_text(span.text, room) if size > room else cut_text(span.text + " ", room)
        kept.append(Span(shown, span.role))
        break
    return tuple(span for span in kept if span.text)


def fit(spans: Line, width: int) -> Line:
    """The line in exactly ``width`` cells."""
    shown = cut(spans, width)
    padding = width - line_width(shown)
    return (*shown, Span(" " * padding)) if padding > 0 else shown


def spread(left: Line, right: Line, width: int, fill: Span = SPACE) -> Line:
    """``left`` and ``right`` at the two ends of ``width`` cells; ``left`` gives way.

    When both do not fit, ``right`` keeps its place and ``left`` is cut; a ``right`` that is
    wider than the whole line falls out.
    """
    right_size = line_width(right)
    if right_size + 1 > width:
        return fit(left, width)
    shown = cut(left, max(0, width - right_size - 1))
    gap = width - right_size - line_width(shown)
    return tuple(span for span in (*shown, Span(fill.text * gap, fill.role), *right) if span.text)


def join(lines: Iterable[Line], separator: Span) -> Line:
    """The lines that are not empty, one after the other with ``separator`` between them."""
    joined: list[Span] = []
    for spans in lines:
        if spans:
            if joined:
                joined.append(separator)
            joined.extend(spans)
    return tuple(joined)


_STAND_OUT = ("warn", "fail", "key", "border", "groove")


def dimmed(spans: Line) -> Line:
    """The line as something that is no longer believed: all but trouble steps back, green first of all."""
    return tuple(Span(span.text, span.role if span.role in _STAND_OUT else "dim") for span in spans)


def wrap_text(text: str, width: int) -> list[str]:
    """``text`` broken at spaces into lines of at most ``width`` cells; long words are cut apart."""
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        candidate = f"{current} {word}" if current else word
        if cell_width(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        while cell_width(word) > width > 0:
            head = _head(word, width)
            lines.append(head)
            word = word[len(head) :]
        current = word
    lines.append(current)
    return lines


def _head(word: str, width: int) -> str:
    """As much of the word as fits in ``width`` cells, at least one cluster."""
    end, room = 0, width
    for cluster, cells in clusters(word):
        room -= cells
        if room < 0 and end:
            break
        end += len(cluster)
    return word[:end]


def changed_columns(before: Sequence[str], after: Sequence[str]) -> tuple[int, int] | None:
    """The half-open range in which two lists of one-cell keys differ, None when they do not.

    Lists of different length differ from the first difference to the end of the longer one.
    """
    shared = min(len(before), len(after))
    start = next((i for i in range(shared) if before[i] != after[i]), shared)
    if start == len(before) == len(after):
        return None
    if len(before) != len(after):
        return start, max(len(before), len(after))
    end = shared
    while end > start and before[end - 1] == after[end - 1]:
        end -= 1
    return start, end


_TABLE = str.maketrans(ASCII_FOR)
_SPARK_TABLE = str.maketrans("▁▂▃▄▅▆▇█", "_.:-=+*#")
_CUT = re.compile(r"…  |[ -~]…(?!  )")


def ascii_text(text: str, *, spark: bool = False) -> str:
    """``text`` in ASCII and in the same number of cells.

    ``…`` becomes ``...`` where blanks follow, else ``..`` where it can; an arrow between two values stays
    one: ``2 > 3`` would be a claim. Heights of a ``spark`` line become marks that grow: digits would be read
    as numbers.
    """
    if text.isascii():
        return text
    if spark:
        text = text.translate(_SPARK_TABLE)
    text = (
        _CUT.sub(lambda cut: "." * len(cut[0]), text)
        .replace("…", ".")
        .replace(" → ", " ->")
        .translate(_TABLE)
    )
    if text.isascii():
        return text
    return "".join(cluster if cluster.isascii() else "?" * cells for cluster, cells in clusters(text))


def to_ascii(spans: Line) -> Line:
    return tuple(Span(ascii_text(span.text, spark=span.role == "spark"), span.role) for span in spans)
