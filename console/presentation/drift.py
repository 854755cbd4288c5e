"""The drift table: each metric against its baseline, flagged ones first.

The width decides how much of a row is told. A pane of the dashboard has the change and how
surprising it is; the whole screen has every column of the audit's table, and whole names.
"""

from __future__ import annotations

from collections.abc import Iterable

from console.presentation.counts import count, sparkline
from console.presentation.frame import PaneView
from console.presentation.lines import wrapped
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, join, line
from console.presentation.states import DRIFT
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import DriftLine, DriftStatus, Freshness
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, short_age

_TREND = 52
_ALL_COLUMNS = 76
_DELTA = 100
_FLAGGED = ("warn", "missing")
_SHORT_NAMES = {
    "acceptance_rate": "accept rate",
    "response_length_median": "length p50",
    "category.accepted": "accepted",
    "category.partially_accepted": "partial",
    "category.needs_human_review": "review",
    "category.rejected": "rejected",
    "quarantined_rag": "quar. rag",
    "quarantined_sft": "quar. sft",
    "quarantined_preference": "quar. pref",
    "evidence_rows": "evidence",
    "preference_rows": "pairs",
    "sft_rows": "sft",
    "rag_rows": "rag",
}


def drift_pane(drift: DriftStatus, now: float, width: int, height: int, *, was_read: bool = True) -> PaneView:
    """Honest when there is nothing to show: no audit is not the same as no drift."""
    if not was_read:
        return PaneView(4, "DRIFT", tuple(_nothing(drift, width, "unknown")))
    if not drift.lines and drift.origin.why:
        return PaneView(4, "DRIFT", tuple(_nothing(drift, width, "unknown")))
    if not drift.lines:
        return PaneView(4, "DRIFT", tuple(_nothing(drift, width, "never")), line(Span("no audit", "warn")))
    flagged = [metric for metric in drift.lines if metric.status in _FLAGGED]
    tell_causes = width >= _ALL_COLUMNS or height > 1 + sum(1 + bool(metric.causes) for metric in flagged)
    lines: list[Line] = [_head(width)]
    whole = width >= _ALL_COLUMNS and all(len(each.metric) < _name_width(width) for each in drift.lines)
    for metric in drift.lines:
        name = visible(metric.metric) if whole else short_name(metric.metric)
        lines.append(_metric(metric, name, width))
        if tell_causes:
            lines += _explained(metric, now, width)
    lines += [EMPTY, _summary(drift.lines)]
    return PaneView(4, "DRIFT", tuple(lines), _aside(drift, len(flagged), now, width))


def _nothing(drift: DriftStatus, width: int, word: str) -> list[Line]:
    note = drift.note or "no audit yet: nothing was compared"
    return wrapped(line(" ", Span(f"? {word}", "warn"), "  "), note, width)


def _aside(drift: DriftStatus, flagged: int, now: float, width: int) -> Line:
    age = age_of(drift.origin.as_of, now)
    words = f"audit {age_in_words(age) if width >= _TREND else short_age(age)} ago"
    stale = drift.origin.is_old
    if stale:
        mark, word = ("~", "stale") if drift.origin.freshness is Freshness.STALE else ("?", "unknown")
        words = f"{mark} {word}, {words}" if width >= _TREND else f"{mark} {words}"
    if width >= _TREND and drift.baseline_as_of is not None:
        words += f" · base {age_in_words(age_of(drift.baseline_as_of, now))} old"
    warned = line(Span(f"{flagged} warn", "warn")) if flagged else EMPTY
    told = line(Span(words, "warn" if stale else "dim"))
    return join((warned, told), Span(" · ", "border"))


def _name_width(width: int) -> int:
    taken = 2 + 7 + 7 + 5 + 6
    if width >= _ALL_COLUMNS:
        taken = 2 + 8 + 8 + 6 + 6 + 8 + 6 + 10 + (8 if width >= _DELTA else 0)
    elif width >= _TREND:
        taken += 10
    return max(4, width - taken)


def _head(width: int) -> Line:
    name = f"  {fit_text('metric', _name_width(width))}"
    if width < _ALL_COLUMNS:
        words = f"{name[1:]}{'base':>7}{'now':>7}{'Δ%':>5}{'z':>6}"
        return line(Span(words + ("  trend" if width >= _TREND else ""), "dim"))
    delta = f"{'Δ':>8}" if width >= _DELTA else ""
    return line(
        Span(f"{name}{'base':>8}{'now':>8}{delta}{'Δ%':>6}{'z':>6}{'anchor':>8}{'Δ%':>6}  trend", "dim")
    )


def _metric(metric: DriftLine, name: str, width: int) -> Line:
    look = DRIFT.get(metric.status, DRIFT["missing"])
    quiet: Role = "dim" if metric.status == "noisy" else "text"
    whole = width >= _ALL_COLUMNS
    size = 8 if whole else 7
    spans = [
        Span(f"{look.mark} " if whole else look.mark, look.role),
        Span(fit_text(name, _name_width(width)), look.role),
        Span(f"{number(metric.baseline, metric.kind):>{size}}{number(metric.current, metric.kind):>{size}}"),
    ]
    if width >= _DELTA:
        spans.append(Span(f"{_delta(metric):>8}", quiet))
    spans += [
        Span(f"{_percent(metric.delta_ratio):>{6 if whole else 5}}", look.role),
        Span(f"{'-' if metric.z is None else f'{metric.z:.1f}':>6}", quiet),
    ]
    if whole:
        anchor = f"{number(metric.anchor, metric.kind):>8}{_percent(metric.anchor_delta_ratio):>6}"
        spans.append(Span(anchor, "dim"))
    if width >= _TREND:
        spans.append(Span(f"  {sparkline(metric.trend, 8)}", "spark"))
    return line(*spans)


def short_name(metric: str) -> str:
    """A metric's name for a narrow column: ``rows mint_runs``, ``accept rate``."""
    if metric.startswith("stream."):
        stream, _, what = metric.removeprefix("stream.").rpartition(".")
        return visible(f"{'rate' if what == 'acceptance_rate' else what} {stream}")
    return visible(_SHORT_NAMES.get(metric, metric))


def number(value: float | None, kind: str) -> str:
    """Rates as percentages with one decimal, the rest as counts; ``-`` when there is none."""
    if value is None:
        return "-"
    if kind == "rate" or (not kind and abs(value) < 1 and not float(value).is_integer()):
        return f"{value * 100:.1f}%"
    return count(int(value)) if float(value).is_integer() else f"{value:,.1f}"


def _delta(metric: DriftLine) -> str:
    if metric.baseline is None or metric.current is None:
        return "-"
    change = metric.current - metric.baseline
    if metric.kind == "rate":
        return f"{change * 100:+.1f}"
    return f"{int(change):+,}" if float(change).is_integer() else f"{change:+,.1f}"


def _percent(ratio: float | None) -> str:
    """A signed percentage; past four digits only that it is beyond them."""
    if ratio is None:
        return "-"
    percent = ratio * 100
    return f"{percent:+.0f}" if abs(percent) < 999.5 else (">999" if percent > 0 else "<-999")


def _explained(metric: DriftLine, now: float, width: int) -> list[Line]:
    """What moved a flagged metric and what somebody said of it; whole on the whole screen."""
    whole, flagged = width >= _ALL_COLUMNS, metric.status in _FLAGGED
    causes = metric.causes if whole and flagged else metric.causes[:1]
    if metric.status == "same" or (metric.status == "new" and not whole):
        causes = ()
    lines = [
        line(Span(f"   {'why' if at == 0 else '   '}  {visible(cause)}", "dim"))
        for at, cause in enumerate(causes)
    ]
    if metric.dismissed is not None:
        lines.append(line(Span(f"   dismissed once: {visible(metric.dismissed)}", "dim")))
    if whole and flagged:
        since = age_of(epoch_seconds(metric.since), now)
        what = f"{visible(metric.metric)}, {visible(metric.phase)}"
        ago = f", warns since {age_in_words(since)} ago" if since is not None else ""
        lines.append(line(Span(f"   {what}{ago}", "dim")))
    return lines


def _summary(metrics: Iterable[DriftLine]) -> Line:
    """How many rows of each status there are: nothing is hidden."""
    statuses = [metric.status for metric in metrics]
    parts = [
        line(Span(f"{look.mark} {look.word} {statuses.count(status)}".strip(), look.role))
        for status, look in DRIFT.items()
        if status in statuses
    ]
    return line(" ", *join(parts, Span("   ")))
