from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.reading.firewall_scan import scan_or_known
from console.reading.row_counts_report import firewall_of_receipt
from pipeline.contracts.status import FirewallStatus, FirewallWord, Freshness, Origin
from pipeline.platform import firewall
from pipeline.reading.past_runs import Receipt

KNOWN = FirewallStatus(
    FirewallWord.STALE,
    Origin("receipt", 5.0, Freshness.STALE),
    detail="CLEAR when it was exported; not scanned since: distill firewall",
)


def use(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(firewall, "firewall_argv", lambda _: [sys.executable, "-c", script])


def test_a_report_is_the_verdict_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, """print('{"state": "CLEAR", "rows_read": 9, "findings_count": 0, "later": 1}')""")
    found = scan_or_known(tmp_path, KNOWN, 30)
    assert (found.state, found.rows_read) == (FirewallWord.CLEAR, 9)
    assert (found.origin.source, found.origin.freshness) == ("live", Freshness.FRESH)


def test_without_an_answer_it_is_unknown_and_says_what_was_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    found = scan_or_known(tmp_path, KNOWN, 0.3)
    assert found.state is FirewallWord.UNKNOWN
    assert (found.origin.source, found.origin.as_of) == ("live", None), "nothing was observed"
    assert found.detail == (
        "the firewall gave no answer: no end within 0.3 s; last known: CLEAR when it was exported"
    )


def test_what_nobody_ever_judged_is_no_last_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    found = scan_or_known(tmp_path, firewall_of_receipt(None), 0.3)
    assert found.detail == "the firewall gave no answer: no end within 0.3 s"


def test_an_export_that_was_not_judged_has_no_age() -> None:
    body = {"finished_at": "2026-04-27T08:41:07Z", "firewall": {"state": "UNKNOWN", "findings": 0}}
    found = firewall_of_receipt(Receipt("export", "P4", "receipts/export.json", body, True))
    assert (found.state, found.origin.as_of) == (FirewallWord.UNKNOWN, None)
    assert found.detail == "UNKNOWN when it was exported: no answer; not scanned since: distill firewall"


def test_a_known_breach_is_not_silenced_by_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    breach = FirewallStatus(FirewallWord.BREACH, Origin("receipt", 5.0, Freshness.STALE), forbidden_rows=1)
    found = scan_or_known(tmp_path, breach, 0.3)
    assert (found.state, found.forbidden_rows, found.origin) == (FirewallWord.BREACH, 1, breach.origin)
    assert "no answer" in found.detail


def test_what_it_said_of_why_it_cannot_judge_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = """{"state": "UNKNOWN", "rows_read": 4, "findings_count": 0, "detail": "there is no evidence"}"""
    use(monkeypatch, f"import sys; print('''{said}'''); sys.exit(3)")
    found = scan_or_known(tmp_path, KNOWN, 30)
    assert (found.state, found.rows_read) == (FirewallWord.UNKNOWN, 4)
    assert found.detail.startswith("there is no evidence; last known")


def test_nothing_is_started_for_a_file_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, f"open({str(tmp_path / 'started')!r}, 'w')")
    absent = FirewallStatus(FirewallWord.ABSENT)
    assert scan_or_known(tmp_path, absent, 30) is absent
    assert scan_or_known(tmp_path, KNOWN, 0) is KNOWN
    assert not (tmp_path / "started").exists()
