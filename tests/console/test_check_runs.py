"""What is known of audit, acceptance and release, by report, stream or garbage; and how they are started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.control import plans
from console.live.live_feed import LiveFeed
from console.reading.check_runs import acceptance_reader, audit_reader, release_reader
from tests.console import check_reports
from tests.console.check_reports import AUDIT, AUDIT_EVENTS, audit_checks, events, leak, report, result
from tests.console.states import NOW
from tests.console.workspaces import write


def test_without_a_report_nothing_was_evaluated(tmp_path: Path) -> None:
    for reader in (audit_reader(tmp_path), acceptance_reader(tmp_path), release_reader(tmp_path)):
        run = reader.read()
        assert (run.word, run.ok, run.checks) == ("never", None, ())


def test_a_report_is_read_whole(tmp_path: Path) -> None:
    run = audit_reader(check_reports.audited(tmp_path)).read()
    assert (run.word, run.ok, run.exit_code, run.as_of) == ("done", False, 1, NOW - 18_720)
    (bad,) = [check for check in run.checks if check.is_bad]
    assert (bad.id, bad.failed, bad.examples[0].line) == ("P4.sft-firewall", 1, 2_763)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"checks": 7}', b'{"checks": [[], null, 3]}', b"[" * 100_000],
    ids=["empty", "torn", "a list", "no text", "a number", "no objects", "deep"],
)
def test_garbage_is_never_a_pass(tmp_path: Path, garbage: bytes) -> None:
    write(tmp_path, AUDIT, garbage)
    write(tmp_path, AUDIT_EVENTS, garbage)
    run = audit_reader(tmp_path).read()
    assert (run.word, run.ok, run.checks) == ("unreadable", None, ())
    assert run.trouble


def test_a_check_of_another_shape_costs_only_its_own_fields(tmp_path: Path) -> None:
    write(
        tmp_path,
        AUDIT,
        report("audit-full", [result("P0.recon-doc", examined="many", examples=[1], observed=7)]),
    )
    (check,) = audit_reader(tmp_path).read().checks
    assert (check.examined, check.examples, check.observed) == (None, (), "")


def test_a_fifo_in_place_of_a_report_blocks_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, AUDIT, "")
    path.unlink()
    os.mkfifo(path)
    assert audit_reader(tmp_path).read().word == "unreadable"


def test_a_running_audit_replaces_results_one_by_one(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path)
    now = time.time()
    write(
        root,
        AUDIT_EVENTS,
        events("audit-full", [result("P0.recon-doc"), result("P4.sft-firewall")], started=now),
    )
    run = audit_reader(root).read()
    assert (run.word, run.user, run.reported) == ("running", "jun", 2)
    pending = {check.id: check.pending for check in run.checks}
    assert not pending["P4.sft-firewall"]
    assert pending["P5.receipts-match"]
    assert not any(check.is_bad for check in run.checks)


def test_a_killed_audit_is_not_called_running(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path)
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    write(root, AUDIT_EVENTS, events("audit-full", [], started=time.time(), pid=int(gone.stdout)))
    run = audit_reader(root).read()
    assert (run.word, run.ok) == ("died", None)


def test_another_process_with_the_same_id_is_not_the_audit(tmp_path: Path) -> None:
    """Ours is older than the audit could be: a process that began after its first event is another."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        long_ago = time.time() - 3600
        write(tmp_path, AUDIT_EVENTS, events("audit-full", [], started=long_ago, pid=child.pid))
        assert audit_reader(tmp_path).read().word == "died"
    finally:
        child.communicate(b"\n")


def test_an_audit_that_failed_without_a_report_says_why(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path)
    write(root, AUDIT_EVENTS, events("audit-full", [], ended=3))
    run = audit_reader(root).read()
    assert (run.word, run.ok, run.exit_code, run.trouble) == ("died", False, 3, "no room on the disk")


def test_an_old_stream_does_not_outshine_its_report(tmp_path: Path) -> None:
    root = check_reports.audited(tmp_path)
    write(root, AUDIT_EVENTS, events("audit-full", [leak()], started=NOW - 18_750, ended=1))
    assert audit_reader(root).read().word == "done"


def test_a_torn_last_event_is_waited_for(tmp_path: Path) -> None:
    stream = events("audit-full", audit_checks(), started=time.time())
    write(tmp_path, AUDIT_EVENTS, stream[:-20])
    reader = audit_reader(tmp_path)
    assert reader.read().reported == 16
    write(tmp_path, AUDIT_EVENTS, stream)
    assert reader.read().reported == 17


# The plans that start them

STARTS = {
    "audit.start": "audit-full",
    "acceptance.start": "acceptance",
    "release.start": "release-freeze",
}


@pytest.mark.parametrize(("action_id", "command"), STARTS.items())
def test_the_plan_is_the_command_that_would_be_typed(tmp_path: Path, action_id: str, command: str) -> None:
    plan = LiveFeed(tmp_path).plan(action_id)
    assert plan is not None
    assert plan.arguments == (command,)
    assert plan.command_line == f"distill {command} -C {tmp_path}"
    assert plan.changes
    assert plan.stays


def test_a_check_that_is_at_work_is_not_started_twice(tmp_path: Path) -> None:
    write(tmp_path, AUDIT_EVENTS, events("audit-full", [], host="another"))
    assert plans.plan(tmp_path, "audit.start", "", time.time()) is None
    assert plans.plan(tmp_path, "release.start", "", time.time()) is not None


def test_other_actions_have_no_plan_here(tmp_path: Path) -> None:
    assert plans.plan(tmp_path, "screen.audit", "", time.time()) is None
