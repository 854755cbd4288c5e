from __future__ import annotations

from pipeline.contracts import events
from pipeline.contracts.checks import DriftRow, DriftStatus


def test_a_new_metric_without_a_baseline_survives_the_event_stream() -> None:
    row = DriftRow(metric="skips", phase="P2", current=0.0, status=DriftStatus.NEW)
    sent = events.DriftReported(seq=1, at="2026-04-27T06:00:00Z", row=row)
    assert events.decode(events.encode(sent)) == sent
