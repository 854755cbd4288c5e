"""What is read before a wizard's question is answered: what was seen, why, and the plan.

Evidence for and against is counted, also where that is none. A plan shows its steps with files before and
after, the difference, the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from console.presentation.blocks import block_lines, step_lines
from console.presentation.counts import rate
from console.presentation.lines import bar, wrapped
from console.presentation.spans import Line, Role, Span, fit_text, line, line_width, spread
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Verdict
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words, took_in_words
from runbook.change.plan import RunCommand
from runbook.probes.evidence import Stance
from runbook.tell.cause import diagnosis_blocks
from runbook.tell.plan import plan_blocks, step_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.control.wizard_view import Preview, WizardView
    from console.state.view_state import RunView
    from pipeline.contracts.incidents import IncidentEntry
    from runbook.probes.evidence import Cause, Detection, Diagnosis, Evidence


_ROLES: dict[str, Role] = {"ok": "ok", "»": "accent", "X": "fail", "?": "warn"}


def plan_lines(view: WizardView, preview: Preview, width: int) -> list[Line]:
    """What changes, what stays, the way back, who verifies. The difference comes after it."""
    rehearsal = view.standing.rehearsal
    shown = rehearsal.model_dump(mode="json") if rehearsal is not None else None
    plan = preview.plan.model_dump(mode="json")
    return block_lines(plan_blocks(plan, shown, is_trial=preview.is_trial), width)


def progress_lines(view: WizardView, run: RunView | None, now: float, width: int) -> list[Line]:
    """Each step of the plan with how far it is, as the journal tells it."""
    plan = view.standing.plan
    if plan is None:
        return []
    began, ended = _times(view.entries, plan.hash)
    applied = view.standing.applied
    lines: list[Line] = []
    told = step_blocks(plan.model_dump(mode="json"))
    for index, step in enumerate(plan.steps):
        record, start = applied.steps.get(index), began.get(index)
        if applied.open_step == index:
            word = "»" if view.is_applying else "?"
            right = line(Span(f"{lasting_in_words(age_of(start, now))} ", "accent"))
        elif record is not None and record.done:
            word, right = "ok", line(Span(f"{took_in_words(_took(start, ended.get(index)))} ", "dim"))
        elif record is not None:
            word, right = "X", line(Span(f"{visible(record.said, 60)} ", "fail"))
        else:
            word, right = "·", line(Span("next " if view.is_applying else "not done ", "dim"))
        lead = line(" ", Span(fit_text(word, 3), _ROLES.get(word, "dim")), Span(f"{index + 1} ", "key"))
        lines += step_lines(told[index], lead, right, width)
        if applied.open_step == index and isinstance(step, RunCommand) and view.is_applying:
            lines += running_lines(run, width)
    return lines


def running_lines(run: RunView | None, width: int) -> list[Line]:
    """How far the run is that is at work in the workspace; nothing where none is."""
    if run is None or run.ended:
        return []
    progress = run.progress
    what = visible(run.stage or run.command)
    if progress.fraction is None:
        rows = plural(progress.rows_done, "row") if progress.rows_done else "running"
        return [line(Span(f"       {what}  {rows}", "accent"))]
    size = max(8, min(30, width - 50))
    tail = f" {int(progress.fraction * 100)}%  {rate(progress.rows_per_second)}"
    filled, left = bar(progress.fraction, 1.0, size)
    return [line(Span(f"       {what}  ", "accent"), filled, left, Span(tail, "dim"))]


def _times(
    entries: Sequence[IncidentEntry], plan_hash: str
) -> tuple[dict[int, float | None], dict[int, float | None]]:
    began: dict[int, float | None] = {}
    ended: dict[int, float | None] = {}
    for entry in entries:
        step = entry.detail.get("step")
        if entry.plan_hash == plan_hash and isinstance(step, int):
            (began if entry.kind == "intent" else ended)[step] = epoch_seconds(entry.recorded_at)
    return began, ended


def _took(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


SEEN_SHORT = 3
CONTAINED = "CONTAINED"
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
    is_good = title == CONTAINED and detection.verdict is not Verdict.DETECTED
    mark, role = _VERDICTS[Verdict.CLEAR if is_good else detection.verdict]
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
