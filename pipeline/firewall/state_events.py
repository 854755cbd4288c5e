"""``firewall.state`` events, one line each, written with a single write call.

The lines are those of ``pipeline.contracts.events``, made without importing it: pydantic would
triple the start of a process that the engine starts in every run. A test decodes each of them
with the contract.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

from pipeline.contracts.faults import Fault, StorageError
from pipeline.firewall.report import Report
from pipeline.platform import disk, disk_faults, streams

_FINDINGS_IN_EVENT = 10


class StateEvents:
    """``descriptor`` None is standard output. A place that refuses is given up: the scan counts.

    ``fault`` then says so.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._seq = 0
        self._gone = False
        self._place = "standard output"
        self.fault: Fault | None = None

    @property
    def is_heard(self) -> bool:
        return not self._gone

    @classmethod
    def open(cls, place: str | None) -> StateEvents | None:
        """``-`` is stdout; a file is appended to. None stands for no events. Raises StorageError."""
        if place is None:
            return None
        if place == "-":
            return cls(None)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            events = cls(os.open(place, flags, 0o600))
            events._place = place
            return events
        except OSError as error:
            raise StorageError.of(
                code="events_not_writable",
                what_happened=f"Events cannot be written to {place}: {error.strerror}.",
                kept_safe="Nothing was scanned or written.",
                do_next="Name a file that can be written, or - for standard output.",
                file=place,
            ) from None

    def report(self, report: Report, *, since: str | None = None, rows_total: int | None = None) -> None:
        self._seq += 1
        event: dict[str, Any] = {
            "type": "firewall.state",
            "seq": self._seq,
            "at": now(),
            "state": report.state.value,
            "file": report.file,
            "rows_read": report.rows_read,
            "rows_total": rows_total,
            "findings_count": report.findings.count,
            "forbidden_rows": report.findings.rows,
            "forbidden_files": report.findings.files,
            "by_wall": report.findings.by_wall,
            "by_file": report.findings.by_file,
            "more_files": report.findings.more_files or None,
            "findings": [finding.to_dict() for finding in report.findings.first[:_FINDINGS_IN_EVENT]],
            "since": since,
            "detail": report.detail,
            "cause": report.cause,
            "sha256": report.sha256,
            "walls": list(report.walls),
            "evaluation": report.evaluation,
            "evaluation_sets": report.evaluation_sets,
            "evaluation_refused": report.evaluation_refused,
            "not_evaluated": dict(report.not_evaluated),
        }
        line = json.dumps({key: value for key, value in event.items() if value is not None}) + "\n"
        if self._descriptor is None:
            streams.write(streams.OUT, line, now=True)
            self._gone = not streams.is_heard()
        elif not self._gone:
            try:
                disk.write_all(self._descriptor, line.encode())
            except OSError as error:
                self._gone = True
                self.fault = disk_faults.events_fault(self._place, error)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
