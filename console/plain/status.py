"""PURE: the dashboard as lines of text, and the exit code that it stands for.

The same facts, words and marks as the screens; no escape sequence is ever written. What comes
from data has been made visible, and every group of numbers says how old it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.presentation.band import head_words
from console.presentation.panes import pane_view
from console.presentation.spans import Line, line, plain_text
from console.presentation.states import SEVERITIES
from console.state import symptoms_now
from console.state.detectors import definitions
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import WorkspaceStatus
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of
from pipeline.reading.settings_glance import DO_NEXT
from pipeline.reading.symptom_answers import tally

if TYPE_CHECKING:
    from console.state.view_state import ViewState

WIDTH = 79
PANES = ("firewall", "phases", "rows", "drift", "runs")
RUNS_SHOWN = 5
# The mix of a stream is a drawing, and lines are read aloud, too.
_WITHOUT_MIX = 73
# Of panes that show less where there is little room.
_TALL = 200


def exit_code(status: WorkspaceStatus | ViewState, now: float) -> ExitCode:
    """10 for a breach, 1 for a failed check or a severe symptom, 5 for one that was not evaluated."""
    return symptoms_now.exit_code(status.answers, status.phases, status.firewall, now)


def status_lines(status: WorkspaceStatus) -> list[str]:
    """The whole status, top to bottom in the order of the dashboard."""
    now = status.read_at
    of_settings = [text for text in status.notes if text.endswith(DO_NEXT)]
    notes = [text for text in status.notes if text not in of_settings]
    return [
        *_head(status),
        *(said for text in of_settings for said in _settings_fault(text).as_lines()),
        "",
        *_symptoms(status, now),
        *(text for name in PANES for text in ["", *pane_lines(name, status, now)]),
        *(["", *(f"note: {visible(text, 200)}" for text in notes)] if notes else []),
    ]


def _settings_fault(note: str) -> Fault:
    return Fault(
        "settings_unreadable",
        f"{visible(note.removesuffix(DO_NEXT), 200)}.",
        "Nothing was changed; what stands here is by the defaults.",
        f"Repair {paths.SETTINGS}, then: distill config show",
    )


def pane_lines(
    name: str, view: WorkspaceStatus | ViewState, now: float, *, was_read: bool = True, runs: int = RUNS_SHOWN
) -> list[str]:
    """One pane of the dashboard, whole, as the screen has it; only its frame is missing."""
    width = _WITHOUT_MIX if name == "rows" else WIDTH
    pane = pane_view(name, view, now, width, _TALL, was_read=was_read)
    aside, lines = plain_text(pane.aside).strip(), pane.lines
    older = max(0, len(view.runs) - runs) if name == "runs" else 0
    if older:
        lines = (*lines[:-older], line(f" {plural(older, 'older run')}: distill runs"))
    return [f"{pane.title}  {aside}".rstrip(), *texts(lines)]


def texts(lines: Sequence[Line]) -> list[str]:
    return [visible(plain_text(spans).rstrip()) for spans in lines]


def _head(status: WorkspaceStatus) -> list[str]:
    git, lock, engine = status.git, status.lock, status.engine
    if git.head is None:
        repository = git.note or "no commit yet"
    else:
        tree = "dirty" if git.dirty else "clean"
        repository = f"{git.branch or 'detached'} {git.head[:7]} {tree}"
    if git.is_repository:
        repository += f" · tag {git.last_good_tag}" + (" (no such tag)" if git.lacks_tag else "")
    if lock.held:
        who = f"lock held by {lock.user or 'somebody'} ({lock.command}, pid {lock.pid}"
        who += f", {_age(lock.since, status.read_at)})"
    else:
        who = "lock free" + (", a commit is open: the next run settles it" if lock.open_intent else "")
    return [
        visible(f"{status.name} · {repository} · {iso_utc(status.read_at)}"),
        visible(f"{status.workspace} · engine {engine.source} · {who}"),
        *([visible(f"engine REFUSED: {engine.refused}")] if engine.refused else []),
    ]


def _symptoms(status: WorkspaceStatus, now: float) -> list[str]:
    counted = tally(definitions(), status.answers, now)
    lines = [f"SYMPTOMS   {head_words(len(status.symptoms), counted, now)}"]
    for symptom in status.symptoms:
        look = SEVERITIES[symptom.severity]
        since = f", since {_age(symptom.since, now)}" if symptom.since is not None else ""
        said = f"{visible(symptom.id):<20} {visible(symptom.observed, 160)}{since}"
        lines.append(f" {look.mark} {look.word:<8} {said}")
        if symptom.origin.is_old:
            lines.append(f"   ~ stale: {visible(symptom.origin.why, 160) or 'seen long ago'}")
        if symptom.next_step:
            lines.append(f"   next: {visible(symptom.next_step)}")
    return lines


def _age(as_of: float | None, now: float) -> str:
    return age_in_words(age_of(as_of, now))
