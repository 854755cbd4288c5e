"""The watcher, as the console starts it: a process of its own that writes events."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.events import FirewallState, decode
from tests.pipeline.firewall.corpus import BAD, GOOD, Run, honest, line
from tests.pipeline.firewall.watching import Watcher
from tests.waiting import LIMIT_SECONDS


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_an_appended_forbidden_row_is_an_alarm(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, line(runs["bad"].row(quality_score=GOOD)))
        alarm = watcher.until_state("BREACH")
    assert alarm["findings"][0]["line"] == 3
    assert alarm["findings"][0]["run_id"] == "chat/bad"
    assert alarm["by_wall"] == {"lineage": 1, "content": 1}
    assert alarm["cause"] == "not_in_receipt"


def test_without_file_events_it_alarms_all_the_same(tmp_path: Path) -> None:
    broken, root = tmp_path / "modules", tmp_path / "workspace"
    broken.mkdir()
    root.mkdir()
    (broken / "watchfiles.py").write_text("raise ImportError('not built for this machine')\n")
    corpus, runs = honest(root)
    with Watcher(root, path=broken) as watcher:
        watcher.until_state("CLEAR")
        watcher.until_state("CLEAR")  # it waits now
        append(corpus.sft, line(runs["bad"].row()))
        watcher.until_state("BREACH")


def test_events_are_those_of_the_contract_and_count_from_one(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        corpus.export(runs["bad"].row())
        watcher.until_state("BREACH")
        events = watcher.events
    decoded = [decode(line(event)) for event in events]
    assert all(isinstance(event, FirewallState) for event in decoded)
    assert [event.seq for event in decoded] == list(range(1, len(events) + 1))


def test_the_breach_keeps_the_time_of_its_first_finding_and_ends_when_the_file_is_clean(
    tmp_path: Path,
) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, line(runs["bad"].row()))
        first = watcher.until_state("BREACH")
        append(corpus.sft, line(runs["other"].row()))
        second = watcher.until(lambda event: event["findings_count"] > first["findings_count"])
        corpus.export(runs["good"].row())
        cleared = watcher.until_state("CLEAR")
    assert first["since"] == second["since"]
    assert "since" not in cleared
    assert cleared["rows_read"] == 1


def test_a_line_without_its_end_is_awaited_before_it_is_a_finding(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    other = Run("more", GOOD)
    corpus.runs(*runs.values(), other)
    corpus.export(runs["partly"].row(), other.row())
    whole = line(runs["good"].row(id="sft-0000000000000001"))
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, whole[:50])
        torn = watcher.until_state("BREACH")
        append(corpus.sft, whole[50:])
        mended = watcher.until_state("CLEAR")
    assert torn["by_wall"] == {"readable": 1}
    assert torn["findings"][0]["line"] == torn["rows_read"] == 3
    assert mended["rows_read"] == 3


def test_a_line_that_is_completed_at_once_never_alarms(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["partly"].row())
    whole = line(runs["good"].row())
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, whole[:50])
        append(corpus.sft, whole[50:])
        watcher.until(lambda event: event["rows_read"] == 2)
        states = {event["state"] for event in watcher.events}
    assert "BREACH" not in states


def test_a_forbidden_row_without_a_line_end_is_seen_all_the_same(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, line(runs["bad"].row()).rstrip(b"\n"))
        alarm = watcher.until_state("BREACH")
    assert alarm["by_wall"] == {"readable": 1, "label": 1, "lineage": 1, "content": 1}


def test_a_replaced_file_is_read_from_its_start(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        fresh = corpus.sft.with_name("staged")
        fresh.write_bytes(line(runs["open"].row()) + corpus.sft.read_bytes())
        fresh.replace(corpus.sft)
        alarm = watcher.until_state("BREACH")
    assert alarm["findings"][0]["line"] == 1


def test_an_edit_in_place_of_the_same_size_is_seen(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    data = corpus.sft.read_bytes()
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        corpus.sft.write_bytes(data.replace(b'"accepted"', b'"rejected"', 1))
        alarm = watcher.until_state("BREACH")
    assert alarm["by_wall"] == {"label": 1}


def test_an_edit_hidden_by_an_append_is_found(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    more = [Run(f"more-{number}", GOOD) for number in range(201)]
    corpus.runs(*runs.values(), *more)
    *filler, last = (line(run.row(id="x" * 900)) for run in more)
    corpus.export(runs["good"].row(), *filler)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        with corpus.sft.open("r+b") as file:
            start = file.read(1000).index(b'"accepted"')
            file.seek(0, os.SEEK_END)
            file.write(last)
            file.seek(start)
            file.write(b'"rejected"')
        alarm = watcher.until_state("BREACH")
    assert alarm["findings"][0]["line"] == 1


def test_scoring_again_turns_a_clear_file_into_a_breach(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        runs["good"].category = BAD
        corpus.runs(*runs.values())
        alarm = watcher.until_state("BREACH")
    assert alarm["findings"][0]["detail"] == "the run was scored rejected"


def test_an_index_that_grows_is_followed(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    late = Run("late", GOOD, "A late answer.", task="t7", instruction="Late?")
    corpus.export(runs["good"].row(), late.row())
    with Watcher(tmp_path) as watcher:
        unknown = watcher.until_state("BREACH")
        append(tmp_path / paths.evidence_file("chat"), line(late.evidence()))
        append(tmp_path / paths.scored_file("chat"), line(late.scored()))
        watcher.until_state("CLEAR")
        # Its evidence has gone by as that of an accepted run: growth alone would miss its text.
        late.category = BAD
        append(tmp_path / paths.scored_file("chat"), line(late.scored()))
        alarm = watcher.until_state("BREACH")
    assert unknown["findings"][0]["detail"] == "source_run_id is unknown"
    assert alarm["by_wall"] == {"lineage": 1, "content": 1}


def test_a_missing_file_is_absent_and_its_return_is_seen(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    data = corpus.sft.read_bytes()
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        corpus.sft.rename(f"{corpus.sft}.QUARANTINED-1")
        watcher.until_state("ABSENT")
        corpus.sft.write_bytes(data)
        watcher.until_state("CLEAR")


def test_a_workspace_deleted_underneath_is_unknown_and_its_return_is_seen(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    honest(root)
    with Watcher(root) as watcher:
        watcher.until_state("CLEAR")
        shutil.rmtree(root)
        gone = watcher.until(lambda event: event.get("detail") == "the workspace is gone")
        root.mkdir()
        honest(root)
        watcher.until_state("CLEAR")
    assert gone["state"] == "UNKNOWN"


def test_while_a_commit_is_open_the_verdict_on_lineage_is_held(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    (tmp_path / paths.STATE).mkdir()
    lock = tmp_path / paths.LOCK
    lock.write_text("{}")
    with Watcher(tmp_path) as watcher, lock.open("r+") as held:
        watcher.until_state("CLEAR")
        fcntl.flock(held, fcntl.LOCK_EX)
        (tmp_path / paths.INTENT).write_text("{}")
        watcher.until(lambda event: "held" in event.get("detail", ""))
        # The verdicts are in place already, the export is not yet.
        runs["good"].category = BAD
        corpus.runs(*runs.values())
        watcher.until(lambda event: "held" in event.get("detail", ""))  # the next heartbeat
        during = {event["state"] for event in watcher.events[1:] if "held" in event.get("detail", "")}
        corpus.export(runs["partly"].row())
        (tmp_path / paths.INTENT).unlink()
        after = watcher.until(lambda event: event["state"] == "CLEAR" and event["rows_read"] == 1)
        states = {event["state"] for event in watcher.events}
    assert during == {"CLEAR"}
    assert "BREACH" not in states
    assert after["findings_count"] == 0


def test_an_intent_whose_owner_is_dead_holds_nothing(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    (tmp_path / paths.STATE).mkdir()
    (tmp_path / paths.LOCK).write_text("{}")
    (tmp_path / paths.INTENT).write_text("{}")
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        append(corpus.sft, line(runs["bad"].row()))
        watcher.until_state("BREACH")


def test_a_quiet_watcher_says_that_it_lives(tmp_path: Path) -> None:
    honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        first = watcher.until_state("CLEAR")
        second = watcher.until_state("CLEAR")
    assert second["seq"] == first["seq"] + 1
    assert (second["rows_read"], second["rows_total"]) == (2, 2)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_watcher(tmp_path: Path, number: signal.Signals, code: int) -> None:
    honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        watcher.process.send_signal(number)
        assert watcher.process.wait(timeout=LIMIT_SECONDS) == code
        assert watcher.process.stderr is not None
        assert watcher.process.stderr.read() == b""


def test_a_watcher_ends_with_its_parent(tmp_path: Path) -> None:
    honest(tmp_path)
    # The parent prints the watcher's pid and dies; the pipe closes when the watcher has gone too.
    script = (
        "import os, subprocess, sys\n"
        "argv = [sys.executable, '-P', '-m', 'pipeline.firewall', '-C', sys.argv[1], '--watch', '--json']\n"
        "watcher = subprocess.Popen(argv, stdout=subprocess.PIPE)\n"
        "watcher.stdout.readline()\n"
        "print(watcher.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.wait(timeout=LIMIT_SECONDS)
        deadline = time.monotonic() + 20
        while _is_running(pid) and time.monotonic() < deadline:
            os.sched_yield()
        assert not _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_file_that_grew_is_read_only_from_its_old_end(tmp_path: Path) -> None:
    """256 MiB stand for 5 GB: a second reading would take several looks and say STALE meanwhile."""
    corpus, runs = honest(tmp_path)
    more = [Run(f"more-{number}", GOOD) for number in range(64 * 66)]
    corpus.runs(*runs.values(), *more)
    with corpus.sft.open("wb") as file:
        file.writelines(line(run.row(id="y" * 60_000)) for run in more)
    with Watcher(tmp_path) as watcher:
        first = watcher.until_state("CLEAR")
        append(corpus.sft, line(runs["bad"].row()))
        alarm = watcher.until_state("BREACH")
        states: list[Any] = [event["state"] for event in watcher.events if event["seq"] > first["seq"]]
    assert alarm["findings"][0]["line"] == 64 * 66 + 1
    assert "STALE" not in states  # nothing was read again


def test_a_formatted_file_that_nothing_accounts_for_is_seen(tmp_path: Path) -> None:
    honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        watcher.until_state("CLEAR")
        place = tmp_path / paths.FORMATTED / "sft.chat.jsonl"
        place.parent.mkdir()
        place.write_bytes(b"{}\n")
        alarm = watcher.until_state("BREACH")
        place.unlink()
        watcher.until_state("CLEAR")
    assert alarm["findings"][0]["file"] == "exports/formatted/sft.chat.jsonl"


@pytest.mark.parametrize("name", [f"{paths.FORMATTED}/sft.chat.jsonl", f"{paths.EXPORTS}/sft/rows.jsonl.bak"])
def test_what_stands_beside_from_the_first_is_never_called_clear(tmp_path: Path, name: str) -> None:
    """A receipt is waited for, and that is no reason to call the file clear until it came."""
    honest(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"{}\n")
    with Watcher(tmp_path) as watcher:
        watcher.until_state("BREACH")
        said = [event["state"] for event in watcher.events]
    assert "CLEAR" not in said, said


def test_a_file_beside_is_stale_and_not_clear_until_its_receipt_had_time_to_come(tmp_path: Path) -> None:
    honest(tmp_path)
    with Watcher(tmp_path) as watcher:
        clear = watcher.until_state("CLEAR")
        (tmp_path / paths.EXPORTS / "sft/rows.jsonl.bak").write_bytes(b"{}\n")
        watcher.until_state("BREACH")
        said = [event["state"] for event in watcher.events if event["seq"] > clear["seq"]]
    assert "STALE" in said, said
