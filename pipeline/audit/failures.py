"""All failures of one check are counted; the first ten are kept as examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.audit.rows import RowFile
from pipeline.checks.runner import EXAMPLES, Outcome
from pipeline.contracts.checks import Example


@dataclass
class Failures:
    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(
        self, text: str, *, file: str | None = None, line: int | None = None, run_id: str | None = None
    ) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Example(file=file, line=line, run_id=run_id, text=text))

    def add_bad_rows(self, files: Iterable[RowFile[object]]) -> None:
        """What the files hold that is no row, once they have been read."""
        for file in files:
            self.count += file.bad_count
            self.examples = (self.examples + file.bad)[:EXAMPLES]

    def outcome(self, examined: int, detail: str, *, observed: str | None = None) -> Outcome:
        """What the check reports. With failures the first of them is the detail."""
        said = detail
        if self.examples:
            which = f" (first of {self.count:,})" if self.count > 1 else ""
            said = f"{self.examples[0]}{which}. {detail}"
        return Outcome(
            examined=max(examined, self.count and 1),
            failed=self.count,
            observed=observed or f"{self.count:,} failed",
            detail=said,
            examples=tuple(self.examples),
        )
