"""Past runs as a list on the whole screen, newest first."""

from __future__ import annotations

from datetime import UTC, datetime

from console.presentation.counts import count
from console.presentation.lines import column_heads
from console.presentation.runs import run_look
from console.presentation.spans import Line, Span, fit_text, line, spread
from console.presentation.states import Look
from pipeline.contracts.status import RunRow
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, took_in_words

_ALL_COUNTS = 100


def run_head(width: int) -> Line:
    left = f"    {'started':<18}{'command':<11}"
    right = f"{'lines':>9}{'sft':>8}{'took':>8}{'age':>8}  {'run_hash':<9}"
    if width >= _ALL_COUNTS:
        right = f"{'evidence':>10}{'rag':>8}{'pairs':>8}{'chunks':>9}" + right
    return column_heads(left, right, width)


def run_line(run: RunRow, chosen: int | None, now: float, width: int) -> Line:
    """A run on one line; the first cell is left to the cursor. ``chosen`` is 1 or 2 for a comparison."""
    look = Look("»", "running", "accent") if run.note == "running" else run_look(run)
    left = line(
        " ",
        Span(str(chosen) if chosen else " ", "key"),
        Span(f"{look.mark} ", look.role),
        Span(f"{_moment(run.started):<18}"),
        Span(fit_text(visible(run.command or "?"), 11), look.role),
    )
    counts = f"{count(run.lines):>9}{count(run.sft):>8}"
    if width >= _ALL_COUNTS:
        chunks = "-" if run.chunks_total is None else f"{run.chunks_processed}/{run.chunks_total}"
        counts = f"{count(run.evidence):>10}{count(run.rag):>8}{count(run.preference):>8}{chunks:>9}" + counts
    age = age_in_words(age_of(run.started, now))
    right = line(
        Span(counts),
        Span(f"{took_in_words(run.elapsed_seconds):>8}{age:>8}  ", "dim"),
        Span(fit_text(visible(look.word), 9), look.role),
    )
    return spread(left, right, width)


def _moment(seconds: float | None) -> str:
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}"
