"""Playbooks and pairs for a watcher: compared in a thread, again whenever a file behind the verdict changed.

What a look found counts only if everything still stands as it did when that look began, so that files of
two runs are never compared with each other.
"""

from __future__ import annotations

import threading

from pipeline.contracts import paths
from pipeline.contracts.finding_words import FIRST_READING
from pipeline.firewall import other_exports
from pipeline.firewall.index import Index
from pipeline.firewall.other_exports import FILES, Compared
from pipeline.firewall.places import Places, change_time, signature
from pipeline.firewall.report import Findings, State


class OtherExportsWatch:
    """``look`` says what is known now; what is known of older files is never called clear."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._asked: object = None
        self._known: object = None
        self._compared = Compared(Findings(), f"the other exports: {FIRST_READING}")
        self._found: tuple[object, Compared] = (None, self._compared)

    @property
    def is_settled(self) -> bool:
        return self._thread is None and self._known == self._asked

    def look(self, places: Places, index: Index | None, reading: int) -> Compared:
        """What is known now. ``reading`` tells one state of the index from another.

        ``index`` None: it is not to be relied on now. Nothing is asked then, and what was found stands.
        """
        if places.root is None or not places.is_live:
            return Compared(Findings())
        if index is None:
            return self._compared
        read = [places.root / each for each in (paths.EXPORT_MANIFEST, *FILES.values())]
        self._asked = (reading, [(signature(path), change_time(path)) for path in read])
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if self._found[0] == self._asked:
                self._known, self._compared = self._found
        if self._known == self._asked:
            return self._compared
        if self._thread is None:
            given = (places, index.for_thread(), self._asked)
            self._thread = threading.Thread(target=self._compare, args=given, daemon=True)
            self._thread.start()
        if self._known is None:
            return self._compared
        return self._compared._replace(doubt="the other exports are read again", doubtful=State.STALE)

    def _compare(self, places: Places, index: Index, asked: object) -> None:
        self._found = (asked, other_exports.compare(places, index))
