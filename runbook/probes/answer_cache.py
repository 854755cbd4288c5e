"""Remembers an answer until something that it was asked about is touched.

Detectors look every few seconds, and several at once; what takes seconds to ask is asked once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from runbook.probes.workspace import Workspace

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Known(Generic[Answer]):
    question: tuple[str, ...]
    asked_at: float
    answer: Answer


class AnswerCache(Generic[Answer]):
    """The last answer alone is kept: whoever asks otherwise meanwhile asks anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: _Known[Answer] | None = None

    def answer(self, workspace: Workspace, question: tuple[str, ...], ask: Callable[[], Answer]) -> Answer:
        """What ``ask`` said, now or since the last touch. Raises what ``ask`` raises."""
        whole = (str(workspace.root), *question)
        with self._lock:
            known = self._known
            is_same = known is not None and known.question == whole
            if known is not None and is_same and not workspace.is_touched_since(known.asked_at):
                return known.answer
            asked_at = time.time()
            found = ask()
            self._known = _Known(whole, asked_at, found)
            return found
