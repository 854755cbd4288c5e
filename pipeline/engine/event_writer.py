"""Writes the event stream: one line an event, each with a single write call.

A run's own ``events.jsonl`` is always written; ``--events`` adds a second place. A full disk must
not stop a run for the sake of its narration: after the first failure, events to that place are
dropped, and ``fault`` says so: the command goes on, and ends with 3. What an earlier writer left torn is
closed first, so that no two lines fuse.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.contracts import events
from pipeline.contracts.faults import Fault
from pipeline.engine.clock import monotonic, now_iso
from pipeline.platform import disk, disk_faults

PROGRESS_SECONDS = 0.2


class EventWriter:
    """Numbers events and writes them to every place it was given."""

    def __init__(self) -> None:
        self._places: dict[int, str] = {}
        self._owned: list[int] = []
        self.fault: Fault | None = None
        self._seq = 0
        self._last_progress = 0.0
        self._early: list[bytes] | None = []
        self.on_progress: Callable[[dict[str, Any]], None] | None = None
        self.on_check: Callable[[str, int, int], None] | None = None
        """Called with a check's id before it runs, how many are done, and of how many."""

    def add_place(self, place: str | Path) -> None:
        """Write to a file, or to standard output for ``-``. Events so far are written there too.

        Raises StorageError when the file cannot be opened.
        """
        if str(place) == "-":
            descriptor = 1
            place = "standard output"
        else:
            try:
                descriptor = _open_for_appending(Path(place))
            except OSError as error:
                raise disk_faults.storage_fault(error, Path(place), "Nothing was changed.") from error
            self._owned.append(descriptor)
        self._places[descriptor] = str(place)
        for line in self._early or ():
            self._write(descriptor, line)

    def stop_remembering(self) -> None:
        """No further place will be added: stop remembering early events."""
        self._early = None

    def emit(self, kind: type[Any], **fields: Any) -> None:
        """Number, stamp and write one event of type ``kind``."""
        self._seq += 1
        line = events.encode(kind(seq=self._seq, at=now_iso(), **fields))
        if self._early is not None:
            self._early.append(line)
        if self.on_progress is not None and kind is events.StageProgress:
            self.on_progress(fields)
        for descriptor in list(self._places):
            self._write(descriptor, line)

    def progress_is_due(self) -> bool:
        """Whether enough time has passed since the last progress event."""
        now = monotonic()
        if now - self._last_progress < PROGRESS_SECONDS:
            return False
        self._last_progress = now
        return True

    def log(self, level: str, message: str, fault: Fault | None = None) -> None:
        self.emit(events.LogLine, level=level, message=message, fault=fault.to_dict() if fault else None)

    def _write(self, descriptor: int, line: bytes) -> None:
        if descriptor not in self._places:
            return
        try:
            disk.write_all(descriptor, line)
        except OSError as error:
            self.fault = disk_faults.events_fault(self._places.pop(descriptor), error) or self.fault

    def close(self) -> None:
        for descriptor in self._owned:
            os.close(descriptor)
        self._owned, self._places = [], {}


def _open_for_appending(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(path, flags, disk.FILE_MODE)
    try:
        if disk.is_torn(path):
            disk.write_all(descriptor, b"\n")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
