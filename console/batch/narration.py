"""What a batch says while it works, on standard error.

Where a person watches, one line that renews itself: rows, rate, time left. Elsewhere one quiet
line for each part that has ended.
"""

from __future__ import annotations

import time
from typing import TextIO

from console.batch.outcome import PartOutcome
from console.batch.parts import Part
from console.presentation.counts import rate
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import Json, count_of, number_of, text_of
from pipeline.reading.durations import took_in_words

REDRAW_SECONDS = 0.2
_LINE_CHARACTERS = 78


class Narration:
    """Writes to ``file``; ``lively`` where it is a terminal."""

    def __init__(self, file: TextIO, *, lively: bool) -> None:
        self._file = file
        self._lively = lively
        self._part: Part | None = None
        self._began = 0.0
        self._drawn = 0.0
        self._checks = 0

    def begins(self, part: Part) -> None:
        self._part, self._began, self._drawn, self._checks = part, time.monotonic(), 0.0, 0
        self._draw(f"{part} …")

    def event(self, event: Json) -> None:
        """Show an event where somebody watches, at most a few times a second."""
        if not self._lively or self._part is None:
            return
        match event.get("type"):
            case "stage.progress":
                doing = self._progress(event)
            case "check.result":
                self._checks += 1
                doing = f"{self._checks} checks"
            case "stage.started":
                doing = text_of(event, "stage") or ""
            case _:
                return
        now = time.monotonic()
        if doing and now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            self._draw(f"{self._part} {took_in_words(now - self._began)} {doing}")

    def ended(self, outcome: PartOutcome) -> None:
        took = took_in_words(outcome.elapsed_seconds)
        line = f"{outcome.part:<15} {outcome.word:<14} {took:>7}  {outcome.said}"
        if outcome.detail:
            line = f"{line}  {outcome.detail}"
        start = "\r\x1b[K" if self._lively else ""
        self._write(f"{start}{visible(line, 400).rstrip()}\n")

    def _progress(self, event: Json) -> str:
        rows, speed = count_of(event, "rows_in") or 0, number_of(event, "rows_per_second")
        done, total = count_of(event, "bytes_done") or 0, count_of(event, "bytes_total")
        pieces = [text_of(event, "stage") or "", f"{rows:,} rows", rate(speed)]
        if total and done:
            share = min(1.0, done / total)
            left = (time.monotonic() - self._began) * (1 - share) / share
            pieces.append(f"{share:.0%}, {took_in_words(left)} left")
        return " ".join(piece for piece in pieces if piece)

    def _draw(self, text: str) -> None:
        if self._lively:
            self._write(f"\r\x1b[K{visible(text, _LINE_CHARACTERS)}")

    def _write(self, text: str) -> None:
        encoding = self._file.encoding or "ascii"
        try:
            self._file.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._file.flush()
        except OSError:
            self._lively = False  # nobody listens any more; the batch goes on
