"""The drift table: each metric against its baseline, flagged ones first."""

from __future__ import annotations

from console.presentation.counts import count, sparkline
from console.presentation.durations import age_in_words, age_of
from console.presentation.frame import PaneView
from console.presentation.spans import EMPTY, Line, Span, fit_text, line, wrap_text
from console.presentation.states import DRIFT
from pipeline.contracts.status import DriftLine, DriftStatus, Freshness
from pipeline.contracts.untrusted import visible

_TREND = 52


def drift_pane(drift: DriftStatus, now: float, width: int, *, was_read: bool = True) -> PaneView:
    """Honest when there is nothing to show: no audit is not the same as no drift."""
    if not was_read:
        return PaneView(4, "DRIFT", (line(" ", Span("? unknown", "warn"), "  not read yet"),))
    if not drift.lines:
        return PaneView(4, "DRIFT", tuple(_nothing(drift, width)), line(Span("no audit", "warn")))
    name_width = width - 2 - 7 - 7 - 5 - 6 - (10 if width >= _TREND else 0)
    head = f" {fit_text('metric', name_width)}{'base':>7}{'now':>7}{'Δ%':>5}{'z':>6}"
    lines: list[Line] = [line(Span(head + ("  trend" if width >= _TREND else ""), "dim"))]
    for metric in drift.lines:
        lines.append(_metric(metric, name_width, width))
        lines += [line(Span(f"   why  {visible(cause)}", "dim")) for cause in metric.causes]
    return PaneView(4, "DRIFT", tuple(lines), _aside(drift, now))


def _nothing(drift: DriftStatus, width: int) -> list[Line]:
    note = drift.note or "no audit yet: nothing was compared, so nothing is called steady"
    first, *rest = wrap_text(visible(note), max(8, width - 11))
    return [
        line(" ", Span("? never", "warn"), f"  {first}"),
        *(line(f"{'':10}{part}") for part in rest),
    ]


def _aside(drift: DriftStatus, now: float) -> Line:
    words = f"audit {age_in_words(age_of(drift.origin.as_of, now))} ago"
    stale = drift.origin.freshness is Freshness.STALE
    return line(Span(f"~ stale, {words}" if stale else words, "warn" if stale else "dim"))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if not float(value).is_integer():
        return f"{value * 100:.0f}%" if abs(value) <= 1 else f"{value:,.1f}"
    return count(int(value))


def _metric(metric: DriftLine, name_width: int, width: int) -> Line:
    look = DRIFT.get(metric.status, DRIFT["missing"])
    delta = "-" if metric.delta_ratio is None else f"{metric.delta_ratio * 100:+.0f}"
    score = "-" if metric.z is None else f"{metric.z:.1f}"
    trend = Span(f"  {sparkline(metric.trend, 8)}", "spark") if width >= _TREND else EMPTY
    return line(
        Span(look.mark, look.role),
        Span(fit_text(visible(metric.metric), name_width), look.role),
        f"{_number(metric.baseline):>7}{_number(metric.current):>7}",
        Span(f"{delta:>5}", look.role),
        f"{score:>6}",
        *((trend,) if isinstance(trend, Span) else ()),
    )
