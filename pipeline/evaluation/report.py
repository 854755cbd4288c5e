"""``exports/decontamination.json``: which sets were looked for, and what was found of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.evaluation.overlap import Overlap, Overlaps, counts_by_set

REPORT_VERSION = 1


def decontamination_report(overlaps: Overlaps, judged: Sequence[tuple[str, list[Overlap]]]) -> dict[str, Any]:
    """The report as plain JSON. Nothing declared is *not checked*, never clear.

    ``judged`` is what ``Overlaps.finish`` found, in the order of the rows: (run id, overlaps). Of
    one row the worst overlap is told, and how many more there are.
    """
    refused = counts_by_set(found for _, found in judged)
    return {
        "schema_version": REPORT_VERSION,
        "checked": bool(overlaps.index.sets),
        "sets": [
            {
                "name": facts.name,
                "items": facts.items,
                "sides": facts.sides,
                "sides_too_short": facts.unchecked,
                "common_ngrams": facts.common_grams,
                "sha256": facts.digest,
                "rows_refused": refused[facts.name],
            }
            for facts in overlaps.index.sets
        ],
        "ngrams_common_to_tasks": overlaps.common_grams,
        "rows": [
            {
                "run_id": run_id,
                "set": found[0].target.set_name,
                "item": found[0].target.line,
                "side": found[0].target.side,
                "coverage": round(found[0].coverage, 4),
                "thirteen_words": found[0].long_gram,
                "whole": found[0].whole,
                "refused": found[0].is_refused,
                "more": len(found) - 1,
            }
            for run_id, found in judged
        ],
    }
