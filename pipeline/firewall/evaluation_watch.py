"""The evaluation wall for a watcher: looked at in a thread, again whenever a file behind the verdict changed.

What a look found counts only if everything still stands as it did when that look began: exports, evidence,
settings, and the files of the sets, those that came meanwhile among them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.finding_words import FIRST_READING
from pipeline.firewall import evaluation_wall
from pipeline.firewall.evaluation_sets import matches, set_patterns
from pipeline.firewall.evaluation_wall import Examined
from pipeline.firewall.places import Places, change_time, signature
from pipeline.firewall.report import Findings, State

_READING = "reading again, a file changed"
# A glob may lead through many folders; a watcher that looks ten times a second follows it less often.
_FOLLOWED_EVERY_SECONDS = 0.5


class EvaluationWatch:
    """``look`` says what is known now; what is known of older files is never called clear."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._asked: object = None
        self._known: object = None
        self._examined = Examined(None, Findings(), FIRST_READING)
        self._found: tuple[object, Examined] = (None, self._examined)
        self._settings: tuple[int, ...] | None = None
        self._patterns: tuple[str, ...] = ()
        self._sets: list[Path] = []
        self._followed_at = float("-inf")

    @property
    def is_settled(self) -> bool:
        return self._thread is None and self._known == self._asked

    def look(self, places: Places) -> Examined:
        """Raises nothing that a file can cause."""
        if places.root is None:
            return Examined(None, Findings())
        beside = (paths.SETTINGS, paths.PREFERENCE_EXPORT, paths.DECONTAMINATION)
        read = (places.target, *(places.root / each for each in beside), *self._set_files(places.root))
        self._asked = [
            (str(path), signature(path), change_time(path)) for path in (*read, *places.index_files()[1])
        ]
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if self._found[0] == self._asked:
                self._known, self._examined = self._found
        if self._thread is None and self._known != self._asked:
            self._thread = threading.Thread(target=self._examine, args=(places, self._asked), daemon=True)
            self._thread.start()
        if self._known in (None, self._asked) or not self._examined.is_due:
            return self._examined
        return self._examined._replace(doubt=_READING, doubtful=State.STALE)

    def _set_files(self, root: Path) -> list[Path]:
        """The files of the declared sets, those too that were not there at the last look."""
        seen, at = signature(root / paths.SETTINGS), self._clock()
        if seen != self._settings:
            self._settings, self._patterns = seen, set_patterns(root)
            self._followed_at = float("-inf")
        if self._patterns and at - self._followed_at >= _FOLLOWED_EVERY_SECONDS:
            self._followed_at = at
            found = {relative for pattern in self._patterns for relative in matches(root, pattern)}
            self._sets = [root / relative for relative in sorted(found)]
        return self._sets if self._patterns else []

    def _examine(self, places: Places, asked: object) -> None:
        self._found = (asked, evaluation_wall.look(places))
