"""One format's rows, read from what a run wrote: each with its split, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.formats.format import Row, Source
from pipeline.formats.labelled import LabelledRuns
from pipeline.formats.sources import CANONICAL, ROW_ERRORS, Claim, Written, canonical_rows, no_row
from pipeline.stages.export_options import ExportOptions
from pipeline.stages.refusals import Refusal

Convert = Callable[[Row], list[Row] | Row | Refusal]


class Converted(NamedTuple):
    row: Row
    split: str
    row_id: str
    tokens: int


@dataclass
class Reading:
    """Reads a source again and again; the last time is what ``claims`` are of."""

    workspace: Path
    source: Source
    written: Written
    options: ExportOptions
    may_appear: Callable[[str], None] | None = None
    claims: list[Claim] = field(default_factory=list)
    _labelled: LabelledRuns | None = None

    def rows(self, convert: Convert) -> Iterator[Converted | Refusal]:
        """Every row, converted. Raises IntegrityError at the end when the source is not what a run wrote.

        ``may_appear`` is told the sha256 of a canonical export that was read, and raises when it is not to
        be used.
        """
        self.claims = []
        for row in self._source_rows():
            if isinstance(row, Refusal):
                yield row
                continue
            try:
                converted = convert(row)
                if isinstance(converted, Refusal):
                    yield converted
                    continue
                for made in converted if isinstance(converted, list) else [converted]:
                    yield Converted(made, row["split"], row["id"], row["estimated_tokens"])
            except ROW_ERRORS as error:
                raise no_row(self.claims[-1]) from error

    def _source_rows(self) -> Iterator[Row | Refusal]:
        if self.source == "labelled":
            if self._labelled is None:
                self._labelled = LabelledRuns(self.workspace, self.written, self.options)
            yield from self._labelled.outcomes(self.claims)
            return
        claim = Claim(str(CANONICAL[self.source]))
        self.claims.append(claim)
        yield from canonical_rows(self.workspace, self.source, claim)
        self.written.check(claim)
        if self.may_appear is not None:
            self.may_appear(claim.hasher.hexdigest())
