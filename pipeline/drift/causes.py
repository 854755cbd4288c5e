"""What moved a metric: the parts that contribute most of the change, each with its share."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts.checks import DriftCause

MOST_CAUSES = 3
# A part that explains less than this of the change is noise beside the others.
MIN_SHARE = 0.05


def causes_of(
    baseline: float, current: float, before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[DriftCause, ...]:
    """The largest contributions, per dimension at most three, largest first.

    ``before`` and ``after`` are breakdowns (parts called ``dimension:name``); within a dimension
    the shares of all parts add up to 1. Nothing is said when one of them is missing.
    """
    change = current - baseline
    if not change or not before or not after:
        return ()
    by_dimension: dict[str, list[DriftCause]] = {}
    for part in sorted(set(before) | set(after)):
        old, new = before.get(part, 0.0), after.get(part, 0.0)
        share = (new - old) / change
        if abs(share) < MIN_SHARE:
            continue
        dimension, _, name = part.partition(":")
        cause = DriftCause(dimension=dimension, name=name, baseline=old, current=new, share=round(share, 4))
        by_dimension.setdefault(dimension, []).append(cause)
    found: list[DriftCause] = []
    for causes in by_dimension.values():
        found += sorted(causes, key=lambda cause: -abs(cause.share))[:MOST_CAUSES]
    return tuple(found)
