"""How a check ends and is told, and the lists that checks are added to."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pipeline.checks.runner import Outcome, run_check, run_checks
from pipeline.checks.session import CheckSession, check_session
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, INVARIANTS, CheckSpec, selected, source_check
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.faults import Fault, InputError, IntegrityError, SettingsError, StorageError
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.run_session import Request, run_session

# By what it examined, or by what it raised

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


# The event stream begins and ends properly, whatever happens

FILE = PurePosixPath("reports/distillation/x-events.jsonl")


def events_of(workspace: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / FILE).read_bytes().splitlines()]


def run(workspace: Path, error: BaseException | None = None, exit_code: int = 0) -> CheckSession:
    request = Request("audit-full", ("audit-full",), "2026-01-01T00:00:00Z", EventWriter(), "installed")
    with check_session(workspace, FILE, request, ("P0",)) as session:
        if error is not None:
            raise error
        session.exit_code, session.run_hash = exit_code, "ab"
    return session


def test_the_first_event_is_the_start_and_the_last_the_end(tmp_path: Path) -> None:
    session = run(tmp_path)
    started, finished = events_of(tmp_path)
    assert (started["type"], started["command"]) == ("run.started", "audit-full")
    assert started["pipeline_run_id"] == session.audit_id
    assert (finished["type"], finished["ok"], finished["exit_code"]) == ("run.finished", True, 0)
    assert finished["run_hash"] == "ab"


def test_events_are_not_kept_in_memory_once_they_have_their_places(tmp_path: Path) -> None:
    checks, run = (
        Request("audit-full", ("audit-full",), "2026-01-01T00:00:00Z", EventWriter(), "installed")
        for _ in range(2)
    )
    for request, block in (
        (checks, check_session(tmp_path, FILE, checks, ("P0",))),
        (run, run_session(tmp_path, run, stages=(), settings_digest="", chunk_bytes=1024)),
    ):
        with block:
            request.events_writer.log("info", "said before")
            request.events_writer.add_place(tmp_path / "later")
            assert (tmp_path / "later").read_bytes() == b""
        (tmp_path / "later").unlink()


def test_a_second_command_replaces_the_events_of_the_first(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, exit_code=1)
    events = events_of(tmp_path)
    assert [event["seq"] for event in events] == [1, 2]
    assert (events[-1]["ok"], events[-1]["exit_code"]) == (False, 1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError(Fault("disk_full", "Full.", "All.", "Free some.")), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_a_command_that_raises_still_tells_its_end(tmp_path: Path, error: BaseException, code: int) -> None:
    with pytest.raises(type(error)):
        run(tmp_path, error)
    finished = events_of(tmp_path)[-1]
    assert (finished["type"], finished["ok"], finished["exit_code"]) == ("run.finished", False, code)


def test_events_that_cannot_be_written_are_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"")
    with pytest.raises(StorageError):
        run(tmp_path)


# Those that are there keep their ids, order and meaning

AUDIT_IDS = [
    "P0.recon-doc",
    "P1.versions-pinned",
    "P1.validators-hold",
    "P2.dry-run",
    "P2.conserves",
    "P2.provenance",
    "P3.distribution",
    "P3.coverage",
    "P4.sft-firewall",
    "P4.preference-pairs",
    "P4.exports-valid",
    "P4.quarantine-balances",
    "P5.summary-valid",
    "P5.receipts-match",
    "P6.acceptance",
    "P7.replay",
]


def test_the_audit_keeps_the_sixteen_required_checks_in_their_order() -> None:
    assert [spec.id for spec in AUDIT if spec.id in AUDIT_IDS] == AUDIT_IDS
    assert all(spec.required for spec in AUDIT if spec.id in AUDIT_IDS)
    phases = [spec.phase for spec in AUDIT]
    assert phases == sorted(phases)


def test_acceptance_has_twenty_two_numbered_invariants() -> None:
    assert [spec.id for spec in ACCEPTANCE] == [f"A{number:02}" for number in range(1, 23)]
    assert all(spec.required and spec.phase == "P6" for spec in ACCEPTANCE)
    assert len({spec.title for spec in ACCEPTANCE}) == 22


def test_each_check_names_the_command_that_runs_it_alone() -> None:
    (provenance,) = (spec for spec in AUDIT if spec.id == "P2.provenance")
    assert provenance.reproduce == "distill audit-full --check P2.provenance"
    assert ACCEPTANCE[12].reproduce == "distill acceptance --check A13"


def test_zero_rows_fail_just_where_rows_are_the_question() -> None:
    known = [spec for spec in (*AUDIT, *ACCEPTANCE) if spec.id in (*AUDIT_IDS, *INVARIANTS)]
    zero_fails = {spec.id for spec in known if spec.zero_fails}
    assert zero_fails == {"P0.recon-doc", "P2.dry-run", "P3.distribution", "P7.replay"}


def test_the_source_checks_are_informational() -> None:
    assert source_check("chats").id == "P0.source-chats"
    assert source_check("chats").required is False


def test_a_selection_keeps_the_order_of_the_list() -> None:
    chosen = selected(AUDIT, ["P7.replay", "P0.recon-doc"])
    assert [spec.id for spec in chosen] == ["P0.recon-doc", "P7.replay"]


def test_a_check_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SettingsError) as raised:
        selected(AUDIT, ["P2.provenence"])
    assert "P2.provenence" in raised.value.fault.what_happened
    assert "P2.provenance" in raised.value.fault.do_next


def test_who_waits_hears_which_check_is_at_work_and_how_far_it_is() -> None:
    events, heard = EventWriter(), []
    events.on_check = lambda name, done, total: heard.append((name, done, total))
    at_work: list[tuple[str, int, int]] = []

    def check() -> Outcome:
        at_work.append(heard[-1])
        return Outcome(1, 0, "0 failed")

    run_checks(((spec, check) for spec in AUDIT[:3]), events)
    assert heard == [(spec.id, number, 3) for number, spec in enumerate(AUDIT[:3])]
    assert at_work == heard, "it is told before the check runs"
