"""P0: is there a recon doc, and is each tier-1 stream there?"""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.reading.source_notes import standing_note
from pipeline.settings.model import StreamSettings

_HOUR = 3600.0


def recon_doc(view: WorkspaceView) -> Outcome:
    """Examines the doc's characters that are not white space."""
    shown = str(paths.RECON_DOC)
    try:
        data = disk.read_plain(view.workspace / shown)
    except FileNotFoundError:
        data, words = b"", "is missing"
    else:
        words = "is empty" if not data.strip() else ""
    size = len(data.split())
    return Outcome(
        examined=1,
        failed=1 if words else 0,
        observed=words or f"{plural(size, 'word')}",
        detail=f"{shown} {words}" if words else f"{shown} has {plural(size, 'word')}",
        threshold="exists, not empty",
        examples=(Example(file=shown, text=words),) if words else (),
    )


def source(view: WorkspaceView, stream: StreamSettings) -> Callable[[], Outcome]:
    """The informational check of one tier-1 stream: files, lines, age of the newest.

    Where it has no rows and somebody accepted that, the report says who and why.
    """

    def check() -> Outcome:
        scan = view.scans[stream.name]
        if not scan.files:
            return Outcome(
                examined=0,
                failed=0,
                observed="absent",
                detail=f"no file matches {', '.join(stream.path)}{_accepted(view, stream)}",
                threshold="present, with rows",
                status=CheckStatus.WARN,
            )
        newest = max(scan.files, key=lambda file: file.file.path.stat().st_mtime)
        age = max(0.0, time.time() - newest.file.path.stat().st_mtime)
        appended = sum(file.appended_lines for file in scan.files)
        since = f", {appended:,} of them since the last run" if appended else ""
        accepted = "" if scan.lines else _accepted(view, stream)
        return Outcome(
            examined=scan.lines,
            failed=0,
            observed=plural(scan.lines, "line"),
            detail=f"{plural(len(scan.files), 'file')}, {plural(scan.lines, 'line')}{since}; "
            f"the newest line was written {_age(age)} ago ({newest.file.relative}){accepted}",
            threshold="present, with rows",
            status=None if scan.lines else CheckStatus.WARN,
        )

    return check


def _accepted(view: WorkspaceView, stream: StreamSettings) -> str:
    note = standing_note(view.workspace, stream.name)
    return "" if note is None else f"; {visible(note.words)}"


def _age(seconds: float) -> str:
    if seconds < _HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 48 * _HOUR else f"{seconds / (24 * _HOUR):.0f} days"
