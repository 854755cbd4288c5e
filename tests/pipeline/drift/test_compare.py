"""The drift table: which status each movement has, what moved it, and the statistics behind it."""

from __future__ import annotations

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.checks import DriftRow, DriftStatus
from pipeline.drift.baselines import Baselines, BaselineValue
from pipeline.drift.compare import compare
from pipeline.drift.measure import Kind, Metrics
from pipeline.drift.statistics import count_shift_z, delta_ratio, rate_shift_z
from pipeline.settings.model import DriftSettings
from pipeline.stages.refusals import LATER_RULES

SETTINGS = DriftSettings()


def row_for(
    baseline: float | None,
    current: float | None,
    *,
    kind: Kind = "count",
    rows: int = 1000,
    anchor: float | None = None,
    dismissed: tuple[float, str] | None = None,
    settings: DriftSettings = SETTINGS,
) -> DriftRow:
    metrics, baselines = Metrics(), Baselines()
    if current is not None:
        metrics.add("m", "P2", current, kind, of=rows if kind == "rate" else None)
    if baseline is not None:
        baselines.values["m"] = BaselineValue(baseline, 1, "", rows, {})
        baselines.anchors["m"] = baseline if anchor is None else anchor
    if dismissed is not None:
        baselines.dismissed["m"] = dismissed
    return compare(metrics, baselines, settings)[0]


@pytest.mark.parametrize(
    ("baseline", "current", "kind", "status"),
    [
        (1000, 1000, "count", "same"),
        (1000, 1199, "count", "same"),
        (1000, 1201, "count", "warn"),
        (1000, 700, "count", "warn"),
        (6, 8, "count", "noisy"),
        (0, 0, "count", "same"),
        (0, 2, "count", "noisy"),
        (0, 40, "count", "warn"),
        (3, 0, "count", "warn"),
        (0.05, 0.0, "rate", "warn"),
        (0.50, 0.55, "rate", "same"),
        (0.10, 0.20, "rate", "warn"),
        (0.010, 0.013, "rate", "noisy"),
        (100, 130, "size", "warn"),
        (None, 5, "count", "new"),
        (5, None, "count", "missing"),
    ],
)
def test_a_movement_has_its_status(
    baseline: float | None, current: float | None, kind: Kind, status: str
) -> None:
    assert row_for(baseline, current, kind=kind).status == DriftStatus(status)


def test_min_z_zero_restores_the_plain_rule() -> None:
    assert row_for(6, 8, settings=DriftSettings(min_z=0.0)).status is DriftStatus.WARN


def test_many_small_steps_are_seen_against_the_anchor() -> None:
    row = row_for(1000, 1150, anchor=500)
    assert row.status is DriftStatus.WARN
    assert row.delta_ratio == 0.15
    assert row.anchor_delta_ratio == 1.3


def test_a_dismissed_value_does_not_warn_until_it_moves() -> None:
    seen = row_for(1000, 1500, dismissed=(1500, "new agents joined"))
    assert seen.dismissed == "new agents joined"
    assert not seen.warns
    moved = row_for(1000, 1501, dismissed=(1500, "new agents joined"))
    assert moved.warns


def test_a_missing_metric_counts_as_a_warning_and_a_new_or_noisy_one_does_not() -> None:
    assert [row.warns for row in (row_for(5, None), row_for(None, 5), row_for(6, 8))].count(True) == 1


def test_what_moved_a_metric_is_named_with_its_share() -> None:
    metrics, baselines = Metrics(), Baselines()
    metrics.add("evidence_rows", "P2", 200, parts={"stream:a": 100, "stream:b": 100, "model:x": 200})
    before = {"stream:a": 100.0, "stream:b": 20.0, "model:x": 120.0}
    baselines.values["evidence_rows"] = BaselineValue(120, 1, "", None, before)
    row = compare(metrics, baselines, SETTINGS)[0]
    assert [(cause.dimension, cause.name, cause.share) for cause in row.causes] == [
        ("model", "x", 1.0),
        ("stream", "b", 1.0),
    ]


def test_flagged_rows_come_first_and_nothing_is_hidden() -> None:
    metrics, baselines = Metrics(), Baselines()
    for name, value in (("quiet", 100), ("moved", 500), ("fresh", 1)):
        metrics.add(name, "P2", value)
    for name in ("quiet", "moved", "gone"):
        baselines.values[name] = BaselineValue(100, 1, "", None, {})
    rows = compare(metrics, baselines, SETTINGS)
    assert [row.metric for row in rows] == ["gone", "moved", "fresh", "quiet"]


# z of counts and rates: known values, symmetry, and what nothing can be said of


def test_what_must_be_looked_at_comes_first_whatever_its_place_among_the_metrics() -> None:
    metrics, baselines = Metrics(), Baselines()
    measured = {"same": (100, 100), "new": (None, 9), "noisy": (6, 8), "seen": (100, 900), "warn": (100, 500)}
    for name, (before, now) in measured.items():
        metrics.add(name, "P2", now)
        if before is not None:
            baselines.values[name] = BaselineValue(before, 1, "", None, {})
    for name in ("dropped", "gone"):
        baselines.values[name] = BaselineValue(100, 1, "", None, {})
    baselines.dismissed = {"seen": (900, "new agents joined"), "dropped": (None, "its stream ended")}
    rows = compare(metrics, baselines, SETTINGS)
    assert [row.metric for row in rows] == ["gone", "warn", "dropped", "noisy", "seen", "new", "same"]


def test_since_when_is_told_of_what_warns_and_of_what_is_missing() -> None:
    metrics, baselines = Metrics(), Baselines()
    for name, before, now in (("warn", 100, 500), ("noisy", 6, 8), ("same", 100, 100), ("gone", 100, None)):
        baselines.values[name] = BaselineValue(before, 1, "", None, {})
        if now is not None:
            metrics.add(name, "P2", now)
    known = dict.fromkeys(("warn", "noisy", "same", "gone"), "2026-01-01T00:00:00Z")
    told = {row.metric: row.since for row in compare(metrics, baselines, SETTINGS, known)}
    assert told == {"warn": known["warn"], "gone": known["gone"], "noisy": None, "same": None}


def test_the_surprise_is_told_with_four_decimals() -> None:
    assert row_for(1000, 1100).z == 2.1824


def test_known_values() -> None:
    assert isclose(count_shift_z(8, 6), sqrt(2) * (sqrt(8.375) - sqrt(6.375)))
    assert round(count_shift_z(3675, 2555), 1) == 14.2
    assert round(rate_shift_z(0.24, 1000, 0.20, 1000), 2) == 2.16


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_count_shift_is_symmetric_and_zero_only_without_change(one: int, other: int) -> None:
    assert count_shift_z(one, other) == count_shift_z(other, one) >= 0
    assert (count_shift_z(one, other) == 0) == (one == other)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_rate_shift_is_finite(one: float, other: float, rows: int, other_rows: int) -> None:
    assert 0 <= rate_shift_z(one, rows, other, other_rows) < float("inf")


def test_a_negative_count_is_refused_and_a_zero_baseline_has_no_percentage() -> None:
    with pytest.raises(ValueError, match="negative"):
        count_shift_z(-1, 2)
    assert delta_ratio(5, 0) is None
    assert rate_shift_z(0.5, 0, 0.1, 10) == 0.0


def of_rag(
    rows: float, refused: dict[str, float], then: tuple[float, dict[str, float]], anchor: float | None = None
) -> DriftStatus:
    """The status of ``rag_rows``; ``then`` is the baseline: rows, and the refused ones by part."""
    metrics, baselines = Metrics(), Baselines()
    metrics.add("rag_rows", "P4", rows)
    metrics.add("quarantined_rag", "P4", sum(refused.values()), parts=refused)
    baselines.values["rag_rows"] = BaselineValue(then[0], 1, "", None, {})
    baselines.values["quarantined_rag"] = BaselineValue(sum(then[1].values()), 1, "", None, then[1])
    if anchor is not None:
        baselines.anchors["rag_rows"] = anchor
        baselines.anchor_breakdowns["quarantined_rag"] = {"reason:too_long": 1}
    return {row.metric: row.status for row in compare(metrics, baselines, SETTINGS)}["rag_rows"]


BEFORE: dict[str, float] = {"reason:too_long": 5}
SINCE: dict[str, float] = {"reason:too_long": 5, **{f"reason:{rule}": 0 for rule in LATER_RULES}}


@pytest.mark.parametrize(
    ("rows", "taken", "then", "status"),
    [
        (400, 600, BEFORE, "same"),
        (400, 600, {}, "same"),
        (400, 300, BEFORE, "warn"),
        (400, 600, SINCE, "warn"),
        (1000, 0, SINCE, "same"),
    ],
)
def test_rows_that_a_later_rule_takes_are_no_drift_where_the_baseline_is_older(
    rows: float, taken: float, then: dict[str, float], status: str
) -> None:
    """An upgrade alone never warns; the same move under a baseline that knows the rule does."""
    refused = {"reason:too_long": 5.0, "reason:better_playbook": taken, "reason:prefix_of": 0.0}
    assert of_rag(rows, refused, (1000, then)) == status


def test_an_older_anchor_is_held_to_as_it_was_taken() -> None:
    refused = {"reason:too_long": 5.0, "reason:better_playbook": 600.0, "reason:prefix_of": 0.0}
    assert of_rag(400, refused, (400, SINCE | {"reason:better_playbook": 600}), anchor=1000) == "same"
    assert of_rag(400, refused, (400, SINCE | {"reason:better_playbook": 600}), anchor=2000) == "warn"
