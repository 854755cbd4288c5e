"""Sources that a run does without, in whole or in part: each is named, and stops no other.

A file that becomes shorter while it is read is looked at once more, as it is then; one that cannot
be read, or shrinks again, is left out of the run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.contracts.faults import InputError

_SHRANK = "source_shrank"
# What a file may do to the run that reads it: it costs the file, not the run.
_OF_ONE_FILE = (_SHRANK, "source_unreadable", "archive_truncated", "archive_corrupt", "archive_bomb")


class SourceLostError(Exception):
    """A source that was planned cannot be read to its end: plan again."""

    def __init__(self, stream: str, relative: str, error: InputError) -> None:
        super().__init__(error.fault.what_happened)
        self.place = (stream, relative)
        self.error = error


@dataclass
class SourceTroubles:
    """``refused`` is (stream, name) → why the file is not read."""

    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    _lost: dict[tuple[str, str], str] = field(default_factory=dict)
    _shrank: Counter[tuple[str, str]] = field(default_factory=Counter)

    def refuse(self, stream: str, relative: str, why: str) -> None:
        self.refused[stream, relative] = why

    def is_lost(self, stream: str, relative: str) -> bool:
        """Whether an earlier attempt of this run could not read the file."""
        why = self._lost.get((stream, relative))
        if why is not None:
            self.refuse(stream, relative, why)
        return why is not None

    def lose(self, lost: SourceLostError) -> None:
        """Plan without the file the next time, or with what is left of it."""
        self._shrank[lost.place] += 1
        if lost.error.fault.code != _SHRANK or self._shrank[lost.place] > 1:
            self._lost[lost.place] = lost.error.fault.of_the_file()


def of_one_file(error: InputError) -> bool:
    """Whether the fault is that of a single source file, which a run can do without."""
    return error.fault.code in _OF_ONE_FILE
