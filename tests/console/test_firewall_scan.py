from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.reading import firewall_scan
from console.reading.firewall_scan import scan_or_known
from pipeline.contracts.status import FirewallStatus, FirewallWord, Freshness, Origin

KNOWN = FirewallStatus(
    FirewallWord.STALE, Origin("receipt", 5.0, Freshness.STALE), detail="CLEAR when exported"
)


def use(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(firewall_scan, "firewall_argv", lambda _: [sys.executable, "-c", script])


def test_a_report_is_the_verdict_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, """print('{"state": "CLEAR", "rows_read": 9, "later": 1}')""")
    found = scan_or_known(tmp_path, KNOWN, 30)
    assert (found.state, found.rows_read) == (FirewallWord.CLEAR, 9)
    assert found.origin.source == "live"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys; sys.exit('ImportError: \\x1b[31m')", "the firewall said: ImportError: \\x1b[31m"),
        ("print('garbage')", "the firewall said: nothing"),
        ("print('[1]')", "the firewall said something else than a report"),
        ("import time; time.sleep(600)", "a scan takes longer than 0.5 s here: distill firewall"),
    ],
)
def test_without_a_report_the_last_known_verdict_stands_and_is_not_clear(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, why: str
) -> None:
    use(monkeypatch, script)
    found = scan_or_known(tmp_path, KNOWN, 0.5 if "sleep" in script else 30)
    assert found.state is FirewallWord.STALE
    assert found.origin == KNOWN.origin
    assert found.detail == f"{why}; last known: CLEAR when exported"


def test_a_firewall_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(firewall_scan, "firewall_argv", lambda _: ["/nowhere/python"])
    assert scan_or_known(tmp_path, KNOWN, 30).detail.startswith(
        "the firewall could not be started: No such file"
    )


def test_nothing_is_started_for_a_file_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, f"open({str(tmp_path / 'started')!r}, 'w')")
    absent = FirewallStatus(FirewallWord.ABSENT)
    assert scan_or_known(tmp_path, absent, 30) is absent
    assert scan_or_known(tmp_path, KNOWN, 0) is KNOWN
    assert not (tmp_path / "started").exists()
