"""Rows that compete in their task: whatever the partitions, tasks are whole and nothing of a row is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine import spool
from pipeline.engine.task_groups import grouped_by_task
from pipeline.settings.model import SftSettings
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.row_limits import LimitedRow, rows_to_hold
from tests.pipeline.engine.test_spool import WAYS, key

TURNS = [b"u" * 8, b"a" * 8, b"A" * 8]
ROWS = st.lists(
    st.builds(
        lambda task, rank, score, turns, talk, is_cut_off: LimitedRow(
            (0, 0), "", "", key(task), rank, score, turns, b"".join(talk), b"", b"", is_cut_off
        ),
        st.integers(0, 5),
        st.integers(-1, 3),
        st.floats(0, 1),
        st.integers(0, 9),
        st.lists(st.sampled_from(TURNS), max_size=5),
        st.booleans(),
    ),
    max_size=50,
).map(
    lambda rows: [
        row._replace(place=(at // 7, at % 7), run_id=f"r\u00fc/{at}", weights=row.turn_keys[::-1])
        for at, row in enumerate(rows)
    ]
)


@given(rows=ROWS, most=st.integers(1, 3))
def test_partitions_hold_the_same_rows_and_lose_nothing_of_them(
    rows: list[LimitedRow], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    limits = SftSettings(max_per_task=most)
    expected = rows_to_hold(lambda: iter(rows), limits, of_tasks=QuarantineReason.TASK_CAP)
    for partitions, kept_bytes in WAYS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(spool, "PARTITIONS", partitions)
            patched.setattr(spool, "KEPT_BYTES", kept_bytes)
            file = tmp_path_factory.mktemp("scratch") / "tasks"
            by_task = grouped_by_task(file)
            groups = list(by_task(rows))
            assert sorted(row for group in groups for row in group) == rows
            tasks = [{row.task_key for row in group} for group in groups]
            assert sum(map(len, tasks)) == len(set().union(*tasks)), "a task is in two groups"
            found = rows_to_hold(
                lambda: iter(rows), limits, of_tasks=QuarantineReason.TASK_CAP, by_task=by_task
            )
            assert dict(found) == dict(expected)
            assert not file.exists(), "the room was not given back"


def test_what_memory_does_not_hold_goes_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "KEPT_BYTES", 0)
    row = LimitedRow((3, 4), "", "r", key("t"), 1, 0.5, 2, b"", b"")
    groups = iter(grouped_by_task(tmp_path / "tasks")([row, row._replace(run_id="s")]))
    first = next(groups)
    assert (tmp_path / "tasks").stat().st_size > 0
    assert [row.run_id for row in first] == ["r", "s"]
    assert list(groups) == []
