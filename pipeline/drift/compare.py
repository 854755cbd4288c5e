"""Metrics against their baselines: one row a metric, nothing hidden.

A metric that moved more than ``warn_pct`` is flagged; a flagged one whose z is below ``min_z``
reads ``noisy``, otherwise ``warn``. It is measured against the last baseline and against the
anchor, and the worse of the two counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts import paths
from pipeline.contracts.checks import DriftRow, DriftStatus
from pipeline.drift.baselines import Baselines, BaselineValue
from pipeline.drift.causes import causes_of
from pipeline.drift.measure import Metrics, phase_of_metric, reason_part
from pipeline.drift.statistics import count_shift_z, delta_ratio, rate_shift_z
from pipeline.settings.model import DriftSettings
from pipeline.stages.refusals import LATER_RULES

MOST_TREND = 14
# What an operator must look at comes first; within a status, in the order of the phases.
_ORDER = {
    DriftStatus.MISSING: 0,
    DriftStatus.WARN: 1,
    DriftStatus.NOISY: 2,
    DriftStatus.NEW: 3,
    DriftStatus.SAME: 4,
}


def compare(
    metrics: Metrics,
    baselines: Baselines,
    settings: DriftSettings,
    since: Mapping[str, str] | None = None,
) -> list[DriftRow]:
    """A row for every metric that is measured or has a baseline, flagged ones first.

    ``since`` holds, from the last report, since when a metric has warned.
    """
    since = since or {}
    rows = []
    for name, value in metrics.values.items():
        known = baselines.values.get(name)
        if known is None:
            rows.append(_new(metrics, name, value))
        else:
            rows.append(_known(metrics, name, value, known, baselines, settings, since.get(name)))
    for name, known in baselines.values.items():
        if name not in metrics.values:
            rows.append(_missing(name, known, baselines, since.get(name)))
    return sorted(rows, key=lambda row: _ORDER[row.status] + (row.dismissed is not None))


def _new(metrics: Metrics, name: str, value: float) -> DriftRow:
    return DriftRow(
        metric=name,
        phase=metrics.phases[name],
        kind=metrics.kinds[name],
        current=value,
        status=DriftStatus.NEW,
    )


def _missing(name: str, known: BaselineValue, baselines: Baselines, since: str | None) -> DriftRow:
    seen = baselines.dismissed.get(name)
    return DriftRow(
        metric=name,
        phase=phase_of_metric(name),
        baseline=known.value,
        status=DriftStatus.MISSING,
        trend=_trend(baselines, name),
        since=since,
        anchor=baselines.anchors.get(name),
        dismissed=seen[1] if seen is not None and seen[0] is None else None,
    )


def _known(
    metrics: Metrics,
    name: str,
    value: float,
    known: BaselineValue,
    baselines: Baselines,
    settings: DriftSettings,
    since: str | None,
) -> DriftRow:
    refused = _refused(name)
    then = baselines.values[refused].breakdown if refused in baselines.values else {}
    alike = value + _of_later_rules(metrics, name, then)
    z = shift_z(metrics, name, alike, known.value, known.denominator)
    status = _status(alike, known.value, z, settings)
    anchor = baselines.anchors.get(name)
    if anchor is not None and anchor != known.value:
        # The anchor's own denominator is not kept; the baseline's is of the same order.
        alike = value + _of_later_rules(metrics, name, baselines.anchor_breakdowns.get(refused, {}))
        anchor_z = shift_z(metrics, name, alike, anchor, known.denominator)
        status = min(status, _status(alike, anchor, anchor_z, settings), key=_ORDER.__getitem__)
    seen = baselines.dismissed.get(name)
    flagged = status in (DriftStatus.WARN, DriftStatus.NOISY)
    return DriftRow(
        metric=name,
        phase=metrics.phases[name],
        kind=metrics.kinds[name],
        baseline=known.value,
        current=value,
        delta_ratio=delta_ratio(value, known.value),
        z=None if z is None else round(z, 4),
        status=status,
        trend=(*_trend(baselines, name), value),
        since=since if status is DriftStatus.WARN else None,
        causes=causes_of(known.value, value, known.breakdown, metrics.breakdown.get(name, {}))
        if flagged
        else (),
        anchor=anchor,
        anchor_delta_ratio=None if anchor is None else delta_ratio(value, anchor),
        dismissed=seen[1] if seen is not None and seen[0] == value and status is DriftStatus.WARN else None,
    )


def _of_later_rules(metrics: Metrics, name: str, known: Mapping[str, float]) -> float:
    """What rules that a baseline does not know take from a count of exported rows, or add to refused ones.

    ``known`` is the baseline's breakdown of the refused rows. Rows that an upgrade alone moves from an
    export to its quarantine are no drift; a baseline that this release took names every rule, with 0
    where it refused nothing (``LATER_RULES``), and is compared as it stands.
    """
    parts = metrics.breakdown.get(_refused(name), {})
    unknown = sum(parts.get(part, 0.0) for part in map(reason_part, LATER_RULES) if part not in known)
    return -unknown if name.startswith("quarantined_") else unknown


def _refused(name: str) -> str:
    """The metric that breaks down by reason what a metric of an export lacks; none for other metrics."""
    exports = {f"{export}_rows": f"quarantined_{export}" for export in paths.EXPORT_FILES}
    return exports.get(name, name if name in exports.values() else "")


def shift_z(
    metrics: Metrics, name: str, value: float, baseline: float, baseline_rows: int | None
) -> float | None:
    """z of a count or a rate; None for a size, whose noise nobody has measured."""
    kind = metrics.kinds[name]
    if kind == "count":
        return count_shift_z(value, max(0.0, baseline))
    if kind == "rate":
        rows = metrics.denominators[name]
        return rate_shift_z(value, rows, min(1.0, max(0.0, baseline)), baseline_rows or rows)
    return None


def _status(value: float, baseline: float, z: float | None, settings: DriftSettings) -> DriftStatus:
    if value == baseline:
        return DriftStatus.SAME
    if value == 0:
        return DriftStatus.WARN
    ratio = delta_ratio(value, baseline)
    if ratio is not None and abs(ratio) * 100 <= settings.warn_pct:
        return DriftStatus.SAME
    return DriftStatus.NOISY if z is not None and z < settings.min_z else DriftStatus.WARN


def _trend(baselines: Baselines, name: str) -> tuple[float, ...]:
    return tuple(baselines.history.get(name, ())[-MOST_TREND:])
