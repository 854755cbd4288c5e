"""The look at formatted files, for a watcher."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts import paths
from pipeline.firewall import open_commit
from pipeline.firewall.formatted import FormattedFile, survey
from pipeline.firewall.formatted_truth import checked
from pipeline.firewall.grace import Doubt, doubt_of
from pipeline.firewall.places import Places, signature

_PATIENCE_SECONDS = 1.0


class FormattedWatch:
    """The survey for a watcher: in a thread, because a digest of gigabytes takes seconds.

    Whoever writes a formatted file writes its receipt a moment later, so that a file counts as
    unaccounted only when it still is one second after it was first seen so. While a run commits, only some
    of the exports that it was made of are in place.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: object = None
        self._asked: object = None
        self._thread: threading.Thread | None = None
        self._found: list[FormattedFile] = []
        self._doubted_at: float | None = None
        self._told: list[FormattedFile] = []
        self._was_told = False
        self.doubt: Doubt | None = None

    def look(self, places: Places, sft_sha256: str | None) -> list[FormattedFile]:
        """What is known now; ``doubt`` says that it is not all. Raises nothing that a file can cause."""
        self.doubt = None
        if places.root is None or not places.is_live:
            return []
        if open_commit.is_open(places.root):
            return self._told
        stand, pairs = _signatures(places.root), signature(places.root / paths.PREFERENCE_EXPORT)
        seen = (sft_sha256, *stand, pairs)
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            self._seen = self._asked
            if not any(file.is_unaccounted for file in self._found):
                self._told, self._doubted_at, self._was_told = self._found, None, True
            elif self._doubted_at is None:
                self._doubted_at = self._clock()
        doubted_at = self._doubted_at
        if doubted_at is not None and seen == self._seen and self._clock() - doubted_at >= _PATIENCE_SECONDS:
            self._told, self._was_told = self._found, True
        if self._thread is None and seen != self._seen:
            self._asked = seen
            self._thread = threading.Thread(
                target=self._survey, args=(places, places.root, sft_sha256), daemon=True
            )
            self._thread.start()
        if stand and not (self._was_told and self.is_settled):
            self.doubt = doubt_of("the formatted files", self._was_told)
        return self._told

    @property
    def is_settled(self) -> bool:
        """Whether another look has nothing to add until a file changes."""
        return self._thread is None and (self._doubted_at is None or self._told is self._found)

    def _survey(self, places: Places, root: Path, sft_sha256: str | None) -> None:
        self._found = checked(places, survey(root, sft_sha256))


def _signatures(root: Path) -> list[tuple[int, ...]]:
    """What changes when a formatted file or a receipt does. What cannot be listed is left to the survey."""
    found = [
        Path(folder) / name
        for top in (paths.FORMATTED, paths.FORMAT_RECEIPTS)
        for folder, _, names in os.walk(root / top)
        for name in names
    ]
    return [signature(path) for path in sorted(found)]
