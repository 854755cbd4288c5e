"""What was seen and why: evidence for and against, with its source and its age."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from console.presentation.blocks import block_lines
from console.presentation.lines import wrapped
from console.presentation.spans import Line, Role, Span, line, line_width, spread
from pipeline.contracts.status import Verdict
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of
from runbook.probes.evidence import Stance
from runbook.tell.cause import diagnosis_blocks

if TYPE_CHECKING:
    from runbook.probes.evidence import Cause, Detection, Diagnosis, Evidence

SEEN_SHORT = 3
_VERDICTS: Mapping[Verdict, tuple[str, Role]] = {
    Verdict.DETECTED: ("X", "fail"),
    Verdict.CLEAR: ("ok", "ok"),
    Verdict.UNKNOWN: ("?", "warn"),
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
    lines += wrapped(line(" ", Span(mark, role), " "), detection.observed, width)
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
    return [*wrapped(line("   "), each.says, width), line("     ", Span(visible(place), "dim"))]


def why_lines(diagnosis: Diagnosis, now: float, width: int, *, recorded: bool) -> list[Line]:
    """The cause with its evidence, then what was looked at and set aside."""
    aside = tally(diagnosis.cause) + ("" if recorded else ", not recorded")
    told = diagnosis_blocks(diagnosis.model_copy(update={"see": None}).model_dump(mode="json"))
    return [rule("WHY", aside, width), *block_lines(told, width, now)]


def tally(cause: Cause) -> str:
    """``2 for, 0 against, 1 unknown``: that nothing speaks against it is said, not left out."""
    stances = [each.stance for each in cause.evidence]
    unknown = stances.count(Stance.UNKNOWN)
    words = f"{stances.count(Stance.FOR)} for, {stances.count(Stance.AGAINST)} against"
    return words + (f", {unknown} unknown" if unknown else "")
