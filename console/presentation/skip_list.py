"""Skips as a histogram: reasons, the streams they came from, and examples under each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from console.presentation.counts import bar_cells, count, plural, share
from console.presentation.lines import heading
from console.presentation.spans import Line, Span, fit_text, line, spread
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.reading.skip_tally import SkipExample, SkipGroup

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
    of = f" of {count(lines_read)} source lines" if lines_read else ""
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
    place = visible(example.file) + (f":{count(example.line)}" if example.line is not None else "")
    left = line(" ", Span(f"   {place}", "dim"))
    detail = visible(example.detail, _DETAIL_CHARACTERS)
    return spread(line(*left, Span(f"  {detail}", "text")) if detail else left, (), width)
