"""What a glance may look at: settings, sources, the last run, reports, each read once and leniently.

A reader is kept and asked again. It remembers summaries and digests, so that a second look at a quiet
workspace only stats files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.contracts.status import Answer, FirewallStatus, Verdict
from pipeline.platform.lenient_json import Json
from pipeline.platform.lock import is_held
from pipeline.reading.changed_files import ChangeDetector
from pipeline.reading.check_report import CheckReport, check_report
from pipeline.reading.latest_run import LatestRun, Moved, find_latest, moved_since_run
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes, last_objects, read_object
from pipeline.reading.set_aside import SetAside, unseen_breach
from pipeline.reading.settings_glance import SettingsGlance, read_settings
from pipeline.reading.source_files import FoundSources, find_sources
from pipeline.reading.touched import last_touch

# Walking over all that is judged may take this share of the time between two readings.
_WALK_SHARE = 0.01
_REPLAY_TAIL_BYTES = 256 * 1024


@dataclass(frozen=True)
class Facts:
    """``touched_at`` is when anything that checks judge was touched last.

    ``firewall`` is the firewall's word where somebody has just asked it, ``audit`` and ``acceptance``
    the last reports as they are told by checks. ``replays`` are the last rows of the replay log, oldest
    first. ``set_aside`` is a breach that a run replaced, with nobody looking since. ``unreadable`` are
    the reports that are there and cannot be read, with the reason.
    """

    root: Path
    now: float
    settings: SettingsGlance
    sources: FoundSources
    latest: LatestRun
    moved: Moved
    touched_at: float
    audit: CheckReport | None = None
    acceptance: CheckReport | None = None
    determinism: Json | None = None
    replays: Sequence[Json] = ()
    firewall: FirewallStatus | None = None
    set_aside: SetAside | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def cannot_read(self, report: str) -> Answer | None:
        """What is there and cannot be read is not known, which is another thing than never made."""
        why = self.unreadable.get(report)
        return Answer(Verdict.UNKNOWN, f"{report} cannot be read: {why}", self.now) if why else None

    def is_touched_since(self, when: float | None) -> bool:
        return when is None or self.touched_at > when


class FactReader:
    """Blocking; one reading at a time. ``notes`` and ``run_ids`` are of the last one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = RunReports(root)
        self.notes = Notes()
        self.run_ids: list[str] = []
        self._changes = ChangeDetector(root)
        self._touched = 0.0
        self._walk_again_at = 0.0

    def read(self, now: float, *, settled: bool) -> Facts:
        """``settled`` is False while a run is at work: then its outputs are not held to anything."""
        notes = self.notes = Notes()
        self._changes.start_round()
        settings = read_settings(self.root, notes)
        self.run_ids = self.runs.run_ids(notes)
        latest = find_latest(self.root, self.runs, self.run_ids, notes)
        sources = find_sources(self.root, settings, notes)
        return Facts(
            root=self.root,
            now=now,
            settings=settings,
            sources=sources,
            latest=latest,
            moved=moved_since_run(latest, self._changes, sources, settled=settled),
            touched_at=self._last_touch(own_engine=settings.own_engine),
            audit=_checks_in(self.root, paths.AUDIT_DATA, notes),
            acceptance=_checks_in(self.root, paths.ACCEPTANCE_DATA, notes),
            determinism=_comparison(self.root, notes),
            replays=last_objects(self.root, paths.REPLAY_RUNS, _REPLAY_TAIL_BYTES, notes),
            set_aside=unseen_breach(self.root, self.runs, self.run_ids, notes),
            unreadable=notes.unreadable,
        )

    def _last_touch(self, *, own_engine: bool) -> float:
        """In a workspace of very many files the walk is repeated less often than it is asked for."""
        began = time.monotonic()
        if began >= self._walk_again_at:
            self._touched = last_touch(self.root, own_engine=own_engine)
            self._walk_again_at = began + (time.monotonic() - began) / _WALK_SHARE
        return self._touched


def _checks_in(root: Path, relative: PurePosixPath, notes: Notes) -> CheckReport | None:
    raw = read_object(root, relative, notes)
    report = check_report(raw, str(relative))
    if raw is not None and report is None:
        notes.says_nothing(relative, "it holds no checks")
    return report


def _comparison(root: Path, notes: Notes) -> Json | None:
    report = read_object(root, paths.DETERMINISM_REPORT, notes)
    if report is not None and report.get("kind") != "determinism":
        notes.says_nothing(paths.DETERMINISM_REPORT, "it compares no runs")
        return None
    return report


def read_facts(root: Path, now: float) -> Facts:
    """One reading. Raises OSError."""
    at_work = is_held(root) or (root / paths.INTENT).exists()
    return FactReader(root).read(now, settled=not at_work)
