"""The evaluation wall for a watcher: looked at in a thread, again whenever a file that it reads changed."""

from __future__ import annotations

import threading

from pipeline.contracts import paths
from pipeline.contracts.finding_words import FIRST_READING
from pipeline.firewall import evaluation_wall
from pipeline.firewall.evaluation_wall import Examined
from pipeline.firewall.places import Places, signature
from pipeline.firewall.report import Findings, State

_READING = "reading again, a file changed"


class EvaluationWatch:
    """``look`` says what is known now; what is known of older files is never called clear."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._asked: object = None
        self._known: object = None
        self._examined = Examined(None, Findings(), FIRST_READING)

    @property
    def is_settled(self) -> bool:
        return self._thread is None and self._known == self._asked

    def look(self, places: Places) -> Examined:
        """Raises nothing that a file can cause."""
        if places.root is None:
            return Examined(None, Findings())
        beside = (paths.SETTINGS, paths.PREFERENCE_EXPORT, paths.DECONTAMINATION)
        read = (places.target, *(places.root / each for each in beside))
        self._asked = [signature(path) for path in (*read, *places.index_files()[1])]
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
        if self._thread is None and self._known != self._asked:
            self._thread = threading.Thread(target=self._examine, args=(places, self._asked), daemon=True)
            self._thread.start()
        if self._known in (None, self._asked) or not self._examined.is_due:
            return self._examined
        return self._examined._replace(doubt=_READING, doubtful=State.STALE)

    def _examine(self, places: Places, asked: object) -> None:
        self._examined = evaluation_wall.look(places)
        self._known = asked
