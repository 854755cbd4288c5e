from __future__ import annotations

import stat
from pathlib import Path

import pytest

from console.cli import distill
from pipeline.contracts.faults import ExitCode
from tests.console.workspaces import workspace_after_a_run


def test_a_textfile_is_written_for_others_to_read(tmp_path: Path) -> None:
    root, place = workspace_after_a_run(tmp_path / "w"), tmp_path / "distill.prom"
    arguments = ["metrics", "--firewall-seconds", "0", "--out", str(place)]
    assert distill.main(["-C", str(root), *arguments]) == ExitCode.OK
    assert place.read_text().startswith("# HELP distill_status_read_timestamp_seconds ")
    assert stat.S_IMODE(place.stat().st_mode) & stat.S_IRUSR
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["distill.prom"]


def test_a_name_that_no_collector_reads_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    assert distill.main(["-C", str(root), "metrics", "--out", str(tmp_path / "m.txt")]) == ExitCode.USAGE
    assert "Name it m.prom" in capsys.readouterr().err


def test_without_a_place_the_text_goes_to_standard_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    assert distill.main(["-C", str(root), "metrics", "--firewall-seconds", "0"]) == ExitCode.OK
    assert 'distill_firewall_state{state="CLEAR"} ' in capfd.readouterr().out
