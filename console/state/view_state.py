"""PURE: everything the dashboard, the plain status and a headless run show, as one value.

``derive.advance(state, item, now)`` folds one item in and returns the next state; it reads no file
and no clock. Items are *facts* (the frozen classes below), one event of an engine's stream,
or a ``TailSlice`` of many. ``dirty`` names the panes whose content changed since
``cleaned(state)``, so that a screen repaints only those. Ages are not stored: a screen asks
``staleness`` with its own clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from console.state.runbook_state import RunbookReading
from pipeline.contracts.status import (
    PHASE_NAMES,
    Answer,
    DriftLine,
    DriftStatus,
    EngineStatus,
    FirewallStatus,
    GitStatus,
    LockStatus,
    PhaseStatus,
    Progress,
    RowCounts,
    RunRow,
    SymptomStatus,
    WorkspaceStatus,
)
from pipeline.reading.symptom_answers import Tally

if TYPE_CHECKING:
    from pipeline.contracts.events import Event

LOG_LIMIT = 500
_NO_PROGRESS = Progress()
_NO_ROWS = RowCounts()
_NO_FIREWALL = FirewallStatus()
_NO_DRIFT = DriftStatus(note="not read yet")
_NO_LOCK = LockStatus()
_NO_GIT = GitStatus()
_NO_ENGINE = EngineStatus()
_NO_RUNBOOK = RunbookReading()
_NO_TALLY = Tally()


class Pane(StrEnum):
    BAND = "band"
    FIREWALL = "firewall"
    ROWS = "rows"
    PHASES = "phases"
    DRIFT = "drift"
    RUNS = "runs"
    LOG = "log"
    STATUS_LINE = "status_line"


ALL_PANES = frozenset(Pane)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log pane. ``text`` may quote data: show it through ``visible``."""

    at: str
    level: str
    text: str
    examined: int | None = None


@dataclass(frozen=True, slots=True)
class StageAtWork:
    """A stage that has begun and not ended; several may, in one pass over the rows or beside each other."""

    stage: str
    started: float | None = None
    progress: Progress = _NO_PROGRESS


@dataclass(frozen=True, slots=True)
class RunView:
    """The run that is followed. ``ours`` when this console started it; ``ended`` stays on view."""

    pipeline_run_id: str
    command: str = ""
    user: str = ""
    host: str = ""
    pid: int | None = None
    ours: bool = False
    started: float | None = None
    stages: tuple[str, ...] = ()
    at_work: tuple[StageAtWork, ...] = ()
    stages_done: tuple[str, ...] = ()
    phases: tuple[PhaseStatus, ...] = ()
    drift: tuple[DriftLine, ...] = ()
    ended: bool = False
    ended_at: float | None = None
    ok: bool | None = None
    exit_code: int | None = None
    run_hash: str | None = None
    elapsed_seconds: float | None = None
    outcome: str = ""
    cancelling: bool = False

    @property
    def stage(self) -> str:
        """The stage that was heard of last; empty when none is at work."""
        return self.at_work[-1].stage if self.at_work else ""

    @property
    def progress(self) -> Progress:
        """How far that one is."""
        return self.at_work[-1].progress if self.at_work else _NO_PROGRESS


@dataclass(frozen=True, slots=True)
class OtherConsole:
    user: str
    host: str
    since: float | None


@dataclass(frozen=True, slots=True)
class Session:
    """What the status line says about this console itself. ``armed_until`` None is read-only."""

    profile: str = "lean"
    link: str = "local"
    actor: str = ""
    armed_until: float | None = None
    others: tuple[OtherConsole, ...] = ()


# Facts that are folded in, beside events.


@dataclass(frozen=True, slots=True)
class StatusRead:
    """The workspace was read from disk."""

    status: WorkspaceStatus


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """The workspace could not be read at all (deleted, unmounted, no permission)."""

    reason: str


@dataclass(frozen=True, slots=True)
class FirewallSeen:
    """The watcher spoke: its last state, and when this console heard it."""

    firewall: FirewallStatus


@dataclass(frozen=True, slots=True)
class FirewallLost:
    """The watcher died or fell silent."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunFollowed:
    """A run was started here, or found and attached to."""

    pipeline_run_id: str
    command: str
    ours: bool
    user: str = ""
    host: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class CancelAsked:
    pipeline_run_id: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The process is gone. ``before_first_event`` is what raises ENGINE.wont-start."""

    pipeline_run_id: str
    exit_code: int | None
    before_first_event: bool
    stderr_tail: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SessionChanged:
    session: Session


@dataclass(frozen=True, slots=True)
class OthersSeen:
    """The other consoles on this workspace, looked for again."""

    others: tuple[OtherConsole, ...]


@dataclass(frozen=True, slots=True)
class RunbookHeard:
    """The runbook's detectors answered, are looking, or could not."""

    reading: RunbookReading


@dataclass(frozen=True, slots=True)
class Noted:
    """A line for the log pane that no engine wrote."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class PastLog:
    """What the last run said before this console was opened."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed and nothing else: what may have gone stale is looked at again."""


@dataclass(frozen=True, slots=True)
class TailSlice:
    """What one read found. ``lost`` counts lines that ``seq`` says are missing.

    ``restarted`` means that the file was truncated or replaced and reading began again.
    ``caught_up`` is False when the budget ended before the file did.
    """

    events: tuple[Event, ...] = ()
    lines: int = 0
    lost: int = 0
    garbage: int = 0
    replaced: int = 0
    restarted: bool = False
    caught_up: bool = True

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.restarted)


Fact = (
    StatusRead
    | ReadFailed
    | FirewallSeen
    | FirewallLost
    | RunFollowed
    | CancelAsked
    | RunEnded
    | SessionChanged
    | OthersSeen
    | RunbookHeard
    | Noted
    | PastLog
    | Tick
)


@dataclass(frozen=True, slots=True)
class ViewState:
    """``heard_at`` is when the disk last answered; ``trouble`` says why it does not."""

    workspace: str
    name: str = ""
    phases: tuple[PhaseStatus, ...] = tuple(PhaseStatus(key, name) for key, name in PHASE_NAMES.items())
    rows: RowCounts = _NO_ROWS
    firewall: FirewallStatus = _NO_FIREWALL
    drift: DriftStatus = _NO_DRIFT
    symptoms: tuple[SymptomStatus, ...] = ()
    tally: Tally = _NO_TALLY
    lock: LockStatus = _NO_LOCK
    git: GitStatus = _NO_GIT
    engine: EngineStatus = _NO_ENGINE
    runs: tuple[RunRow, ...] = ()
    runbook: RunbookReading = _NO_RUNBOOK
    run: RunView | None = None
    log: tuple[LogEntry, ...] = ()
    notes: tuple[str, ...] = ()
    session: Session = Session()
    heard_at: float | None = None
    trouble: str = ""
    last_seq: int = 0
    lost_events: int = 0
    garbage_lines: int = 0
    # What the fields above are derived from; screens read those above.
    base: WorkspaceStatus | None = None
    watched: FirewallStatus | None = None
    live_rows: RowCounts | None = None
    answers: tuple[Answer, ...] = ()
    engine_answer: Answer | None = None
    dirty: frozenset[Pane] = ALL_PANES

    @property
    def was_read(self) -> bool:
        """Whether there is anything to act on: the workspace's files, and the firewall's first word."""
        return self.heard_at is not None and self.watched is not None


def initial(workspace: str, session: Session = Session()) -> ViewState:
    """The state before anything was read: all is unknown, and says so."""
    return ViewState(workspace=workspace, session=session)


def logged(state: ViewState, at: str, level: str, text: str, *, examined: int | None = None) -> ViewState:
    """``state`` with one more log line."""
    return with_entries(state, [LogEntry(at, level, text, examined)])


def with_entries(state: ViewState, entries: Sequence[LogEntry]) -> ViewState:
    """``state`` with more log lines, each at its time; the oldest fall out of a full ring."""
    if not entries:
        return state
    log = (*state.log, *entries)
    if state.log and _second(entries[0]) < _second(state.log[-1]):
        log = tuple(sorted(log, key=_second))
    return replace(state, log=log[-LOG_LIMIT:])


def _second(entry: LogEntry) -> str:
    """Its time to the second, as text that sorts: lines of one second keep the order in which they came."""
    return entry.at[:19]


def cleaned(state: ViewState) -> ViewState:
    """The same state with no pane dirty: what a screen keeps after a repaint."""
    return replace(state, dirty=frozenset()) if state.dirty else state
