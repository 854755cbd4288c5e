"""What was seen and why: evidence for and against, with its source and its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.presentation.difference import difference_lines, is_difference
from console.presentation.spans import (
    EMPTY,
    Line,
    Role,
    Span,
    cut,
    fit_text,
    line,
    line_width,
    spread,
    wrap_text,
)
from pipeline.contracts.status import Verdict
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of
from runbook.probes.evidence import Confidence, Stance

if TYPE_CHECKING:
    from runbook.probes.evidence import Cause, Detection, Diagnosis, Evidence

SEEN_SHORT = 3
_QUOTED = 12
_LABEL = 10
_STANCES: Mapping[Stance, tuple[str, Role]] = {
    Stance.FOR: ("for", "text"),
    Stance.AGAINST: ("against", "warn"),
    Stance.UNKNOWN: ("unknown", "dim"),
}
_VERDICTS: Mapping[Verdict, tuple[str, Role]] = {
    Verdict.DETECTED: ("X", "fail"),
    Verdict.CLEAR: ("ok", "ok"),
    Verdict.UNKNOWN: ("?", "warn"),
}
_CONFIDENCE: Mapping[Confidence, Role] = {
    Confidence.CERTAIN: "strong",
    Confidence.LIKELY: "strong",
    Confidence.POSSIBLE: "warn",
    Confidence.UNKNOWN: "warn",
}


def rule(title: str, aside: str, width: int, role: Role = "title") -> Line:
    """The line above a section: its name, and what there is to know of it at the right."""
    left = line(Span("── ", "border"), Span(title, role), Span(" ", "border"))
    end = line(Span(f" {aside} ", "dim"), Span("─", "border")) if aside else line(Span("─", "border"))
    if line_width(left) + line_width(end) + 2 > width:
        end = line(Span("─", "border"))
    return spread(left, end, width, Span("─", "border"))


def seen_lines(detection: Detection, width: int, *, now: float, unfolded: bool, title: str) -> list[Line]:
    """What the detector said, how old that is, and its first findings."""
    mark, role = _VERDICTS[detection.verdict]
    lines = [rule(title, _read(detection, now), width)]
    lines += _wrapped(line(" ", Span(mark, role), " "), detection.observed, width)
    shown = detection.evidence if unfolded else detection.evidence[:SEEN_SHORT]
    for each in shown:
        lines += _finding(each, detection.observed, width)
    hidden = len(detection.evidence) - len(shown)
    if hidden:
        lines.append(line(Span(f"   +{hidden} more: + unfolds", "dim")))
    return lines


def _read(detection: Detection, now: float) -> str:
    age = age_in_words(age_of(detection.as_of, now))
    return f"read {age} ago" if detection.source == "live" else f"{visible(detection.source, 40)}, {age} old"


def _finding(each: Evidence, observed: str, width: int) -> list[Line]:
    """On one line where it fits: what a wall says, and the row that it says it of."""
    file, _, row = each.source.rpartition(":")
    named = bool(file) and row.isdecimal() and file in observed
    place = f"line {row}" if named else each.source
    source = line(Span(f"{visible(place)} ", "dim"))
    left = line("   ", visible(each.says))
    if line_width(left) + line_width(source) + 1 <= width:
        return [spread(left, source, width)]
    return [*_wrapped(line("   "), each.says, width), line("     ", Span(visible(place), "dim"))]


def why_lines(diagnosis: Diagnosis, now: float, width: int, *, recorded: bool) -> list[Line]:
    """The cause with its evidence, then what was looked at and set aside."""
    aside = tally(diagnosis.cause) + ("" if recorded else ", not recorded")
    lines = [rule("WHY", aside, width), *cause_lines(diagnosis.cause, now, width)]
    for cause in diagnosis.considered:
        lines += [EMPTY, *_wrapped(_label("set aside", "dim"), cause.sentence, width)]
        lines += evidence_lines(cause.evidence, now, width)
    return lines


def tally(cause: Cause) -> str:
    """``2 for, 0 against, 1 unknown``: that nothing speaks against it is said, not left out."""
    stances = [each.stance for each in cause.evidence]
    unknown = stances.count(Stance.UNKNOWN)
    words = f"{stances.count(Stance.FOR)} for, {stances.count(Stance.AGAINST)} against"
    return words + (f", {unknown} unknown" if unknown else "")


def cause_lines(cause: Cause, now: float, width: int) -> list[Line]:
    lead = _label(str(cause.confidence), _CONFIDENCE[cause.confidence])
    lines = _wrapped(lead, cause.sentence, width, "strong")
    for number, place in enumerate(cause.places[:6]):
        lines += _wrapped(_label("" if number else "where", "dim"), place, width)
    if len(cause.places) > 6:
        lines.append(line(*_label("", "dim"), Span(f"+{len(cause.places) - 6} more", "dim")))
    return [*lines, *evidence_lines(cause.evidence, now, width)]


def evidence_lines(evidence: Sequence[Evidence], now: float, width: int) -> list[Line]:
    lines: list[Line] = []
    for each in evidence:
        word, role = _STANCES[each.stance]
        lines += _wrapped(_label(word, role), each.says, width)
        source = line(*_label("", "dim"), Span(visible(each.source), "dim"))
        age = line(Span(f"{age_in_words(age_of(each.read_at, now))} ago ", "dim"))
        lines.append(spread(source, age, width))
        shown = [visible(text) for text in each.lines[:_QUOTED]]
        indent = _label("", "dim")
        if is_difference(shown):
            room = width - line_width(indent)
            lines += [line(*indent, *spans) for spans in difference_lines(shown, room)]
        else:
            lines += [cut(line(*indent, "  ", Span(text, "accent")), width) for text in shown]
        if len(each.lines) > len(shown):
            more = f"  +{len(each.lines) - len(shown)} lines more"
            lines.append(line(*_label("", "dim"), Span(more, "dim")))
    return lines


def _label(word: str, role: Role) -> Line:
    return line(Span(f" {fit_text(word, _LABEL)}", role))


def _wrapped(lead: Line, text: str, width: int, role: Role = "text") -> list[Line]:
    indent = " " * line_width(lead)
    first, *rest = wrap_text(visible(text), max(16, width - line_width(lead) - 1))
    return [line(*lead, Span(first, role)), *(line(indent, Span(part, role)) for part in rest)]
