"""The six gates, in order; a later one runs whatever an earlier one said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.checks.runner import CheckFunction, Outcome, run_checks
from pipeline.contracts import paths
from pipeline.contracts.check_index import GATES
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.contracts.discovery import engine_argv
from pipeline.engine.event_writer import EventWriter
from pipeline.platform.git import GitError
from pipeline.platform.process import run
from pipeline.release import git_gates
from pipeline.release.suite import run_suite
from pipeline.settings.model import Settings

# The audit reads everything; nobody waits for one of these longer than this.
_LIMIT_SECONDS = 4 * 3600.0
_MOST_REPORT_BYTES = 64 << 20


@dataclass
class GateRun:
    """The gates of one freeze. ``phase_commits`` fills when gate 3 has run."""

    workspace: Path
    settings: Settings
    tag: str
    phase_commits: dict[str, str] = field(default_factory=dict)

    def run(self, events: EventWriter) -> list[CheckResult]:
        functions: tuple[CheckFunction, ...] = (
            lambda: _with_git(lambda: git_gates.clean_state(self.workspace)),
            lambda: run_suite(self.workspace, self.settings.release.tests),
            self._phases,
            lambda: self._command("acceptance", []),
            self._audit,
            lambda: _with_git(lambda: git_gates.tag_is_free(self.workspace, self.tag)),
        )
        return run_checks(zip(GATES, functions, strict=True), events)

    def _phases(self) -> Outcome:
        def look() -> Outcome:
            outcome, self.phase_commits = git_gates.phase_commits(self.workspace, self.settings.phases)
            return outcome

        return _with_git(look)

    def _audit(self) -> Outcome:
        # The gate has just run acceptance; the audit takes its result instead of running it twice.
        report = self.workspace / paths.ACCEPTANCE_DATA
        return self._command("audit-full", ["--no-append", "--acceptance-report", str(report)])

    def _command(self, name: str, options: Sequence[str]) -> Outcome:
        finished = run(
            engine_argv([name, "-C", str(self.workspace), "--json", *options]),
            limit_seconds=_LIMIT_SECONDS,
            keep_bytes=_MOST_REPORT_BYTES,
        )
        try:
            report: dict[str, Any] = json.loads(finished.stdout)
            required = [check for check in report["checks"] if check["required"]]
        except (ValueError, KeyError, TypeError):
            detail = finished.why or (finished.said[0] if finished.said else finished.reason)
            return Outcome(0, 0, f"exit {finished.exit_code}", detail, status=CheckStatus.ERROR)
        bad = [check["id"] for check in required if check["status"] not in ("pass", "warn")]
        status = CheckStatus.PASS if finished.exit_code == 0 and required and not bad else CheckStatus.FAIL
        return Outcome(
            examined=len(required),
            failed=len(bad),
            observed=f"{len(required) - len(bad)}/{len(required)}, exit {finished.exit_code}",
            detail=str(report.get("verdict", "")),
            threshold="all required checks pass",
            status=status,
        )


def _with_git(look: CheckFunction) -> Outcome:
    """A workspace without a usable repository fails the gate; it is not our own error."""
    try:
        return look()
    except GitError as error:
        return Outcome(0, 1, "no repository", str(error), status=CheckStatus.FAIL)
