"""The plain console: the same state and command layer as the screen, in lines that are only text."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from console import keymap
from console.control.lease import JOURNAL, ControlLease
from console.plain.mode import PlainConsole
from console.plain.pages import CHOICES, choice_for, page_lines
from console.state.runbook_state import RunbookReading, parse
from console.state.view_state import FirewallSeen, RunbookHeard, Session, StatusRead, initial
from pipeline.contracts.status import FirewallStatus
from tests.console import states
from tests.console.fake_feed import FakeFeed, plan_for
from tests.console.incident_folders import broken_incident, real_incident, unreadable_incident
from tests.console.runbook_answers import answer, symptom
from tests.console.screens.picture_states import folder_of, prepare
from tests.console.terminals import ARGV, Terminal, environment
from tests.waiting import LIMIT_SECONDS

CODE = plan_for("run.start").code


async def converse(
    lines: Sequence[str],
    feed: FakeFeed | None = None,
    lease: ControlLease | None = None,
    firewall: FirewallStatus | None = None,
) -> tuple[int, str]:
    """Exit code and all that was said, when ``lines`` are typed."""
    feed = feed or FakeFeed()
    feed.put(StatusRead(states.status()))
    feed.put(FirewallSeen(firewall or states.clear()))
    said: list[str] = []

    console = PlainConsole(
        states.WORKSPACE,
        Session(actor="mara"),
        feed,
        out=said.append,
        lease=lease,
        clock=lambda: states.NOW,
        reader=hand_over(lines),
    )
    return await console.run(), "\n".join(said)


def hand_over(lines: Sequence[str]) -> Callable[[Callable[[str | None], None]], None]:
    """A reader with ``lines`` and then the end; the console may be over before the last of them."""

    def reader(typed: Callable[[str | None], None]) -> None:
        with suppress(RuntimeError):
            for line in (*lines, None):
                typed(line)

    return reader


def test_every_action_that_changes_something_is_offered_here_too() -> None:
    offered = {choice.action_id for choice in CHOICES}
    assert {action.id for action in keymap.MUTATING} | {"arm"} <= offered
    assert [choice_for(str(choice.number)) for choice in CHOICES] == list(CHOICES)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("firewall", "CLEAR"),
        ("rows", "taubench_airline"),
        ("phases", "P9 release"),
        ("drift", "no audit"),
        ("log", "firewall CLEAR"),
        ("symptoms", "0 symptoms"),
        ("help", "Cancel the run"),
        ("1", "ROWS BY STREAM"),
        ("nonsense\x1b[2J", "no such choice: nonsense\\x1b[2J"),
    ],
)
async def test_each_choice_shows_what_its_screen_shows(typed: str, expected: str) -> None:
    code, said = await converse([typed])
    assert expected in said
    assert code == 0
    assert "\x1b" not in said


@pytest.mark.parametrize("action", keymap.MUTATING, ids=lambda action: action.id)
async def test_read_only_refuses_every_change(action: keymap.Action) -> None:
    feed = FakeFeed(has_run=action.id == "run.cancel")
    _, said = await converse([action.id, plan_for(action.id).code], feed)
    assert "arm first" in said
    assert feed.carried_out == []


async def test_a_run_starts_after_a_reason_a_plan_and_its_code() -> None:
    feed = FakeFeed()
    _, said = await converse(["arm", "nightly", "run.start", CODE, "quit"], feed)
    assert "distill run-all -C '/srv/agent logs'" in said
    ((done, permit),) = feed.carried_out
    assert (done, permit.reason) == ("run.start", "nightly")
    assert "run.start done" in said


@pytest.mark.parametrize("answer", ["", "y", "yes", "0000"])
async def test_nothing_but_the_code_is_consent(answer: str) -> None:
    feed = FakeFeed()
    _, said = await converse(["arm", "nightly", "run.start", answer], feed)
    assert "nothing was changed" in said
    assert feed.carried_out == []


async def test_a_breach_ends_a_piped_session_with_ten() -> None:
    code, said = await converse(["firewall"], firewall=states.breach().firewall)
    assert code == 10
    assert "BREACH" in said


async def test_control_is_taken_over_by_a_typed_word_alone(tmp_path: Path) -> None:
    other, ours = ControlLease(tmp_path, "jun"), ControlLease(tmp_path, "mara")
    assert other.acquire() is None
    _, said = await converse(["arm", "nightly", "yes"], lease=ours)
    assert "jun controls this workspace" in said
    assert not (tmp_path / JOURNAL).exists()
    _, said = await converse(["arm", "nightly", "take"], lease=ours)
    assert "armed for 15 minutes" in said
    assert (tmp_path / JOURNAL).exists()
    other.leave()


def test_through_pipes_it_answers_and_ends_by_itself(root: Path) -> None:
    done = subprocess.run(
        [*ARGV, "--plain", "-C", str(root)],
        input=b"phases\nq\n",
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count(b"P9 release") == 2
    assert b"\x1b" not in done.stdout + done.stderr


def test_on_a_dumb_terminal_not_one_control_byte_is_written(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(TERM="dumb")) as terminal:
        terminal.read_until(lambda written: b"number or name" in written, "the prompt")
        terminal.send(b"9\n")
        terminal.read_until(lambda written: b"Quitting stops nothing" in written, "the list")
        terminal.send(b"q\n")
        assert terminal.wait() == 0
        assert not [byte for byte in terminal.written if byte < 32 and byte not in b"\r\n\t"]


# The runbook and the incidents, as numbered lines

KNOWN = parse(
    answer(
        symptom("S1.P4.sft-leak", severity="critical"),
        symptom("S1.P1.schema", "detected", observed="a field moved\x1b[2J"),
        symptom("S2.drift", "unknown", observed="there is no audit"),
    ).encode()
)


async def converse_on(root: Path, typed: Sequence[str], *, feed: FakeFeed | None = None) -> str:
    said: list[str] = []
    feed = feed or FakeFeed()
    status = replace(states.status(), workspace=str(root))
    for fact in (
        StatusRead(status),
        RunbookHeard(RunbookReading(KNOWN, states.NOW - 12, 0.9)),
        FirewallSeen(states.clear()),
    ):
        feed.put(fact)

    console = PlainConsole(
        str(root),
        Session(actor="mara"),
        feed,
        out=said.append,
        clock=lambda: states.NOW,
        reader=hand_over(typed),
    )
    async with asyncio.timeout(LIMIT_SECONDS):
        await console.run()
    assert "\x1b" not in "\n".join(said)
    return "\n".join(said)


async def test_the_runbook_is_a_numbered_list_and_a_number_is_a_page(tmp_path: Path) -> None:
    said = await converse_on(tmp_path, ["runbook", "1", "9", "", "quit"])
    assert "run 10s ago, took 0.9s" in said
    assert "DETECTED 1" in said
    assert "  1  X error    S1.P1.schema" in said
    assert "a field moved\\x1b[2J" in said
    assert "UNKNOWN 1" in said
    assert "CLEAR 1" in said
    assert "Somebody deleted it." in said
    assert "git checkout -- it" in said
    assert "no such choice: 9" in said
    assert said.endswith("quit; runs go on")


async def test_an_incident_is_replayed_by_numbers(tmp_path: Path) -> None:
    real_incident(tmp_path)
    said = await converse_on(tmp_path, ["incidents", "1", "1", "n", "p", "99", "o", "u", "", "", "quit"])
    assert "OVER 1" in said
    assert "entry 1 of 10" in said
    assert "entry 2 of 10" in said
    assert "entry 10 of 10" in said
    assert "chain intact" in said
    assert "the doc was deleted by a clean-up script" in said
    assert "Resolved: the detector that raised it is green." in said
    assert f"distill undo -C {tmp_path}" in said


async def test_what_is_broken_is_told_and_nothing_else_is_hidden(tmp_path: Path) -> None:
    broken_incident(tmp_path)
    unreadable_incident(tmp_path)
    said = await converse_on(tmp_path, ["incidents", "1", "u", "", "2", "", "", "quit"])
    assert "RECORD BROKEN 2" in said
    assert "chain broken: line 7 was edited: its hash does not cover it" in said
    assert "nothing in this incident can be undone" in said
    assert "line 1 is no entry of a journal" in said


async def test_an_export_needs_arming_and_its_code(tmp_path: Path) -> None:
    real_incident(tmp_path)
    feed = FakeFeed()
    refused = await converse_on(tmp_path, ["incidents", "1", "x", "", "", "quit"], feed=feed)
    assert "arm first" in refused
    assert feed.carried_out == []


async def test_the_end_of_input_ends_it_wherever_it_stands(tmp_path: Path) -> None:
    real_incident(tmp_path)
    for typed in (["runbook"], ["runbook", "1"], ["incidents"], ["incidents", "1"]):
        assert "[read-only]" in await converse_on(tmp_path, typed)


async def test_audit_skips_and_release_are_numbered_lists_here_too(tmp_path: Path) -> None:
    with folder_of(tmp_path / "base", "agent-logs") as root:
        prepare(root, "breach")
        typed = ["audit", "1", "", "release", "1", "", "skips", "1", "", "quit"]
        said = await converse_on(root.absolute(), typed)
    audit, _, rest = said.partition("X NOT RELEASABLE")
    assert "audit-full" in audit
    assert "FAILING 1" in audit
    assert "1  ! fail" in audit or "1  X FAIL" in audit
    assert "Run it again" in audit
    assert max(len(text) for text in audit.splitlines()) <= 80
    assert not any(" … " in text for text in audit.splitlines()), "no column is cut for its padding"
    release, _, skips = rest.partition("counting the skips")
    assert "To tag it, by hand" in release
    assert "1  1 X FAIL" in release
    assert "skip" in skips
    assert "distill -C " in skips
    assert " lineage " in skips


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("audit", "? never"),
        ("release", "? never"),
        ("skips", "no run has written skips here"),
    ],
)
async def test_where_nothing_was_checked_nothing_is_called_sound(
    tmp_path: Path, name: str, told: str
) -> None:
    said = await converse_on(tmp_path, [name, "quit"])
    assert told in said
    assert "quit" in said.splitlines()[-1]


async def test_a_list_that_cannot_be_read_is_told_in_three_lines_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.reading.skip_tally import SkipTally

    def broken(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(SkipTally, "count", broken)
    said = await converse_on(tmp_path, ["skips", "rows", "quit"])
    assert "Too many open files" in said
    assert said.count("what happened ") == 1
    assert "ROWS BY STREAM" in said.partition("what happened ")[2]


async def test_who_listens_hears_numbers_and_no_blocks(tmp_path: Path) -> None:
    said = await converse_on(tmp_path, ["rows", "drift", "runs", "quit"])
    status = states.status()
    state = replace(initial(str(tmp_path), Session()), rows=status.rows, drift=status.drift, runs=status.runs)
    for name in ("rows", "drift", "runs"):
        text = "\n".join(page_lines(name, state, states.NOW))
        assert not set(text) & set("▁▂▃▄▅▆▇█░"), f"{name}: {text}"
        assert "trend" not in text
    assert not set(said) & set("▁▂▃▄▅▆▇█░")
