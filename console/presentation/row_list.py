"""Rows and files of rows as lines of a list; and what was skipped, as a histogram.

A row shows the members that tell it from the next, by the kind of its file. Skips are told by reason, below
it the streams they came from, and examples under each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from console.presentation.counts import bar_cells, count, share
from console.presentation.lines import column_heads, heading
from console.presentation.spans import EMPTY, Line, Role, Span, fit, fit_text, line, spread
from console.presentation.states import CATEGORIES, SHORT_CATEGORIES
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.reading.row_file import RawRow
    from console.reading.row_files import FoundFile, Kind
    from console.reading.skip_tally import SkipExample, SkipGroup


_LONG_NUMBER, _SHORT_NUMBER = 11, 5
_SMALL_FILE = 1 << 20
_TEXT_CHARACTERS = 400


class Column(NamedTuple):
    """``width`` 0 takes what is left. ``names`` are members, the first that is there counts."""

    title: str
    width: int
    names: tuple[str, ...]


_CATEGORY = Column("category", 10, ("category", "quality_score", "source_category"))
_RUN = Column("run", 34, ("source_run_id", "run_id"))
_TEXT = Column("text", 0, ("instruction", "goal", "messages", "response", "text", "title", "content"))
COLUMNS: dict[Kind, tuple[Column, ...]] = {
    "evidence": (_RUN, Column("model", 16, ("model_name",)), _TEXT),
    "scored": (_CATEGORY, Column("score", 6, ("score",)), _RUN, Column("reasons", 0, ("reasons",))),
    "export": (_CATEGORY, _RUN, _TEXT),
    "pairs": (
        Column("chosen", 30, ("chosen_run_id",)),
        Column("rejected", 30, ("rejected_run_id",)),
        Column("text", 0, ("prompt", "instruction", "chosen")),
    ),
    "quarantine": (Column("reason", 22, ("reason",)), _CATEGORY, Column("run", 0, ("run_id",))),
    "skips": (
        Column("reason", 20, ("reason",)),
        Column("source line", 36, ("file",)),
        Column("detail", 0, ("detail",)),
    ),
    "journal": (Column("time", 25, ("recorded_at", "at")), Column("row", 0, ())),
    "other": (Column("row", 0, ()),),
}


def number_cells(lines: int | None, size: int) -> int:
    """How wide line numbers are: as they must be, or as they may be while lines are still counted.

    They are references, which are copied: no separators.
    """
    if lines is None:
        return _SHORT_NUMBER if size <= _SMALL_FILE else _LONG_NUMBER
    return max(_SHORT_NUMBER, len(str(lines)))


def head_line(kind: Kind, wanted: str, width: int, cells: int = _LONG_NUMBER) -> Line:
    """The heads of the columns, and the text that was looked for."""
    titles = "".join(fit_text(column.title, column.width or 20) for column in _fitting(kind, width))
    left = line(Span(f"{'line':>{cells + 1}}  {titles.rstrip()}", "dim"))
    return spread(left, line(Span(f"/{visible(wanted, 30)} ", "accent")) if wanted else EMPTY, width)


def row_line(raw: RawRow, number: int | None, kind: Kind, width: int, cells: int = _LONG_NUMBER) -> Line:
    """One row; the first cell is left to the cursor. ``number`` None is not counted yet."""
    left = line(" ", Span(f"{'·' if number is None else number:>{cells}}  ", "dim"))
    row = parsed(raw)
    if row is None:
        return fit(line(*left, Span(f"{why_not(raw)}  ", "warn"), Span(_start_of(raw), "dim")), width)
    spans: list[Span] = []
    for column in _fitting(kind, width):
        text = _text_of(row, column, raw)
        role: Role = "text"
        if column is _CATEGORY:
            role = CATEGORIES.get(text, "text")
            text = SHORT_CATEGORIES.get(text, text)
        elif not column.width:
            role = "dim"
        shown = visible(text, _TEXT_CHARACTERS)
        spans.append(Span(fit_text(shown, column.width - 1) + " " if column.width else shown, role))
    return fit(line(*left, *spans), width)


def _fitting(kind: Kind, width: int) -> tuple[Column, ...]:
    """Wide columns shrink on small screens, so that something of the last one is always seen."""
    columns = COLUMNS[kind]
    if width >= 100:
        return columns
    return tuple(
        column._replace(width=min(column.width, 25)) if column is not _CATEGORY else column
        for column in columns
    )


def parsed(raw: RawRow) -> Mapping[str, Any] | None:
    """The row as an object; None for what is none, or is too long to parse for a list."""
    if not raw.is_whole:
        return None
    import orjson  # rows alone need it; a status does not

    try:
        row = orjson.loads(raw.head)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def why_not(raw: RawRow) -> str:
    """Why a row is shown as bytes."""
    if not raw.is_whole:
        return f"{raw.length / 1024:,.0f} KiB"
    return "? torn" if raw.torn else "? no row"


def _start_of(raw: RawRow) -> str:
    return visible(raw.head[:_TEXT_CHARACTERS].decode("utf-8", "backslashreplace"))


def _text_of(row: Mapping[str, Any], column: Column, raw: RawRow) -> str:
    if not column.names:
        return _start_of(raw)
    # What a row of the exports does not have is an empty text.
    value = next((row[name] for name in column.names if row.get(name) not in (None, "")), None)
    if column.names == ("file",):
        return f"{value}:{row.get('line')}"
    return _as_text(value)


def _as_text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and isinstance(value[-1], dict):
            said = [part for part in value if part.get("role") == "user"] or value
            return str(said[0].get("content", "") if isinstance(said[0], dict) else said[0])
        return ", ".join(str(part) for part in value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def file_line(file: FoundFile, rows: int | None, age: str, width: int) -> Line:
    left = line(" ", Span(fit_text(file.kind, 11), "dim"), Span(visible(file.relative)))
    right = line(
        Span(f"{count(rows):>9}"),
        Span(f"{bytes_in_words(file.file_bytes):>8}", "dim"),
        Span(f"{age:>7} ", "dim"),
    )
    return spread(left, right, width)


def file_head(width: int) -> Line:
    left, right = f" {'kind':<11}file", f"{'rows':>9}{'size':>8}{'age':>7} "
    return column_heads(left, right, width)


def bytes_in_words(size: int) -> str:
    """``812 B``, ``4.5 MB``, ``12 GB``; powers of a thousand."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
    return f"{size} B"


_STREAM = 24
_BAR = 48
_DETAIL_CHARACTERS = 200


def by_reason(groups: Iterable[SkipGroup]) -> list[tuple[str, list[SkipGroup]]]:
    """Reasons with their streams, those with the most rows first; names decide between equals."""
    reasons: dict[str, list[SkipGroup]] = {}
    for group in groups:
        reasons.setdefault(group.reason, []).append(group)
    ordered = sorted(reasons.items(), key=lambda item: (-sum(group.rows for group in item[1]), item[0]))
    return [
        (reason, sorted(found, key=lambda group: (-group.rows, group.stream))) for reason, found in ordered
    ]


def total_line(rows: int, garbage: int, counted: float, lines_read: int | None, width: int) -> Line:
    """All skips, of how many lines, and how far the count is."""
    of = f" of {plural(lines_read, 'source line')}" if lines_read else ""
    left = line(" ", Span(plural(rows, "skip"), "strong"), of)
    if garbage:
        left = line(*left, Span(f"  ? {plural(garbage, 'row')} unreadable", "warn"))
    right = line(Span(f"counting, {counted:.0%} ", "accent")) if counted < 1 else ()
    return spread(left, right, width)


def reason_line(reason: str, groups: Sequence[SkipGroup], total: int, width: int) -> Line:
    rows = sum(group.rows for group in groups)
    right = line(Span(f" {count(rows)} ", "strong"), Span(f"{share(rows, total):>4} ", "dim"))
    return heading(visible(reason, 60), width, right=right)


def stream_line(group: SkipGroup, most: int, width: int) -> Line:
    """One stream's part of a reason; the first cell is left to the cursor."""
    left = line(" ", Span(f" {fit_text(visible(group.stream), _STREAM)}"), Span(f"{count(group.rows):>10} "))
    room = max(0, min(_BAR, width - 3 - _STREAM - 11 - 1))
    return line(*left, Span("▇" * bar_cells(group.rows, most, room), "accent"))


def example_line(example: SkipExample, width: int) -> Line:
    place = visible(example.file) + (f":{example.line}" if example.line is not None else "")
    left = line(" ", Span(f"   {place}", "dim"))
    detail = visible(example.detail, _DETAIL_CHARACTERS)
    return spread(line(*left, Span(f"  {detail}", "text")) if detail else left, (), width)
