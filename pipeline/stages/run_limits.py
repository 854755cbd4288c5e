"""What ``[export]`` asks of one run beyond the exporters' own rules: its category, score, personal data.

``row_limits`` has the limits that count rows.
"""

from __future__ import annotations

from typing import Any

from pipeline.contracts.categories import ACCEPTED, PARTIALLY_ACCEPTED
from pipeline.stages.export_options import ExportOptions, RowLimits
from pipeline.stages.personal import kinds_of
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.sample import Sample


def verdict_refusal(scored: dict[str, Any], limits: RowLimits) -> Refusal | None:
    """Why a good run is left out by its verdict: its category, or a score below ``partial_at``."""
    category, score = scored["category"], scored["score"]
    if category not in (ACCEPTED, PARTIALLY_ACCEPTED):
        return None  # the walls' business, each of which has to hold alone
    if category not in limits.categories:
        return Refusal(QuarantineReason.CATEGORY_LEFT_OUT, category)
    least = limits.partial_at.get(scored["stream"])
    if category == PARTIALLY_ACCEPTED and least is not None and score < least:
        return Refusal(QuarantineReason.BELOW_PARTIAL_AT, f"score {score:g}, partial_at is {least:g}")
    return None


def personal_refusal(sample: Sample | Refusal | None, options: ExportOptions) -> Refusal | None:
    """Why a run with personal data is left out, where ``pii`` says that it shall be."""
    if options.pii != "refuse" or not isinstance(sample, Sample) or not sample.holds.personal:
        return None
    return Refusal(QuarantineReason.PII_FOUND, " ".join(kinds_of(sample.holds.personal)))
