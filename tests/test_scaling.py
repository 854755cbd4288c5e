"""What the benchmarks compute from what they measure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks import short_log
from tests.benchmarks.engine_bench import serial_share, speed_up
from tests.benchmarks.scaling import Measured, as_markdown, as_svg, growth
from tests.pipeline.engine.test_bounded_memory import MOST_BYTES_A_LINE

_FOUND = [
    Measured(lines, lines * 3e-4 + 1, 1.0, 0.5, 0.75, 100_000_000 + 60 * lines) for lines in (10_000, 100_000)
]


@pytest.mark.parametrize(
    ("one", "two", "share"), [(10, 5, 0), (10, 10, 1), (10, 5.5, 0.1), (10, 4, 0), (10, 12, 1)]
)
def test_the_serial_share_is_what_a_second_worker_did_not_halve(one: float, two: float, share: float) -> None:
    assert serial_share(one, two) == pytest.approx(share)


def test_what_a_serial_share_allows() -> None:
    assert speed_up(0, 8) == 8
    assert speed_up(1, 32) == 1
    assert speed_up(0.1, 8) == pytest.approx(4.7, abs=0.01)


def test_each_further_line_costs_what_lies_between_the_two_largest() -> None:
    seconds, size = growth(_FOUND)
    assert seconds == pytest.approx(3e-4)
    assert size == pytest.approx(60)


def test_the_page_tells_measured_from_computed() -> None:
    measured, computed = as_markdown(_FOUND, ["a machine"]).split("## Computed, not measured")
    assert "| 100,000 | 31.00 | 310 |" in measured
    assert "| 10,000,000 | 0.83 h | 0.7 GB |" in computed
    assert "## Computed" not in as_markdown(_FOUND[:1], [])


def test_the_picture_has_a_bar_a_size_and_the_dearest_is_the_tallest() -> None:
    heights = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', as_svg(_FOUND))]
    assert len(heights) == 2
    assert heights[0] > heights[1] > 0


def test_the_page_tells_who_held_the_memory_and_what_grows() -> None:
    found = Measured(10_000, 3.0, 1.0, 0.5, 0.75, 9_000_000, {"engine": 4_000_000, "firewall": 2_000_000})
    assert "| 9 MB | 4, 0, 2 |" in as_markdown([found], [])
    grows = as_markdown(_FOUND, []).partition("## What grows with what")[2]
    assert f"the engine keeps to {MOST_BYTES_A_LINE} bytes" in grows


def test_short_lines_are_short_and_the_same_each_time(tmp_path: Path) -> None:
    size = short_log.make_workspace(tmp_path / "one", 1_000)
    assert 90_000 < size < 150_000
    short_log.make_workspace(tmp_path / "other", 1_000)
    one, other = ((tmp_path / name / short_log.SOURCE).read_bytes() for name in ("one", "other"))
    assert one == other
    assert len(set(one.splitlines())) == 1_000
