"""What a glance may look at: settings, sources, the last run, reports, each read once and leniently.

A reader is kept and asked again. It remembers summaries and digests, so that a second look at a quiet
workspace only stats files.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.status import FirewallStatus
from pipeline.platform.lenient_json import Json
from pipeline.reading.changed_files import ChangeDetector
from pipeline.reading.check_report import ACCEPTANCE, AUDIT, CheckReport, check_report
from pipeline.reading.latest_run import LatestRun, Moved, find_latest, moved_since_run
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes, read_object
from pipeline.reading.settings_glance import SettingsGlance, read_settings
from pipeline.reading.source_files import FoundSources, find_sources
from pipeline.reading.touched import last_touch

# Walking over all that is judged may take this share of the time between two readings.
_WALK_SHARE = 0.01


@dataclass(frozen=True)
class Facts:
    """``touched_at`` is when anything that checks judge was touched last.

    ``firewall`` is the firewall's word where somebody has just asked it, ``audit`` and ``acceptance``
    the last reports as they are told by checks.
    """

    root: Path
    now: float
    settings: SettingsGlance
    sources: FoundSources
    latest: LatestRun
    moved: Moved
    touched_at: float
    audit_raw: Json | None = None
    acceptance_raw: Json | None = None
    determinism: Json | None = None
    firewall: FirewallStatus | None = None

    @property
    def audit(self) -> CheckReport | None:
        return check_report(self.audit_raw, AUDIT)

    @property
    def acceptance(self) -> CheckReport | None:
        return check_report(self.acceptance_raw, ACCEPTANCE)

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
            audit_raw=read_object(self.root, paths.AUDIT_REPORT.with_suffix(".json"), notes),
            acceptance_raw=read_object(self.root, paths.ACCEPTANCE_REPORT.with_suffix(".json"), notes),
            determinism=read_object(self.root, paths.DETERMINISM_REPORT, notes),
        )

    def _last_touch(self, *, own_engine: bool) -> float:
        """In a workspace of very many files the walk is repeated less often than it is asked for."""
        began = time.monotonic()
        if began >= self._walk_again_at:
            self._touched = last_touch(self.root, own_engine=own_engine)
            self._walk_again_at = began + (time.monotonic() - began) / _WALK_SHARE
        return self._touched
