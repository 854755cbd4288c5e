"""Past runs, newest first, with a sparkline of how many SFT rows each produced."""

from __future__ import annotations

from console.presentation.counts import count, plural, sparkline
from console.presentation.frame import PaneView
from console.presentation.spans import EMPTY, Line, Span, fit_text, line
from console.presentation.states import Look
from pipeline.contracts.status import RunRow
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import day_or_time, took_in_words

_SPARK_RUNS = 24


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
