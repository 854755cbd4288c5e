"""Live row counts: sources, evidence by category, exports and quarantine, and whether they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from console.presentation.counts import bar_cells, count, share
from console.presentation.frame import PaneView
from console.presentation.lines import wrapped
from console.presentation.spans import (
    EMPTY,
    Line,
    Role,
    Span,
    cell_width,
    cut,
    dimmed,
    fit_text,
    line,
    line_width,
    spread,
    wrap_text,
)
from console.presentation.states import CATEGORIES, SHORT_CATEGORIES
from pipeline.contracts.plurals import plural
from pipeline.contracts.row_counts import Balance, ExportCounts, StreamCounts
from pipeline.contracts.status import Freshness, RowCounts
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of

_STREAM_TABLE = 56
_MIX = 74
# By shape as well as by colour; densest is what feeds the exports, and in ASCII each is another mark too.
MIX_MARKS = dict(zip(CATEGORIES, "▇▓▒╳", strict=True))  # noqa: RUF001 (a mark)


def rows_pane(rows: RowCounts, now: float, width: int, height: int, *, was_read: bool = True) -> PaneView:
    """``width`` and ``height`` are the inside of the pane; a wide one lists the streams."""
    if not was_read:
        unknown = line(" ", Span("? unknown", "warn"), "  ")
        return PaneView(2, "ROWS", tuple(wrapped(unknown, rows.origin.why or "not read yet", width)))
    view = _counted(rows, now, width, height)
    if not _was_counted(rows) or rows.origin.freshness in (Freshness.FRESH, Freshness.AGEING):
        return view
    return replace(view, lines=tuple(dimmed(spans) for spans in view.lines))


def _was_counted(rows: RowCounts) -> bool:
    return rows.total.evidence is not None or rows.total.lines is not None


def _counted(rows: RowCounts, now: float, width: int, height: int) -> PaneView:
    if not _was_counted(rows):
        return PaneView(2, "ROWS", _nothing(rows, width), _aside(rows, now))
    if width < _STREAM_TABLE or not rows.streams:
        return PaneView(2, "ROWS", tuple(_totals(rows, width)), _aside(rows, now))
    top = [*_category_bars(rows.total, width)]
    table = _stream_table(rows, width)
    exports = _exports(rows.exports, width)
    unread = _unread(rows.unread_logs, width)
    exports = [*exports, *unread]
    laws = [*exports, *_laws(rows.balances, width, height - len(top) - len(exports) - len(table))]
    spare = height - len(top) - len(laws) - len(table)
    # The streams come last, so that a long list of them is what scrolls.
    gaps = [EMPTY] if spare >= 2 else []
    lines = (*top, *gaps, *laws, *gaps, *table)
    return PaneView(2, "ROWS BY STREAM", lines, _aside(rows, now), whole=len(lines) - 2 * len(gaps))


def _nothing(rows: RowCounts, width: int) -> tuple[Line, ...]:
    why = rows.origin.why or "no run has finished here"
    explained = wrap_text("Rows were not counted: this is not zero.", width - 2)
    return (
        line(" ", Span("? unknown", "warn"), f"  {visible(why)}"),
        *(line(Span(f" {part}", "dim")) for part in explained),
        line(
            " ",
            Span("s", "key"),
            Span(" starts run-all, once ", "dim"),
            Span("a", "key"),
            Span(" has armed", "dim"),
        ),
    )


def _aside(rows: RowCounts, now: float) -> Line:
    if rows.live:
        return line(Span("» counting", "accent"))
    if rows.origin.as_of is None:
        return line(Span("never", "warn"))
    words = f"run {age_in_words(age_of(rows.origin.as_of, now))} ago"
    if rows.origin.freshness is Freshness.STALE:
        return line(Span(f"~ stale, {words}", "warn"))
    if rows.origin.freshness in (Freshness.UNKNOWN, Freshness.CLOCK):
        return line(Span(f"? unknown, {words}", "warn"))
    return line(Span(words, "dim"))


def _category(counts: StreamCounts, field: str) -> int | None:
    value: int | None = getattr(counts, field)
    return value


def _totals(rows: RowCounts, width: int) -> list[Line]:
    total = rows.total
    skipped = line(f"{count(total.skipped)} skipped ") if total.skipped is not None else EMPTY
    lines = [
        spread(
            line(f" sources  {count(total.lines):>7} {'line' if total.lines == 1 else 'lines'}"),
            skipped,
            width,
        ),
        line(f" evidence {count(total.evidence):>7} {'row' if total.evidence == 1 else 'rows'}"),
        *_category_bars(total, width),
    ]
    return [
        *lines,
        *_exports(rows.exports, width),
        *(_law(law, width) for law in rows.balances if not law.holds),
        *_unread(rows.unread_logs, width),
    ]


def _unread(logs: Sequence[str], width: int) -> list[Line]:
    """Logs that no stream reads: how many, and the first; without its folders where there is no room."""
    if not logs:
        return []
    told = f"{plural(len(logs), 'log')} no stream reads: "
    shown = " ! " + told
    room = width - cell_width(shown)
    name = visible(logs[0])
    name = name if cell_width(name) <= room else visible(PurePosixPath(logs[0]).name)
    return [line(Span(" ! ", "warn"), told, Span(fit_text(name, max(0, room)).rstrip(), "text"))]


def _category_bars(total: StreamCounts, width: int) -> list[Line]:
    known = {field: _category(total, field) or 0 for field in CATEGORIES}
    whole = sum(known.values())
    size = max(4, width - 2 - 9 - 8 - 1 - 6)
    lines = []
    for field, role in CATEGORIES.items():
        value = _category(total, field)
        filled = bar_cells(value or 0, max(known.values(), default=0), size)
        bar = Span("▇" * filled, role)
        percent = share(value, whole) if value is not None else "-"
        lines.append(
            spread(
                line(f"  {fit_text(SHORT_CATEGORIES.get(field, field), 9)}{count(value):>7} ", bar),
                line(Span(f"{percent} ", "dim")),
                width,
            )
        )
    return lines


def _exports(exports: tuple[ExportCounts, ...], width: int) -> list[Line]:
    """``sft 2,761 + 9,942 quarantined``, as many on a line as fit."""
    lines: list[Line] = []
    for export in exports:
        refused = "" if export.refused is None else f" + {count(export.refused)} quarantined"
        name = {"preference": "pairs"}.get(export.name, visible(export.name))
        part = line(Span(f"{name} ", "dim"), count(export.rows), Span(refused, "dim"))
        if lines and line_width(lines[-1]) + 3 + line_width(part) <= width:
            lines[-1] = (*lines[-1], Span("   "), *part)
        else:
            lines.append(line(" ", *part))
    return lines


def _laws(balances: tuple[Balance, ...], width: int, room: int) -> list[Line]:
    """Laws of conservation: broken ones always, those that hold where there is room for all."""
    broken = [_law(balance, width) for balance in balances if not balance.holds]
    if broken or not balances:
        return broken
    if room >= len(balances):
        return [_law(balance, width) for balance in balances]
    all_hold = line(Span(" ok ", "ok"), f"counts balance, all {len(balances)} sums: z")
    return [_law(balances[0], width), *([all_hold] if room > 1 else [])]


def _law(balance: Balance, width: int) -> Line:
    """One of them as arithmetic; the verdict stands first, so that a narrow pane keeps it."""
    sums = " + ".join(f"{count(value)} {_short(name)}" for name, value in balance.right)
    verdict = Span(" ok ", "ok") if balance.holds else Span(" X does not add up: ", "fail")
    return cut(line(verdict, f"{count(balance.left)} {_short(balance.name)} = {sums}"), width)


def _short(name: str) -> str:
    """A counter's name as people say it."""
    name = SHORT_CATEGORIES.get(name, name)
    if name.startswith("quarantined"):
        return "quarantined"
    return "joined" if name in ("looked_up", "looked up") else visible(name.replace("_", " "))


def _stream_table(rows: RowCounts, width: int) -> list[Line]:
    longest = max(cell_width(visible(stream.stream)) for stream in rows.streams)
    name_width = max(12, min(24, longest, width - 4 * 8 - 8 - 2))
    mix = max(0, min(40, width - name_width - 2 - 5 * 8 - 3)) if width >= _MIX else 0
    heads = ("evid.", "accept", "partial", "review", "reject")
    head = f" {fit_text('stream', name_width)}" + "".join(f"{name:>8}" for name in heads)
    lines = [line(Span(head + ("   mix" if mix else ""), "dim"))]
    lines.append(_stream_row(rows.total, "total", name_width, mix, "strong"))
    for stream in _largest_first(rows):
        lines.append(_stream_row(stream, visible(stream.stream), name_width, mix, "text"))
    return lines


def _largest_first(rows: RowCounts) -> tuple[StreamCounts, ...]:
    """What is looked up yields no row and stands last; while rows are counted no line changes places."""
    if rows.live:
        return rows.streams
    return tuple(sorted(rows.streams, key=lambda stream: (-(stream.evidence or 0), -(stream.lines or 0))))


def _stream_row(counts: StreamCounts, name: str, name_width: int, mix: int, role: Role) -> Line:
    if counts.looked_up and not counts.evidence:
        return line(
            Span(f" {fit_text(name, name_width)}   joined, {plural(counts.lines or 0, 'line')}", "dim")
        )
    values = [counts.evidence, *(_category(counts, field) for field in CATEGORIES)]
    numbers = [Span(f"{count(value):>8}", "dim" if value == 0 else role) for value in values]
    # Work that a person has to do, skipped lines, is told at the name.
    mark = "!" if counts.skipped else " "
    return line(Span(mark, "warn"), Span(fit_text(name, name_width), role), *numbers, *_mix(counts, mix))


def _mix(counts: StreamCounts, width: int) -> Line:
    """One bar of four parts, each with its mark, in the order of the columns; the numbers say the same."""
    whole = counts.evidence or 0
    if not width or not whole:
        return EMPTY
    spans: list[Span] = [Span("   ")]
    done = seen = 0
    for field, role in CATEGORIES.items():
        seen += _category(counts, field) or 0
        upto = round(width * min(seen, whole) / whole)
        spans.append(Span(MIX_MARKS[field] * (upto - done), role))
        done = upto
    spans.append(Span("░" * (width - done), "groove"))
    return line(*spans)
