"""What a batch says while it works, on standard error.

Where a person watches, one line that renews itself: rows, rate, time left. Elsewhere one quiet
line for each part that has ended.
"""

from __future__ import annotations

import time

from console.batch.outcome import PartOutcome
from console.batch.parts import Part
from pipeline.contracts.untrusted import visible
from pipeline.platform.drawing import Progress
from pipeline.platform.lenient_json import Json, text_of
from pipeline.platform.voice import Voice
from pipeline.reading.durations import took_in_words

REDRAW_SECONDS = 0.2


class Narration:
    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._progress = Progress()
        self._part: Part | None = None
        self._drawn = 0.0
        self._checks = 0

    def begins(self, part: Part) -> None:
        self._part, self._drawn, self._checks = part, 0.0, 0
        self._progress.show(str(part))

    def event(self, event: Json) -> None:
        """Show an event where somebody watches, at most a few times a second."""
        self._checks += event.get("type") == "check.result"
        now = time.monotonic()
        if self._part is None or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        match event.get("type"):
            case "stage.progress":
                self._progress.event(event, f"{self._part} ")
            case "check.result":
                self._progress.show(str(self._part), f"{self._checks} checks")
            case "stage.started":
                self._progress.show(f"{self._part} {text_of(event, 'stage') or ''}")
            case _:
                pass

    def ended(self, outcome: PartOutcome) -> None:
        took = took_in_words(outcome.elapsed_seconds)
        line = f"{outcome.part:<15} {outcome.word:<14} {took:>7}  {outcome.said}"
        if outcome.detail:
            line = f"{line}  {outcome.detail}"
        self._voice.note(visible(line, 400).rstrip())
