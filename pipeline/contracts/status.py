"""The dashboard as data: what ``distill status --json`` prints and the screens show.

Standard library only, so that a plain status starts fast and while pydantic models are broken.
Every group of numbers carries an ``Origin``: where they were read, when they were true, and
whether they may still be believed. Times are seconds since the epoch; ``status_data`` adds
the ISO form. Text that came from data is raw here: show it through ``untrusted.visible``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.contracts.finding_words import found_in_words, walls_in_words
from pipeline.contracts.row_counts import Balance, ExportCounts, StreamCounts
from pipeline.contracts.severity import Severity

STATUS_VERSION = 1
PHASE_NAMES = {
    "P0": "recon",
    "P1": "schemas",
    "P2": "evidence",
    "P3": "score",
    "P4": "export",
    "P5": "receipts",
    "P6": "acceptance",
    "P7": "replay",
    "P8": "audit",
    "P9": "release",
}


class Freshness(StrEnum):
    """How far a value may be believed. AGEING is a live value between 2 and 10 seconds old."""

    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"
    UNKNOWN = "unknown"
    CLOCK = "clock?"


class PhaseState(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    RUN = "run"
    NEXT = "next"
    STALE = "stale"
    UNKNOWN = "unknown"
    NEVER = "never"


class FirewallWord(StrEnum):
    CLEAR = "CLEAR"
    BREACH = "BREACH"
    ABSENT = "ABSENT"
    STALE = "STALE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from. ``source`` is a path in the workspace, ``live``, or empty (never)."""

    source: str = ""
    as_of: float | None = None
    freshness: Freshness = Freshness.UNKNOWN
    why: str = ""

    @property
    def is_old(self) -> bool:
        """Whether it may be otherwise by now."""
        return self.freshness not in (Freshness.FRESH, Freshness.AGEING)


NEVER = Origin()
_NO_TOTAL = StreamCounts("total")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running stage is. ``fraction`` is 0..1, None when the total is not known."""

    rows_done: int = 0
    rows_total: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    rows_per_second: float | None = None
    seconds_left: float | None = None
    fraction: float | None = None
    doing: str = ""


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    id: str
    name: str
    state: PhaseState = PhaseState.NEVER
    origin: Origin = NEVER
    elapsed_seconds: float | None = None
    detail: str = ""
    failed_checks: tuple[str, ...] = ()
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class RowCounts:
    """``total`` sums the streams (its ``stream`` is ``total``). ``live`` while a run counts.

    ``unread_logs`` are files that look like logs and that no stream reads.
    """

    origin: Origin = NEVER
    total: StreamCounts = _NO_TOTAL
    streams: tuple[StreamCounts, ...] = ()
    exports: tuple[ExportCounts, ...] = ()
    balances: tuple[Balance, ...] = ()
    live: bool = False
    unread_logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One offence of one row, of the wall that the firewall names; line 0 is the file."""

    wall: str
    file: str
    line: int
    row_id: str | None = None
    run_id: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FirewallStatus:
    """``since`` is when a breach was first seen. ``findings`` holds the first ones only.

    A row may have several findings: ``forbidden_rows`` counts rows, ``findings_count`` findings.
    ``forbidden_files`` are files that a finding concerns as a whole. ``walls`` are those that the rows were
    held against, ``not_evaluated`` the others with the reason. ``evaluation`` is checked, not_checked or
    not_evaluated, and empty where nothing was said of evaluation sets. ``more_files`` have findings, too, and
    are not among ``by_file``.
    """

    state: FirewallWord = FirewallWord.UNKNOWN
    origin: Origin = NEVER
    file: str = ""
    rows_read: int = 0
    rows_total: int | None = None
    findings_count: int = 0
    forbidden_rows: int = 0
    forbidden_files: int = 0
    by_wall: tuple[tuple[str, int], ...] = ()
    by_file: tuple[tuple[str, int], ...] = ()
    more_files: int = 0
    findings: tuple[Finding, ...] = ()
    since: float | None = None
    detail: str = ""
    cause: str | None = None
    sha256: str | None = None
    walls: tuple[str, ...] = ()
    evaluation: str = ""
    evaluation_sets: int | None = None
    evaluation_refused: int | None = None
    not_evaluated: tuple[tuple[str, str], ...] = ()

    @property
    def found(self) -> str:
        """``1 forbidden row (2 findings)``."""
        return found_in_words(self.forbidden_rows, self.forbidden_files, self.findings_count)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Files other than ``file`` with findings."""
        return tuple(name for name, _ in self.by_file if name != self.file)

    @property
    def said_of_walls(self) -> tuple[str, ...]:
        """Lines on evaluation sets, and on walls that could not be evaluated."""
        return walls_in_words(
            self.evaluation, self.evaluation_sets, self.evaluation_refused, dict(self.not_evaluated)
        )


@dataclass(frozen=True, slots=True)
class DriftLine:
    """One metric against its baseline; ``delta_ratio`` is (current - baseline) / baseline.

    ``kind`` is count, rate or size. ``anchor`` is the value last accepted or released;
    ``dismissed`` the note of an operator who has seen just this value.
    """

    metric: str
    phase: str
    baseline: float | None
    current: float | None
    delta_ratio: float | None
    z: float | None
    status: str
    trend: tuple[float, ...] = ()
    since: str | None = None
    causes: tuple[str, ...] = ()
    kind: str = ""
    anchor: float | None = None
    anchor_delta_ratio: float | None = None
    dismissed: str | None = None


@dataclass(frozen=True, slots=True)
class DriftStatus:
    """Flagged rows first. ``note`` says why there are none."""

    origin: Origin = NEVER
    baseline_as_of: float | None = None
    lines: tuple[DriftLine, ...] = ()
    note: str = ""


class Verdict(StrEnum):
    """``UNKNOWN`` is a detector that could not look; it is never read as clear."""

    DETECTED = "detected"
    CLEAR = "clear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detector says of one symptom. A *glance* reads files that a viewer reads anyway, a *look*
    costs a process; of two answers the one that was true later stands.

    ``as_of`` is when it was true: a report's own time, or the moment of the look. ``source`` is ``live``
    or the report's path. ``nothing_yet``: not known, because what is looked at was never made, and
    ``contained``: because it was set aside; neither is blindness.
    ``since`` is when the symptom was first seen, ``stale`` why it may be otherwise by now.
    ``explained_by`` are symptoms that explain just this one. ``by_glance``: files alone tell it, so that
    a later glance which does not see it any more takes it back.
    """

    verdict: Verdict
    observed: str
    as_of: float | None
    source: str = "live"
    nothing_yet: bool = False
    explained_by: tuple[str, ...] = ()
    since: float | None = None
    stale: str = ""
    id: str = ""
    by_glance: bool = False
    contained: bool = False

    @property
    def is_detected(self) -> bool:
        return self.verdict is Verdict.DETECTED

    @property
    def is_blind(self) -> bool:
        """Whether nobody could look, though there is something to see."""
        return self.verdict is Verdict.UNKNOWN and not self.nothing_yet and not self.contained


@dataclass(frozen=True, slots=True)
class SymptomStatus:
    """Something is wrong now. ``observed`` is one line, ``next_step`` a command or a key's action."""

    id: str
    severity: Severity
    observed: str
    origin: Origin
    next_step: str = ""
    owner: str | None = None
    since: float | None = None
    beneath: str | None = None


@dataclass(frozen=True, slots=True)
class LockStatus:
    """``held`` is told by the lock itself; the other fields are what its holder wrote into it."""

    held: bool = False
    origin: Origin = NEVER
    pid: int | None = None
    host: str = ""
    user: str = ""
    command: str = ""
    pipeline_run_id: str = ""
    since: float | None = None
    open_intent: bool = False


@dataclass(frozen=True, slots=True)
class GitStatus:
    """None is "not known"; ``note`` says why. ``tag_commit`` is what the last-good tag names.

    ``lacks_tag``: git said that there is no such tag, which is more than not knowing its commit.
    """

    is_repository: bool = False
    branch: str | None = None
    head: str | None = None
    dirty: bool | None = None
    last_good_tag: str = ""
    tag_commit: str | None = None
    origin: Origin = NEVER
    note: str = ""
    lacks_tag: bool = False


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Which engine runs here. ``refused`` when the workspace asks for one that may not run."""

    source: str = "installed"
    directory: str | None = None
    why: str = ""
    refused: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One past run. ``finished`` is False for a folder with events but no summary."""

    pipeline_run_id: str
    command: str = ""
    finished: bool = False
    ok: bool | None = None
    exit_code: int | None = None
    run_hash: str | None = None
    started: float | None = None
    ended: float | None = None
    elapsed_seconds: float | None = None
    lines: int | None = None
    evidence: int | None = None
    rag: int | None = None
    sft: int | None = None
    preference: int | None = None
    chunks_processed: int | None = None
    chunks_total: int | None = None
    warnings: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """All of it. ``notes`` are problems met while reading; none of them is an error here.

    ``answers`` are of every detector that ever gave one, ``symptoms`` those of them that show.
    """

    workspace: str
    name: str
    read_at: float
    phases: tuple[PhaseStatus, ...]
    rows: RowCounts
    firewall: FirewallStatus
    drift: DriftStatus
    symptoms: tuple[SymptomStatus, ...]
    lock: LockStatus
    git: GitStatus
    engine: EngineStatus
    runs: tuple[RunRow, ...] = ()
    notes: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
