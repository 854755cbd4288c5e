"""Four answers, from how a firewall ended and what it printed: nothing but CLEAR is clear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.discovery import INSTALLED_PYTHON_VARIABLE
from pipeline.platform import firewall
from pipeline.platform.firewall import (
    BYTES_A_SECOND,
    LIMIT_SECONDS,
    Absent,
    Answer,
    Breach,
    Clear,
    Unknown,
    ask_firewall,
    judged,
    look_seconds,
    read_report,
    stated,
)

CLEAR = {"state": "CLEAR", "rows_read": 9, "findings_count": 0}


def answer(exit_code: int | None, said: Any, stderr: bytes = b"", why: str = "") -> Answer:
    return judged(exit_code, said if isinstance(said, bytes) else json.dumps(said).encode(), stderr, why)


def test_clear_takes_the_word_the_exit_code_and_the_counts() -> None:
    found = answer(0, {**CLEAR, "added_later": 1})
    assert isinstance(found, Clear)
    assert found.report.rows_read == 9


@pytest.mark.parametrize(
    ("exit_code", "said", "why"),
    [
        (None, CLEAR, "the firewall gave no answer: no end within 2 s"),
        (-9, b"", "the firewall gave no report (ended by signal 9)"),
        (1, b"Traceback", "the firewall gave no report (exit 1): MemoryError"),
        (0, b"", "the firewall gave no report (exit 0): MemoryError"),
        (0, [CLEAR], "the firewall gave no report (exit 0): MemoryError"),
        (0, {**CLEAR, "findings_count": None}, "MemoryError"),
        (0, {"state": "CLEAR", "findings_count": 0}, "MemoryError"),
        (0, {**CLEAR, "state": "clear"}, "MemoryError"),
        (3, CLEAR, "the firewall said CLEAR and contradicts itself (exit 3)"),
        (0, {**CLEAR, "state": "ABSENT"}, "the firewall said ABSENT and contradicts itself (exit 0)"),
        (3, {**CLEAR, "state": "UNKNOWN", "detail": "no \x1b[1mverdicts"}, r"no \x1b[1mverdicts"),
        (0, {**CLEAR, "state": "STALE"}, "MemoryError"),
    ],
)
def test_everything_else_is_unknown_and_says_why(exit_code: int | None, said: Any, why: str) -> None:
    words = b"" if exit_code in (None, -9) else b"a line\nMemoryError\n"
    found = answer(exit_code, said, words, "no end within 2 s" if exit_code is None else "")
    assert isinstance(found, Unknown)
    assert found.why == why


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (10, b""),
        (10, CLEAR),
        (0, {**CLEAR, "findings_count": 1}),
        (3, {**CLEAR, "state": "BREACH"}),
        (None, {**CLEAR, "state": "BREACH", "findings_count": 2}),
    ],
)
def test_an_alarm_is_silenced_by_nothing_beside_it(exit_code: int | None, said: Any) -> None:
    found = answer(exit_code, said)
    assert isinstance(found, Breach)
    assert "0 " not in found.report.found


def test_absent_is_not_clear() -> None:
    assert isinstance(answer(5, {"state": "ABSENT", "rows_read": 0, "findings_count": 0}), Absent)


def test_rows_files_and_findings_are_different_numbers() -> None:
    findings = [{"file": "sft", "line": 3}, {"file": "sft", "line": 3}, {"file": "formatted", "line": 0}]
    counted = {"state": "BREACH", "findings_count": 3, "findings": findings}
    report = read_report({**counted, "forbidden_rows": 1, "forbidden_files": 1})
    assert report.found == "1 forbidden row and 1 forbidden file (3 findings)"
    assert read_report(counted).found == report.found, "a firewall that does not count rows lists them"
    assert read_report({"state": "BREACH"}).found == "forbidden rows that were not counted"


def test_an_event_of_a_watcher_is_held_to_the_same() -> None:
    assert stated({**CLEAR, "state": "STALE"}) == "STALE"
    assert stated({"state": "CLEAR"}) == "UNKNOWN"
    assert stated({**CLEAR, "findings_count": 3}) == "BREACH"
    assert stated("CLEAR") == "UNKNOWN"


def test_a_look_has_seconds_by_what_it_has_to_read(tmp_path: Path) -> None:
    assert look_seconds(tmp_path) == look_seconds(None) == LIMIT_SECONDS
    for name in ("exports/sft/rows.jsonl", "data/evidence/runs.jsonl", "data/scored-runs/runs.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        with (tmp_path / name).open("wb") as file:
            file.truncate(10 * BYTES_A_SECOND)
    elsewhere = tmp_path / "beside.jsonl"
    with elsewhere.open("wb") as file:
        file.truncate(2 * BYTES_A_SECOND)
    (tmp_path / "exports/loop").symlink_to(tmp_path)
    assert look_seconds(tmp_path) == LIMIT_SECONDS + 30
    assert look_seconds(None, [elsewhere, tmp_path / "gone"]) == LIMIT_SECONDS + 2


def test_a_look_never_has_more_time_than_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o700)
    monkeypatch.setenv(INSTALLED_PYTHON_VARIABLE, str(python))
    answer = ask_firewall(tmp_path, limit_seconds=0.3)
    assert isinstance(answer, Unknown)
    assert answer.why.endswith("no end within 0.3 s")
    monkeypatch.setattr(firewall, "LIMIT_SECONDS", 0.4)
    answer = ask_firewall(tmp_path, limit_seconds=600.0)
    assert isinstance(answer, Unknown)
    assert answer.why.endswith("no end within 0.4 s")
