"""What the console must survive: each time a key still works, no core is spun, and the end is clean."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.contracts import paths
from tests.console.terminals import ARGV, Terminal, drawn, environment
from tests.waiting import LIMIT_SECONDS, wait_until

CHECKOUT = Path(__file__).parents[3]
FIVE_GB = 5 * 1024**3


@pytest.fixture
def terminal(root: Path) -> Iterator[Terminal]:
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as opened:
        opened.read_until(drawn, "the dashboard")
        yield opened


def assert_a_key_works(terminal: Terminal) -> None:
    """Help comes up, whatever was on the screen, and goes again. One word: tmux skips over spaces."""
    seen = len(terminal.written)
    terminal.send(b"?")
    terminal.read_until(lambda written: b"View" in written[seen:], "the help")
    terminal.send(b"\x1b")
    assert_no_core_is_spun(terminal)


def assert_no_core_is_spun(terminal: Terminal) -> None:
    """When nobody does anything, the console sleeps; what it started may be at work."""
    terminal.settle(with_children=False)


def assert_a_clean_end(terminal: Terminal) -> None:
    terminal.send(b"q")
    assert terminal.wait() == 0
    assert terminal.is_restored()


def test_a_storm_of_resizes_down_to_twenty_by_five_and_back(terminal: Terminal) -> None:
    sizes = [(120 - step, 40 - step // 3) for step in range(0, 100, 2)]
    for size in [*sizes, (20, 5), (19, 4), (1, 1), *reversed(sizes)]:
        terminal.resize(*size)
    terminal.resize(120, 40)
    assert_no_core_is_spun(terminal)
    assert_a_key_works(terminal)
    assert_a_clean_end(terminal)


def test_a_workspace_that_is_removed_is_said_to_be_unknown(terminal: Terminal, root: Path) -> None:
    shutil.rmtree(root)
    terminal.read_until(lambda written: b"cannot be read" in written, "that nothing can be read")
    assert_no_core_is_spun(terminal)
    assert_a_key_works(terminal)
    assert_a_clean_end(terminal)


def test_reports_of_garbage_are_told_and_every_screen_opens(root: Path) -> None:
    garbage = (
        b"",
        b"\x00" * 4096,
        b"[" * 50_000,
        b'{"ok": 1e999',
        b"\xff\xfe{}",
        b'{"checks": 7}',
        b"null\n",
    )
    run = root / paths.REPORTS / "20260427T084106Z-3f2a"
    run.mkdir(parents=True)
    targets = [
        run / "summary.json",
        run / "events.jsonl",
        *(
            root / name
            for name in (
                paths.AUDIT_DATA,
                paths.ACCEPTANCE_DATA,
                paths.RELEASE_FREEZE_DATA,
                paths.AUDIT_BASELINES,
                paths.DISTILLATION_SKIPS,
                paths.EXPORT_MANIFEST,
                paths.SFT_EXPORT,
            )
        ),
    ]
    for number, target in enumerate(targets):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(garbage[number % len(garbage)])
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        for key in b"ARDSF":
            terminal.answer(bytes((key,)))
            assert_a_key_works(terminal)
        assert_no_core_is_spun(terminal)
        assert_a_clean_end(terminal)


def test_an_export_of_five_gigabytes_delays_neither_paint_nor_keys_nor_the_end(root: Path) -> None:
    """A sparse file: one real row, then five gigabytes of zeros that the watcher has to read."""
    export = root / paths.SFT_EXPORT
    export.parent.mkdir(parents=True)
    export.write_bytes(json.dumps({"id": "sft-1", "quality_score": "accepted"}).encode() + b"\n")
    os.truncate(export, FIVE_GB)
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        process = psutil.Process(terminal.pid)
        wait_until(lambda: reads_much(process), "a watcher that reads the export")
        assert_a_key_works(terminal)
        assert process.memory_info().rss < 120 * 1024**2
        watchers = process.children(recursive=True)
        assert_a_clean_end(terminal)
    _, alive = psutil.wait_procs(watchers, timeout=LIMIT_SECONDS)
    assert alive == []


def reads_much(console: psutil.Process) -> bool:
    """Whether a process that the console started has read more than any small file holds."""
    return any(child.io_counters().read_chars > 64 * 1024**2 for child in console.children(recursive=True))


def test_another_run_that_is_killed_is_told(terminal: Terminal, root: Path) -> None:
    flood = [sys.executable, "-m", "tests.benchmarks.event_flood", str(root), "50"]
    run = subprocess.Popen(flood, cwd=CHECKOUT)
    try:
        terminal.read_until(lambda written: b"chunk " in written, "what the run says")
        seen = len(terminal.written)
        run.kill()
        terminal.read_until(lambda written: b"free" in written[seen:], "that the run is gone")
    finally:
        run.kill()
        run.wait()
    assert_a_key_works(terminal)
    assert_a_clean_end(terminal)


def test_a_run_goes_on_when_its_console_hangs_up(root: Path) -> None:
    flood = [sys.executable, "-m", "tests.benchmarks.event_flood", str(root), "50"]
    run = subprocess.Popen(flood, cwd=CHECKOUT)
    try:
        with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as terminal:
            terminal.read_until(lambda written: b"chunk " in written, "what the run says")
            terminal.hang_up()
            assert terminal.wait(reading=False) == 129
        assert run.poll() is None
        with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as terminal:
            terminal.read_until(lambda written: b"chunk " in written, "the same run, attached to late")
            assert_a_clean_end(terminal)
    finally:
        run.kill()
        run.wait()


@pytest.mark.skipif(shutil.which("bash") is None, reason="job control needs a shell")
def test_it_is_suspended_to_the_shell_and_comes_back(root: Path) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(shell, environment(PS1="ready> ", PYTHONPATH=str(CHECKOUT)), size=(120, 40)) as terminal:
        terminal.read_until(lambda written: b"ready> " in written, "the shell")
        terminal.send(f"{sys.executable} -P -m console -C {root}\r".encode())
        terminal.read_until(drawn, "the dashboard")
        terminal.settle()
        seen = len(terminal.written)
        terminal.send(b"\x1a")
        terminal.read_until(lambda written: b"ready> " in written[seen:], "the shell again")
        assert b"\x1b[?1049l" in terminal.written[seen:]
        seen = len(terminal.written)
        terminal.send(b"fg\r")
        terminal.read_until(lambda written: b"FIREWALL" in written[seen:], "the dashboard again")
        assert_a_key_works(terminal)
        seen = len(terminal.written)
        terminal.send(b"q")
        terminal.read_until(lambda written: b"ready> " in written[seen:], "the shell at the end")
        terminal.send(b"exit\r")
        assert terminal.wait() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_it_is_detached_from_and_attached_to_again(root: Path, tmp_path: Path) -> None:
    socket = tmp_path / "tmux.sock"
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    command = f"{sys.executable} -P -m console -C {root}"
    env = environment(PYTHONPATH=str(CHECKOUT))

    def do(*words: str) -> bytes:
        return subprocess.run([*tmux, *words], env=env, capture_output=True, check=True).stdout

    def shows_help() -> bool:
        return b"Fix the marked symptom" in do("capture-pane", "-p", "-t", "night")

    def is_over() -> bool:
        return (
            subprocess.run([*tmux, "has-session"], env=env, capture_output=True, check=False).returncode != 0
        )

    do("new-session", "-d", "-s", "night", "-x", "120", "-y", "40", command)
    try:
        for size in ((120, 40), (80, 24)):
            with Terminal([*tmux, "attach", "-t", "night"], env, size=size) as client:
                client.read_until(drawn, "the dashboard")
                client.send(b"?")
                # What tmux sends leaves out cells that stay as they are; its own screen is whole.
                wait_until(shows_help, "the help")
                client.send(b"\x1b")
                wait_until(lambda: not shows_help(), "that the help is gone")
                do("detach-client", "-s", "night")
                assert client.wait() == 0
        client_less = do("capture-pane", "-p", "-t", "night")
        assert b"FIREWALL" in client_less
        do("send-keys", "-t", "night", "q")
        wait_until(is_over, "the end of the console")
    finally:
        subprocess.run([*tmux, "kill-server"], env=env, capture_output=True, check=False)


def test_all_cells_are_drawn_again_on_request(terminal: Terminal) -> None:
    terminal.settle()
    seen = len(terminal.written)
    terminal.send(b"\x0c")
    terminal.read_until(lambda written: written[seen:].count("┌".encode()) >= 4, "all panes again")
    assert_a_clean_end(terminal)


def test_a_kill_in_the_middle_of_a_stall_is_clean(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(200, 60)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        for _ in range(100):
            terminal.send(b"z")
        terminal.settle(reading=False)  # asleep, although nobody takes what it writes
        terminal.signal(signal.SIGHUP)
        assert terminal.wait(reading=False) == 129
