"""What is being built, how far, and since when, on a terminal: a step may take most of a minute."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from pipeline.platform.drawing import Progress
from pipeline.platform.voice import Voice
from pipeline.reading.durations import lasting_in_words

_TELL_SECONDS = 1.0


class Building:
    """Use as a context; ``step`` begins the next step, of ``steps`` altogether."""

    def __init__(self, voice: Voice, steps: int) -> None:
        self._voice, self._steps = voice, steps
        self._progress = Progress()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._done, self._began = 0, time.monotonic()
        self._ticking = threading.Thread(target=self._tick, name="building", daemon=True)

    def __enter__(self) -> Self:
        self._ticking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._ticking.join()
        self._progress.erase()

    def step(self, doing: str) -> None:
        with self._lock:
            self._done, self._began = self._done + 1, time.monotonic()
            self._voice.note(f"  {self._done} of {self._steps}  {doing}")

    def _tick(self) -> None:
        while not self._ended.wait(_TELL_SECONDS):
            with self._lock:
                lasts = lasting_in_words(time.monotonic() - self._began)
                said = f"step {self._done} of {self._steps} for {lasts} · ctrl+c ends it"
                self._progress.show("building", said, max(0, self._done - 1), self._steps)
