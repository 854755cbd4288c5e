"""``distill watch`` as a process of its own, with a real alert command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.cli import distill
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.platform.engine_choice import stakes_of, trust
from tests.console.workspaces import empty_workspace
from tests.waiting import LIMIT_SECONDS, wait_until

PAGER = "import sys; open('alerts.jsonl', 'a').write(sys.stdin.read())"
BROKEN_PAGER = "import sys; sys.exit('out of order')"


def workspace(root: Path, code: str) -> Path:
    empty_workspace(root)
    settings = root / paths.SETTINGS
    command = json.dumps([sys.executable, "-c", code])
    settings.write_text(settings.read_text() + f"[alert]\ncommand = {command}\n")
    trust(stakes_of(root))
    return root


class Watch:
    """The command, running; what it said so far as objects."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self._out = root.parent / "out"
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "console", "-C", str(root), "watch", "--json", *arguments],
                stdout=out,
                stderr=subprocess.DEVNULL,
            )

    def said(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self._out.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]

    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.said() if one["type"] == "alert"]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_SECONDS)


def delivered(root: Path) -> list[dict[str, Any]]:
    file = root / "alerts.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_symptom_is_raised_reminded_of_and_cleared_and_the_end_is_clean(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", PAGER)
    recon = root / paths.RECON_DOC
    recon.unlink()
    watch = Watch(root, "--interval", "0.1", "--remind", "0.3")
    try:
        wait_until(lambda: "reminder" in watch.kinds(), "a reminder")
        recon.write_text("# recon\n")
        wait_until(lambda: any(one["kind"] == "cleared" for one in delivered(root)), "the all-clear")
    finally:
        code = watch.stop()
    assert code == ExitCode.TERMINATED
    kinds = [one["kind"] for one in delivered(root)]
    assert kinds[0] == "raised"
    assert set(kinds[1:-1]) == {"reminder"}
    assert kinds[-1] == "cleared"
    first = delivered(root)[0]
    assert (first["workspace"], first["name"]) == (str(root), "night")
    assert first["symptom"]["id"] == "S1.P0.recon-doc"


def test_a_failing_alert_command_is_told_and_survived(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", BROKEN_PAGER)
    (root / paths.RECON_DOC).unlink()
    watch = Watch(root, "--interval", "0.1", "--remind", "0.2")

    def failures() -> list[str]:
        return [one["detail"] for one in watch.said() if one["type"] == "alert-failed"]

    try:
        wait_until(lambda: len(failures()) >= 2, "two alerts that were not delivered")
        assert watch.process.poll() is None
    finally:
        watch.stop()
    assert "out of order" in failures()[0]


def test_a_leak_is_told_while_files_are_looked_at_seldom(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", PAGER)
    watch = Watch(root, "--interval", "3600")
    try:
        sft = root / paths.SFT_EXPORT
        sft.parent.mkdir(parents=True)
        sft.write_text('{"id":"x","quality_score":"rejected"}\n')
        wait_until(
            lambda: any(one["symptom"]["id"] == "S1.P4.sft-leak" for one in delivered(root)), "the leak"
        )
    finally:
        watch.stop()


def test_once_looks_once_tells_and_ends_as_status_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace(tmp_path / "w", PAGER)
    assert distill.main(["-C", str(root), "watch", "--once"]) == ExitCode.OK
    assert delivered(root) == []
    (root / paths.RECON_DOC).unlink()
    assert distill.main(["-C", str(root), "watch", "--once"]) == ExitCode.CHECK_FAILED
    assert [one["kind"] for one in delivered(root)] == ["raised"]
    assert "S1.P0.recon-doc" in capsys.readouterr().out


def test_once_tells_and_calls_when_the_firewall_cannot_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace(tmp_path / "w", PAGER)
    (root / paths.SFT_EXPORT).mkdir(parents=True)
    assert distill.main(["-C", str(root), "watch", "--once"]) == ExitCode.NOT_EVALUATED
    assert [(one["kind"], one["symptom"]["id"]) for one in delivered(root)] == [("trouble", "firewall")]
    assert "it cannot judge: " in capsys.readouterr().out
