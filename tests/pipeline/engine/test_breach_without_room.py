"""A breach whose bytes cannot be kept: nothing is half written, and the alarm is told all the same."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.engine import standing_export
from pipeline.engine.standing_export import StandingExport
from pipeline.platform import disk
from pipeline.platform.firewall import Breach, Report
from pipeline.settings.model import Settings

SFT = paths.SFT_EXPORT


def test_a_breach_that_the_disk_has_no_room_for_is_refused_before_a_byte_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"12345")
    standing: Any = SimpleNamespace(_session=SimpleNamespace(workspace=tmp_path))
    monkeypatch.setattr(os, "fstatvfs", lambda _file: SimpleNamespace(f_bavail=4, f_frsize=1))
    monkeypatch.setattr(disk, "write_all", lambda *_: pytest.fail("written"))
    with pytest.raises(StorageError) as raised:
        StandingExport._copy(standing, "a.jsonl", tmp_path / "kept")
    assert raised.value.fault.code == "disk_full"
    assert "its 5 bytes do not fit" in raised.value.fault.what_happened
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_breach_that_cannot_be_kept_is_an_event_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SFT).parent.mkdir(parents=True)
    (tmp_path / SFT).write_bytes(b"12345")
    said: list[dict[str, Any]] = []
    session: Any = SimpleNamespace(
        workspace=tmp_path,
        pipeline_run_id="20260101T000000Z-000001",
        interruptible=contextlib.nullcontext,
        check_stop=lambda: None,
        events=SimpleNamespace(emit=lambda _type, **values: said.append(values)),
    )
    answer = Breach(Report(forbidden_rows=1, findings_count=1))
    question = SimpleNamespace(answer=lambda _stop: answer)
    monkeypatch.setattr(standing_export, "start_firewall", lambda _workspace: question)
    standing = StandingExport(session, Settings(), (str(SFT),))
    monkeypatch.setattr(os, "fstatvfs", lambda _file: SimpleNamespace(f_bavail=4, f_frsize=1))
    with pytest.raises(StorageError):
        standing.look()
    assert standing.exit_code == 10
    assert [(each["state"], each["forbidden_rows"]) for each in said] == [("BREACH", 1)]
    assert "not kept" in said[0]["detail"]
    assert (tmp_path / SFT).read_bytes() == b"12345"
