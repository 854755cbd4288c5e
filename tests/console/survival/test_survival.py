"""What the console must survive: each time a key still works, no core is spun, and the end is clean."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.contracts import paths
from tests.console.terminals import Terminal
from tests.console.test_terminal_end import ARGV, drawn, environment

CHECKOUT = Path(__file__).parents[3]
FIVE_GB = 5 * 1024**3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "distill.toml").write_text('[workspace]\nname = "night"\n')
    return folder


@pytest.fixture
def terminal(root: Path) -> Iterator[Terminal]:
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(120, 40)) as opened:
        opened.read_until(drawn, "the dashboard")
        yield opened


def assert_a_key_works(terminal: Terminal) -> None:
    """Help comes up, whatever was on the screen, and goes again. One word: tmux skips over spaces."""
    seen = len(terminal.written)
    terminal.send(b"?")
    terminal.read_until(lambda written: b"Look" in written[seen:], "the help")
    terminal.send(b"\x1b")
    terminal.pause(0.3)


def assert_no_core_is_spun(terminal: Terminal) -> None:
    """Less than half of a core over a second in which nobody does anything."""
    process = psutil.Process(terminal.pid)
    before = sum(process.cpu_times()[:2])
    terminal.pause(1.0)
    assert sum(process.cpu_times()[:2]) - before < 0.5


def assert_a_clean_end(terminal: Terminal) -> None:
    terminal.send(b"q")
    assert terminal.wait() == 0
    assert terminal.is_restored()


def test_a_storm_of_resizes_down_to_twenty_by_five_and_back(terminal: Terminal) -> None:
    sizes = [(120 - step, 40 - step // 3) for step in range(0, 100, 2)]
    for size in [*sizes, (20, 5), (19, 4), (1, 1), *reversed(sizes)]:
        terminal.resize(*size)
    terminal.resize(120, 40)
    terminal.pause(1.0)
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
            terminal.send(bytes((key,)))
            terminal.pause(0.5)
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
        terminal.pause(1.0)
        assert_a_key_works(terminal)
        process = psutil.Process(terminal.pid)
        assert process.memory_info().rss < 120 * 1024**2
        watchers = process.children(recursive=True)
        assert_a_clean_end(terminal)
    _, alive = psutil.wait_procs(watchers, timeout=60.0)
    assert alive == []


def test_another_run_that_is_killed_is_told(terminal: Terminal, root: Path) -> None:
    flood = [sys.executable, "-m", "tests.benchmarks.event_flood", str(root), "50"]
    run = subprocess.Popen(flood, cwd=CHECKOUT)
    try:
        terminal.read_until(lambda written: b"chunk " in written, "what the run says")
        seen, killed = len(terminal.written), time.monotonic()
        run.kill()
        terminal.read_until(lambda written: b"lock free" in written[seen:], "that the run is gone")
        assert time.monotonic() - killed < 5.0
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
        terminal.pause(0.5)
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

    do("new-session", "-d", "-s", "night", "-x", "120", "-y", "40", command)
    try:
        for size in ((120, 40), (80, 24)):
            with Terminal([*tmux, "attach", "-t", "night"], env, size=size) as client:
                client.read_until(drawn, "the dashboard")
                client.send(b"?")
                deadline = time.monotonic() + 20.0
                # What tmux sends leaves out cells that stay as they are; its own screen is whole.
                while b"Look around" not in do("capture-pane", "-p", "-t", "night"):
                    assert time.monotonic() < deadline, "the help never came"
                    client.pause(0.1)
                client.send(b"\x1b")
                client.pause(0.3)
                do("detach-client", "-s", "night")
                assert client.wait() == 0
        client_less = do("capture-pane", "-p", "-t", "night")
        assert b"FIREWALL" in client_less
        do("send-keys", "-t", "night", "q")
        has_session = [*tmux, "has-session"]
        deadline = time.monotonic() + 20.0
        while subprocess.run(has_session, env=env, capture_output=True, check=False).returncode == 0:
            assert time.monotonic() < deadline, "q did not end the console"
    finally:
        subprocess.run([*tmux, "kill-server"], env=env, capture_output=True, check=False)


def test_all_cells_are_drawn_again_on_request(terminal: Terminal) -> None:
    terminal.pause(0.5)
    seen = len(terminal.written)
    terminal.send(b"\x0c")
    terminal.read_until(lambda written: written[seen:].count("┌".encode()) >= 4, "all panes again")
    assert_a_clean_end(terminal)


def test_a_kill_in_the_middle_of_a_stall_is_clean(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(200, 60)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        for _ in range(100):
            terminal.send(b"z")
        process = psutil.Process(terminal.pid)
        before, since = sum(process.cpu_times()[:2]), time.monotonic()
        while time.monotonic() - since < 1.0:
            os.sched_yield()  # nobody reads the terminal meanwhile
        assert sum(process.cpu_times()[:2]) - before < 0.9
        terminal.signal(signal.SIGHUP)
        assert terminal.wait(reading=False) == 129
