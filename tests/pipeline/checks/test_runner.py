"""How a check ends: by what it examined, or by what it raised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.checks.runner import Outcome, run_check, run_checks
from pipeline.contracts.check_index import AUDIT, CheckSpec, source_check
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.faults import Fault, InputError, IntegrityError
from pipeline.engine.event_writer import EventWriter

ANY = next(spec for spec in AUDIT if spec.id == "P2.provenance")
ROWS_ARE_THE_QUESTION = next(spec for spec in AUDIT if spec.id == "P3.distribution")
FAULT = Fault("bad_file", "evidence.jsonl says otherwise.", "Nothing.", "Look.")


def status_of(outcome: Outcome, spec: CheckSpec = ANY) -> CheckStatus:
    return run_check(spec, lambda: outcome).status


def test_a_check_that_examined_rows_and_found_nothing_passes() -> None:
    assert status_of(Outcome(3, 0, "0 failed")) is CheckStatus.PASS


def test_one_failure_is_a_fail() -> None:
    assert status_of(Outcome(3, 1, "1 failed")) is CheckStatus.FAIL


def test_a_required_check_that_examined_nothing_is_not_evaluated() -> None:
    assert status_of(Outcome(0, 0, "")) is CheckStatus.NOT_EVALUATED


def test_where_rows_are_the_question_nothing_examined_is_a_fail() -> None:
    assert status_of(Outcome(0, 0, ""), ROWS_ARE_THE_QUESTION) is CheckStatus.FAIL


def test_an_informational_check_only_informs() -> None:
    assert status_of(Outcome(0, 0, ""), source_check("chats")) is CheckStatus.INFO


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (IntegrityError(FAULT), CheckStatus.FAIL),
        (InputError(FAULT), CheckStatus.ERROR),
        (PermissionError(13, "Permission denied"), CheckStatus.ERROR),
        (TimeoutError("acceptance took more than 300 s"), CheckStatus.ERROR),
        (KeyError("our own bug"), CheckStatus.ERROR),
    ],
)
def test_content_fails_and_what_kept_us_from_looking_is_an_error(
    error: Exception, status: CheckStatus
) -> None:
    def check() -> Outcome:
        raise error

    result = run_check(ANY, check)
    assert result.status is status
    assert result.detail


def test_an_interruption_is_not_swallowed() -> None:
    def check() -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check(ANY, check)


def test_the_checks_after_one_that_raised_still_run_and_are_all_told(tmp_path: Path) -> None:
    def broken() -> Outcome:
        raise ZeroDivisionError("a bug")

    writer = EventWriter()
    writer.add_place(tmp_path / "events.jsonl")
    results = run_checks([(ANY, broken), (ROWS_ARE_THE_QUESTION, lambda: Outcome(1, 0, ""))], writer)
    writer.close()
    assert [result.status for result in results] == [CheckStatus.ERROR, CheckStatus.PASS]
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    assert [(event["type"], event["check"]["id"]) for event in told] == [
        ("check.result", "P2.provenance"),
        ("check.result", "P3.distribution"),
    ]


def test_texts_from_data_are_made_visible_and_ten_examples_are_kept() -> None:
    hostile = Example(file="\x1b[2J.jsonl", line=3, run_id="r\u202e", text="\x07 rang")
    result = run_check(ANY, lambda: Outcome(20, 11, "\x1b", "\x1b[31mred", examples=(hostile,) * 11))
    assert len(result.examples) == 10
    assert "\x1b" not in result.model_dump_json()
    assert result.examples[0].file == "\\x1b[2J.jsonl"
    assert result.examples[0].run_id == "r\\u202e"
    assert result.detail == "\\x1b[31mred"


def test_the_seconds_of_work_done_before_count() -> None:
    assert run_check(ANY, lambda: Outcome(1, 0, "", elapsed_seconds=12.5)).elapsed_seconds == 12.5
    assert (run_check(ANY, lambda: Outcome(1, 0, "")).elapsed_seconds or 0) < 5
