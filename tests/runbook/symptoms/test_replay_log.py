"""S6.replay-log: what its rows tell, and what rotation leaves. Its drill takes the rotation back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from runbook.probes.workspace import Workspace
from runbook.symptoms.s6_replay_log import LOG, THRESHOLD_MB
from tests.runbook.symptoms.walked import cause, diagnosed, filled, repaired, verdict

ID = "S6.replay-log"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "w", more_settings="[rotation]\nreplay_log_mb = 0.01\n").root


def _log(root: Path, *, dated: bool) -> bytes:
    rows = [
        {"n": number, "text": "x" * 500}
        | ({"recorded_at": f"2026-01-{number + 1:02}T00:00:00Z"} if dated else {})
        for number in range(31)
    ]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (root / LOG).write_bytes(data)
    return data


def test_growth_and_the_time_until_the_disk_is_full_are_told_from_the_rows_own_times(
    root: Path,
) -> None:
    assert verdict(root, ID) == "clear"
    data = _log(root, dated=True)
    assert cause(root, ID) == ("grown", "certain")
    probe = diagnosed(root, ID)["probes"][0]["data"]
    assert probe["daily"] == pytest.approx(len(data) / 30)
    assert probe["until_full"] == pytest.approx(probe["free"] / probe["daily"])


def test_rows_without_a_time_are_honestly_unknown_and_still_rotated(root: Path) -> None:
    data = _log(root, dated=False)
    assert cause(root, ID) == ("unknown", "unknown")
    repaired(root, ID)
    assert (root / LOG).read_bytes() == b""
    [archive] = (root / LOG).parent.glob("replay_runs.archive.*.jsonl.gz")
    assert gzip.decompress(archive.read_bytes()) == data
    assert verdict(root, ID) == "clear"


@pytest.mark.parametrize("value", ["0", "-1", "true", '"many"'])
def test_a_threshold_that_cannot_be_used_is_the_default(tmp_path: Path, value: str) -> None:
    (tmp_path / "distill.toml").write_text(f"[rotation]\nreplay_log_mb = {value}\n")
    assert Workspace(tmp_path).facts().settings.number(THRESHOLD_MB) == 100.0
