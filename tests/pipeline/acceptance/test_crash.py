"""The points at which A20 kills are the engine's own, all of them."""

from __future__ import annotations

from pipeline.acceptance.crash import CRASH_VARIABLE, POINTS
from pipeline.engine import commit_points


def test_every_commit_point_is_tried_in_the_order_of_a_run() -> None:
    assert tuple(dict.fromkeys(point.split(":")[0] for point in POINTS)) == commit_points.NAMES
    assert CRASH_VARIABLE == commit_points.VARIABLE
