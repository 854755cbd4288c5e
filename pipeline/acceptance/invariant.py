"""What the groups of invariants share: how one is declared, and how it counts what broke it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.acceptance.scene import Scene
from pipeline.checks.runner import EXAMPLES, Outcome
from pipeline.contracts.checks import Example

Results = Callable[[str], Any]
"""Gives a job's result. Raises IntegrityError or JobError."""


@dataclass(frozen=True)
class Invariant:
    """``needs`` are the jobs that ``judge`` looks at; they are carried out before it is asked."""

    needs: tuple[str, ...]
    judge: Callable[[Scene, Results], Outcome]


class Tally:
    """Counts what was examined and what was wrong, and keeps the first wrong ones."""

    def __init__(self) -> None:
        self.examined = 0
        self.failed = 0
        self._examples: list[Example] = []

    def look(self, good: bool, text: str, **place: Any) -> None:
        """One thing was examined; ``text`` says what is wrong with it when it is not ``good``."""
        self.examined += 1
        if not good:
            self.wrong(text, **place)

    def wrong(self, text: str, **place: Any) -> None:
        """Something is wrong that is not counted as examined: what should be there is not."""
        self.failed += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(Example(text=text, **place))

    def outcome(self, observed: str, *, threshold: str = "0 failed") -> Outcome:
        """``observed`` says what was looked at; the first wrong thing becomes the detail."""
        return Outcome(
            examined=max(self.examined, self.failed),
            failed=self.failed,
            observed=observed,
            detail=self._examples[0].text if self._examples else "",
            threshold=threshold,
            examples=tuple(self._examples),
        )
