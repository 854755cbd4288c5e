"""A plan on the screen: its steps with files before and after, the difference, the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from console.presentation.counts import bar_cells, count, plural, rate
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, line, line_width, spread, wrap_text
from pipeline.contracts.status import epoch_seconds
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, took_in_words
from runbook.change.plan import (
    ABSENT,
    AppendLine,
    FileState,
    Manual,
    RemoveFile,
    RenameFile,
    RunCommand,
    TruncateFile,
    WriteFile,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.control.wizard_view import Preview, WizardView
    from console.state.view_state import RunView
    from pipeline.contracts.incidents import IncidentEntry
    from runbook.change.plan import Plan, Rehearsal, Step

_LABEL = 10
_BRIEF = 6
_ROLES: dict[str, Role] = {"ok": "ok", "»": "accent", "X": "fail", "?": "warn"}


def size_words(size: int | None) -> str:
    """``512 B``, ``4.5 MB``."""
    if size is None:
        return "-"
    if size < 10_000:
        return f"{size:,} B"
    return f"{size / 1e6:,.1f} MB" if size >= 1_000_000 else f"{size / 1e3:,.1f} kB"


def file_words(state: FileState) -> str:
    """``3f2a91c0 1,204 B``, or ``absent``."""
    return "absent" if state.sha256 is None else f"{state.sha256[:8]} {size_words(state.bytes)}"


def change_words(before: FileState, after: FileState) -> str:
    words = f"{file_words(before)} → {file_words(after)}"
    if before.mode != after.mode and not before.is_absent and not after.is_absent:
        words += f", mode {before.mode or 0:o} → {after.mode or 0:o}"
    return words


def step_lines(step: Step, lead: Line, right: Line, width: int) -> list[Line]:
    """One step. ``lead`` is its mark and number; ``right`` stands at the end of its first line."""
    indent = " " * line_width(lead)
    match step:
        case RenameFile():
            facts = right or line(Span(f"{file_words(step.before)} ", "dim"))
            return [
                *_named(lead, "rename", step.path, facts, width),
                line(f"{indent}    ", Span("to  ", "dim"), visible(step.to)),
            ]
        case WriteFile():
            verb = "restore" if step.before.is_absent else "replace"
            return _changed(lead, verb, step.path, step.before, step.after, right, width)
        case RemoveFile():
            return _changed(lead, "remove", step.path, step.before, ABSENT, right, width)
        case AppendLine():
            return _changed(lead, "append", step.path, step.before, step.after, right, width)
        case TruncateFile():
            return _changed(lead, "cut", step.path, step.before, step.after, right, width)
        case RunCommand():
            kept = f"{plural(len(step.before), 'file')} may change, each is kept before"
            facts = right or line(Span(f"{kept if step.before else ''} ", "dim"))
            return _named(lead, "run", step.by_hand or "distill", facts, width)
        case Manual():
            lines = _wrapped(step.says, line(*lead, Span("by hand ", "strong")), width)
            return [*lines, *(line(indent, Span(part, "accent")) for part in _words(step.by_hand, width - 8))]
        case _:
            assert_never(step)


def _named(lead: Line, verb: str, subject: str, right: Line, width: int) -> list[Line]:
    left = line(*lead, Span(fit_text(verb, 8), "strong"), visible(subject))
    if line_width(left) + line_width(right) + 1 <= width:
        return [spread(left, right, width)]
    indent = " " * (line_width(lead) + 8)
    return [left, line(indent, *right)]


def _changed(
    lead: Line, verb: str, path: str, before: FileState, after: FileState, right: Line, width: int
) -> list[Line]:
    facts = right or line(Span(f"{change_words(before, after)} ", "dim"))
    return _named(lead, verb, path, facts, width)


def plan_lines(view: WizardView, preview: Preview, width: int) -> list[Line]:
    """What changes, what stays, the way back, who verifies. The difference comes after it."""
    plan = preview.plan
    lines: list[Line] = []
    for number, step in enumerate(plan.steps, start=1):
        lines += step_lines(step, line(Span(f" {number} ", "key")), EMPTY, width)
    lines.append(EMPTY)
    lines += _fact("stays", _stays(plan), width)
    lines += _fact("way back", _way_back(plan), width)
    lines += _rehearsal(plan, view.standing.rehearsal, preview.is_trial, width)
    if plan.verify:
        lines += _fact("verified", f"by the detector of {plan.verify}, run again", width)
    if plan.ends == "mitigated":
        lines += _fact("it ends", "mitigated: the damage is contained, the cause stays", width)
    if plan.commit:
        lines += _fact("restored", f"to {plan.tag} = {plan.commit[:12]}", width)
    for note in plan.notes:
        lines += _fact("note", note, width)
    return lines


def _stays(plan: Plan) -> str:
    if all(isinstance(step, RenameFile | Manual) for step in plan.steps):
        return "every byte; nothing is rewritten, deleted or overwritten"
    return "every other file, git, past reports; originals are kept with the incident"


def _way_back(plan: Plan) -> str:
    if all(isinstance(step, RenameFile) for step in plan.steps):
        return "the same rename backwards, while nothing else stands there"
    return plan.undo if plan.reversible else f"NOT REVERSIBLE: {plan.undo}"


def _rehearsal(plan: Plan, rehearsal: Rehearsal | None, is_trial: bool, width: int) -> list[Line]:
    if rehearsal is None:
        words = "not yet" if plan.needs_rehearsal else "not needed: a rename takes itself back"
        return [] if is_trial and plan.needs_rehearsal else _fact("rehearsed", words, width)
    word = Span("yes, ", "ok") if rehearsal.ok else Span(" FAILED ", "badge")
    said = f"{rehearsal.detail} ({took_in_words(rehearsal.took_seconds)})"
    first, *rest = _words(said, width - _LABEL - 8)
    head = line(Span(f" {fit_text('rehearsed', _LABEL)}", "dim"), word, first)
    return [head, *(line(f"{'':{_LABEL + 1}}{part}") for part in rest)]


def consent_lines(view: WizardView, plan: Plan, digits: str, wrong: str, width: int) -> list[Line]:
    """The question itself: what changes, whether there is a way back, and what has to be typed."""
    lines = [line(" ", Span(part, "strong")) for part in _words(plan.title, width - 3)]
    lines.append(line(Span(f" plan {plan.hash[:12]} of {visible(plan.incident_id)}", "dim")))
    shown = [
        spans for number, step in enumerate(plan.steps, 1) for spans in _step_briefly(number, step, width)
    ]
    lines += [EMPTY, *shown[:_BRIEF]]
    if len(shown) > _BRIEF:
        lines.append(line(Span(f"   +{len(shown) - _BRIEF} lines more: esc, and read the plan", "dim")))
    back = "reversible" if plan.reversible else "NOT REVERSIBLE"
    rehearsal = view.standing.rehearsal
    if rehearsal is None:
        proven = ", a rename takes itself back" if plan.reversible and not plan.needs_rehearsal else ""
    else:
        proven = ", undo rehearsed: byte-identical" if rehearsal.ok else ", the undo FAILED in rehearsal"
    bad = not plan.reversible or (rehearsal is not None and not rehearsal.ok)
    lines += [EMPTY, line(" ", Span(f"{back}{proven}", "fail" if bad else "text"))]
    if digits:
        lines.append(line(" To agree: down, type ", Span(f" {digits} ", "badge"), " and why, enter."))
    else:
        lines.append(line(" To agree: down, type why, enter."))
    lines.append(line(" ", Span(wrong, "fail")) if wrong else EMPTY)
    return lines


def _step_briefly(number: int, step: Step, width: int) -> list[Line]:
    return step_lines(step, line(Span(f" {number} ", "key")), EMPTY, width)


def progress_lines(view: WizardView, run: RunView | None, now: float, width: int) -> list[Line]:
    """Each step of the plan with how far it is, as the journal tells it."""
    plan = view.standing.plan
    if plan is None:
        return []
    began, ended = _times(view.entries, plan.hash)
    applied = view.standing.applied
    lines: list[Line] = []
    for index, step in enumerate(plan.steps):
        record, start = applied.steps.get(index), began.get(index)
        if applied.open_step == index:
            word = "»" if view.is_applying else "?"
            right = line(Span(f"{age_in_words(age_of(start, now))} ", "accent"))
        elif record is not None and record.done:
            word, right = "ok", line(Span(f"{took_in_words(_took(start, ended.get(index)))} ", "dim"))
        elif record is not None:
            word, right = "X", line(Span(f"{visible(record.said, 60)} ", "fail"))
        else:
            word, right = "·", line(Span("next " if view.is_applying else "not done ", "dim"))
        lead = line(" ", Span(fit_text(word, 3), _ROLES.get(word, "dim")), Span(f"{index + 1} ", "key"))
        lines += step_lines(step, lead, right, width)
        if applied.open_step == index and isinstance(step, RunCommand) and view.is_applying:
            lines += _running(run, width)
    return lines


def _running(run: RunView | None, width: int) -> list[Line]:
    if run is None or run.ended:
        return []
    progress = run.progress
    what = visible(run.stage or run.command)
    if progress.fraction is None:
        rows = f"{count(progress.rows_done)} rows" if progress.rows_done else "at work"
        return [line(Span(f"       {what}  {rows}", "accent"))]
    size = max(8, min(30, width - 50))
    filled = bar_cells(progress.fraction, 1.0, size)
    tail = f" {int(progress.fraction * 100)}%  {rate(progress.rows_per_second)}"
    return [
        line(
            Span(f"       {what}  ", "accent"),
            Span("▇" * filled, "accent"),
            Span("░" * (size - filled), "groove"),
            Span(tail, "dim"),
        )
    ]


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


def _fact(name: str, text: str, width: int, role: Role = "text") -> list[Line]:
    first, *rest = _words(text, width - _LABEL - 2)
    return [
        line(Span(f" {fit_text(name, _LABEL)}", "dim"), Span(first, role)),
        *(line(f"{'':{_LABEL + 1}}", Span(part, role)) for part in rest),
    ]


def _wrapped(text: str, lead: Line, width: int) -> list[Line]:
    first, *rest = _words(text, width - line_width(lead) - 1)
    return [line(*lead, first), *(line(" " * line_width(lead), part) for part in rest)]


def _words(text: str, width: int) -> list[str]:
    return wrap_text(visible(text), max(16, width))
