"""Garbage, pipes and paths that leave in place of reports: a note, never an error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import paths
from pipeline.contracts.status import PhaseState
from tests.console.workspaces import (
    RUN_ID,
    phase,
    read,
    symptoms,
    workspace_after_a_run,
    write,
)


def test_an_unreadable_report_costs_its_pane_and_a_note(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.summary_file(RUN_ID), b"\x00garbage")
    status = read(root)
    assert symptoms(status) == ["S1.P5.summary"]
    assert phase(status, "P5").state is PhaseState.FAIL
    assert any("summary.json cannot be read" in note for note in status.notes)
    assert status.git.note == "not a git repository"


def test_a_fifo_and_a_directory_in_place_of_reports_block_nothing(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    os.mkfifo(root / paths.AUDIT_DATA)
    (root / paths.ACCEPTANCE_DATA).mkdir()
    (root / paths.SETTINGS).unlink()
    os.mkfifo(root / paths.SETTINGS)
    status = read(root)
    assert len(status.notes) >= 2
    assert phase(status, "P3").state is PhaseState.OK


def test_a_receipt_that_points_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.summary_file(RUN_ID)
    summary = json.loads(path.read_text())
    summary["stages"][0]["receipt"] = "../../etc/passwd"
    summary["stages"][1]["receipt"] = "/etc/passwd"
    path.write_text(json.dumps(summary))
    observed = read(root).symptoms[0].observed
    assert observed == "materialize: the receipt's path is missing or leaves the workspace (+1 more)"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_report_holds_the_status_is_made(tmp_path_factory: Any, data: st.DataObject) -> None:
    root = workspace_after_a_run(tmp_path_factory.mktemp("w"))
    reports = (
        paths.summary_file(RUN_ID),
        paths.receipts_folder(RUN_ID) / "export.json",
        paths.AUDIT_DATA,
        paths.ACCEPTANCE_DATA,
        paths.RELEASE_MANIFEST,
    )
    for relative in data.draw(st.sets(st.sampled_from(reports), min_size=1)):
        keys = (
            "checks",
            "stages",
            "counts",
            "streams",
            "gates",
            "drift",
            "firewall",
            "inputs",
            "outputs",
            "ok",
            "finished_at",
        )
        value = data.draw(_JSON | st.dictionaries(st.sampled_from(keys), _JSON))
        try:
            text = json.dumps(value)
        except ValueError:
            continue
        write(root, relative, data.draw(st.sampled_from((text.encode(), text.encode()[:-1], b""))))
    status = read(root)
    assert [known.id for known in status.phases] == [f"P{number}" for number in range(10)]
