"""Past runs, newest first: the pane of the dashboard, with a sparkline, and the list on the whole screen."""

from __future__ import annotations

from datetime import UTC, datetime

from console.presentation.counts import count, plural, sparkline
from console.presentation.frame import PaneView
from console.presentation.lines import column_heads
from console.presentation.spans import EMPTY, Line, Span, fit_text, line, spread
from console.presentation.states import Look
from pipeline.contracts.status import RunRow
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, day_or_time, took_in_words

_SPARK_RUNS = 24
_ALL_COUNTS = 100


def runs_pane(runs: tuple[RunRow, ...], now: float, width: int, height: int) -> PaneView:
    if not runs:
        nothing = (line(" ", Span("? never", "warn"), "  no run has left a report here"),)
        return PaneView(5, "RUNS", nothing)
    trend = _trend(runs)
    room = height - 1 - (2 if trend else 0)
    lines: list[Line] = [
        line(Span(_columns("", "when", "command", "lines", "sft", "took", "run_hash", width), "dim"))
    ]
    lines += [_run(run, now, width) for run in runs[: max(1, room)]]
    hidden = len(runs) - max(1, room)
    if trend:
        gap = room - len(runs)
        lines += [EMPTY] * (max(0, gap) + 1) + [trend]
    aside = line(Span(plural(len(runs), "run") if hidden <= 0 else f"newest of {count(len(runs))}", "dim"))
    return PaneView(5, "RUNS", tuple(lines), aside)


def run_look(run: RunRow) -> Look:
    """How a run ended; the first digits of its hash where it ended well."""
    if not run.finished:
        return Look("?", "no end", "warn")
    return (
        Look(" ", (run.run_hash or "-")[:8], "text") if run.ok else Look("X", f"exit {run.exit_code}", "fail")
    )


def _columns(
    mark: str, when: str, command: str, lines: str, sft: str, took: str, run_hash: str, width: int
) -> str:
    name_width = max(8, min(16, width - 3 - 7 - 9 - 8 - 8 - 10))
    return f"{mark:<3}{when:<7}{fit_text(command, name_width)}{lines:>9}{sft:>8}{took:>8}  {run_hash:<8}"


def _run(run: RunRow, now: float, width: int) -> Line:
    look = run_look(run)
    text = _columns(
        f" {look.mark}",
        day_or_time(run.started, now),
        visible(run.command),
        count(run.lines),
        count(run.sft),
        took_in_words(run.elapsed_seconds),
        visible(look.word),
        width,
    )
    return line(Span(text, look.role))


def _trend(runs: tuple[RunRow, ...]) -> Line:
    """Oldest to newest; only runs that finished well count, and it takes two to show a trend."""
    values = [float(run.sft) for run in reversed(runs) if run.ok and run.sft is not None][-_SPARK_RUNS:]
    if len(values) < 2:
        return EMPTY
    ends = f"  {count(int(values[0]))} → {count(int(values[-1]))}"
    return line(
        Span(f" sft rows, {len(values)} runs  ", "dim"), Span(sparkline(values, _SPARK_RUNS), "spark"), ends
    )


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
