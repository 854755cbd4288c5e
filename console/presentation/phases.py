"""The phase table: P0 to P9, each with its state, its age and how long it took."""

from __future__ import annotations

from dataclasses import replace

from console.presentation.counts import count, rate
from console.presentation.frame import PaneView
from console.presentation.lines import bar
from console.presentation.spans import EMPTY, Line, Role, Span, fit, fit_text, join, line
from console.presentation.states import PHASES
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import PhaseState, PhaseStatus, Progress
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, clock_time, took_in_words

_WIDE = 52
_RATE = 20
LIVE_LOOK_SECONDS = 10.0
# What a stage is called; the phase beside it says so already.
_STAGE_WORDS = frozenset(("materialize", "score", "export"))


def phases_pane(
    phases: tuple[PhaseStatus, ...], now: float, width: int, rows: int, *, was_read: bool = True
) -> PaneView:
    """``width`` and ``rows`` are the inside of the pane; details only come when rows are left.

    Before the workspace was read, "never" would be a claim: all is unknown.
    """
    if not was_read:
        phases = tuple(replace(phase, state=PhaseState.UNKNOWN) for phase in phases)
    wide = width >= _WIDE
    lines: list[Line] = [_header(width)] if wide and rows > len(phases) else []
    spare = rows - len(lines) - len(phases)
    for phase in phases:
        lines.append(_phase(phase, now, width, wide))
        detail = _detail(phase, width) if wide else EMPTY
        if detail and spare > 0:
            lines.append(detail)
            spare -= 1
    aside = EMPTY if wide else line(Span("age · took", "dim"))
    return PaneView(3, "PHASES", tuple(lines), aside)


def _header(width: int) -> Line:
    names = f"{'':4}{'phase':<12}   {'state':<7} {'last run':>9}  {'age':>7}  {'took':>7}"
    return line(Span(fit_text(names, width), "dim"))


def _phase(phase: PhaseStatus, now: float, width: int, wide: bool) -> Line:
    look = PHASES[phase.state]
    name_role: Role = "dim" if phase.state in (PhaseState.NEVER, PhaseState.NEXT) else "text"
    name = Span(f" {phase.id} {fit_text(visible(phase.name), 12 if wide else 10)}", name_role)
    state = Span(f" {look.mark} {fit_text(look.word, 7)}", look.role)
    if phase.state is PhaseState.RUN and phase.progress is not None:
        used = 1 + 3 + (12 if wide else 10) + 3 + 7
        return line(name, state, *_progress(phase.progress, width - used - 1))
    age = _age(phase, now)
    took = took_in_words(phase.elapsed_seconds)
    value: Role = "text" if phase.state in (PhaseState.OK, PhaseState.WARN, PhaseState.FAIL) else "dim"
    if wide:
        last = "" if age == "live" else clock_time(phase.origin.as_of)
        return line(name, state, Span(f" {last:>9}  {age:>7}  {took:>7}", value))
    # The last two columns share what is left; a long duration gives up its second unit.
    took = took if len(took) <= 5 else took.split(" ", 1)[0]
    room = width - 1 - 3 - 10 - 3 - 7
    return line(name, state, Span(fit_text(f"{age} {took:>5}", room, right=True), value))


def _age(phase: PhaseStatus, now: float) -> str:
    """A file that is looked at over and over has no age worth ticking."""
    age = age_of(phase.origin.as_of, now)
    if phase.origin.source == "live" and age is not None and 0 <= age <= LIVE_LOOK_SECONDS:
        return "live"
    return age_in_words(age)


def _progress(progress: Progress, width: int) -> Line:
    """A bar where the total is known, a count where it is not; never a spinner."""
    if progress.fraction is None:
        return fit(line(Span(plural(progress.rows_done, "row"), "accent")), width)
    percent = f"{int(progress.fraction * 100):>3}%"
    tail = rate(progress.rows_per_second) if width >= _RATE else ""
    size = max(4, width - len(percent) - 1 - (len(tail) + 1 if tail else 0))
    filled, left = bar(progress.fraction, 1.0, size)
    return line(Span(percent, "accent"), " ", filled, left, Span(f" {tail}" if tail else "", "dim"))


def _detail(phase: PhaseStatus, width: int) -> Line:
    """Why a phase is not plainly ok, or how far it is, under its line."""
    parts: list[Line] = []
    if phase.state is PhaseState.RUN and phase.progress is not None:
        done, total = phase.progress.rows_done, phase.progress.rows_total
        if done and phase.progress.fraction is not None:  # without a bar the line above counts them
            parts.append(
                line(plural(done, "row") if total is None else f"{count(done)} of {plural(total, 'row')}")
            )
        rest = phase.progress.seconds_left
        if rest is not None and rest >= 1:  # it is over before it is read
            parts.append(line(f"~{took_in_words(rest)} left"))
        if phase.progress.doing and phase.progress.doing not in _STAGE_WORDS:
            parts.append(line(visible(phase.progress.doing)))
    elif phase.state in (PhaseState.FAIL, PhaseState.WARN, PhaseState.STALE, PhaseState.UNKNOWN):
        parts.append(line(visible(phase.detail or phase.origin.why)))
        parts.append(line(visible(", ".join(phase.failed_checks))))
    text = join(parts, Span(" · ", "dim"))
    return (
        fit(line(Span("    ", "dim"), *(Span(span.text, "dim") for span in text)), width) if text else EMPTY
    )
