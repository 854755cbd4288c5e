"""Tier-1 streams without a byte, but for those whose emptiness somebody accepted with a note."""

from __future__ import annotations

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.facts import Facts


def glance(facts: Facts) -> Answer:
    missing, accepted = facts.sources.empty_tier_1, facts.sources.accepted
    if trouble := facts.settings.trouble or facts.sources.trouble:
        return Answer(Verdict.UNKNOWN, trouble, facts.now)
    if missing:
        return Answer(Verdict.DETECTED, f"no rows: {', '.join(missing)}", facts.now)
    return Answer(Verdict.CLEAR, "; ".join(accepted) or "every tier-1 stream has rows", facts.now)
