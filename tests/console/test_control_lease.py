"""One console may change something; the others see who, and may take over in writing."""

from __future__ import annotations

import json
import signal
import stat
import sys
from pathlib import Path

import pytest

from console.control.armed import Armed, LeaseHeldError, ReadOnlyError
from console.control.lease import JOURNAL, LEASE, ControlLease
from console.keymap import BY_ID
from tests.console.apps import Clock
from tests.console.terminals import ARGV, DIALOGUE_LOOKS, Terminal, drawn, environment

RESTART = BY_ID["run.start"]


def test_the_first_armed_console_holds_it_and_the_second_is_told_who(root: Path) -> None:
    jun, mara = ControlLease(root, "jun"), ControlLease(root, "mara")
    Armed(Clock(), jun).arm("nightly run")
    with pytest.raises(LeaseHeldError) as refused:
        Armed(Clock(), mara).arm("nightly run")
    assert refused.value.holder.user == "jun"
    jun.leave()
    Armed(Clock(), mara).arm("nightly run")
    mara.leave()


def test_disarming_gives_it_back(root: Path) -> None:
    jun, mara = ControlLease(root, "jun"), ControlLease(root, "mara")
    armed = Armed(Clock(), jun)
    armed.arm("nightly run")
    armed.disarm()
    assert mara.acquire() is None
    mara.leave()


def test_whoever_was_taken_over_may_change_nothing_more_and_the_journal_says_why(root: Path) -> None:
    jun, mara = ControlLease(root, "jun"), ControlLease(root, "mara")
    first, second = Armed(Clock(), jun), Armed(Clock(), mara)
    first.arm("nightly run")
    second.arm("jun's link is gone", take_over=True)
    assert first.was_taken_over
    with pytest.raises(ReadOnlyError):
        first.permit(RESTART)
    assert second.permit(RESTART).reason == "jun's link is gone"
    (entry,) = map(json.loads, (root / JOURNAL).read_text().splitlines())
    assert (entry["by"]["user"], entry["from"]["user"]) == ("mara", "jun")
    assert entry["reason"] == "jun's link is gone"
    assert stat.S_IMODE((root / JOURNAL).stat().st_mode) == 0o600
    first.disarm()
    assert not second.was_taken_over
    mara.leave()


def test_nobody_is_seen_who_has_gone(root: Path) -> None:
    jun, mara = ControlLease(root, "jun"), ControlLease(root, "mara")
    jun.enter()
    mara.enter()
    assert [other.user for other in mara.others()] == ["jun"]
    jun.leave()
    assert mara.others() == ()
    mara.leave()


def test_a_lease_of_garbage_is_held_by_somebody(root: Path) -> None:
    jun, mara = ControlLease(root, "jun"), ControlLease(root, "mara")
    assert jun.acquire() is None
    (root / LEASE).write_bytes(b"\xff[[[")
    holder = mara.acquire()
    assert holder is not None
    assert holder.user == ""
    jun.leave()


def test_two_consoles_see_each_other_and_one_takes_over(root: Path) -> None:
    argv = [*ARGV, "-C", str(root)]
    with (
        Terminal(argv, environment(), size=(120, 40)) as one,
        Terminal(argv, environment(), size=(120, 40)) as two,
    ):
        for terminal in (one, two):
            terminal.read_until(drawn, "the dashboard")
            terminal.read_until(lambda written: b"also here" in written, "the other console")
        arm(one, b"nightly", b"OPERATE")
        arm(two, b"mine", b"ANOTHER CONSOLE")
        two.read_until(lambda written: b"to take control over" in written, "the question")
        two.settle(looks=DIALOGUE_LOOKS)  # a dialogue is deaf to what was typed before it was seen
        two.send(b"take\r")
        two.read_until(lambda written: b"OPERATE" in written, "control in the second")
        one.read_until(lambda written: b"took control over" in written, "its loss in the first")


def test_the_lease_goes_back_when_the_terminal_hangs_up(root: Path) -> None:
    argv = [*ARGV, "-C", str(root)]
    mara = ControlLease(root, "mara")
    with Terminal(argv, environment(), size=(120, 40), ignore=signal.SIGHUP) as terminal:
        terminal.read_until(drawn, "the dashboard")
        arm(terminal, b"nightly", b"OPERATE")
        assert mara.acquire() is not None
        terminal.hang_up()
        assert terminal.wait(reading=False) == 129
    assert mara.acquire() is None
    mara.leave()


def test_a_console_that_is_killed_leaves_nothing_that_is_held(root: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from console.control.lease import ControlLease;"
        "lease = ControlLease(Path(sys.argv[1]), 'jun'); lease.enter(); lease.acquire();"
        "print('held', flush=True); time.sleep(60)"
    )
    mara = ControlLease(root, "mara")
    with Terminal([sys.executable, "-P", "-c", program, str(root)], environment()) as terminal:
        terminal.read_until(lambda written: b"held" in written, "the lease held")
        assert len(mara.others()) == 1
        assert mara.holder() is not None
        terminal.signal(signal.SIGKILL)
        terminal.wait()
    assert mara.others() == ()
    assert mara.acquire() is None
    mara.leave()


def arm(terminal: Terminal, reason: bytes, expected: bytes) -> None:
    terminal.send(b"a")
    terminal.read_until(lambda written: b"Why?" in written, "the question for a reason")
    terminal.settle(looks=DIALOGUE_LOOKS)
    terminal.send(reason + b"\r")
    terminal.read_until(lambda written: expected in written, expected.decode())
