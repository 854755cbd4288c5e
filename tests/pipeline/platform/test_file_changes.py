"""A wait ends when something changes: by events, and by a poll for every reason why there are none."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.platform import file_changes
from pipeline.platform.file_changes import FileChanges

LONG = 20.0
# A wait that is ended by something else; one that is not hangs, and pytest says where.
WITHOUT_END = 3600.0
SHORT = 0.3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    return made


@pytest.fixture
def changes(folder: Path) -> Iterator[FileChanges]:
    """Watching the folder and a file in it; the first wait, which only begins, is over."""
    made = FileChanges(lambda: (folder / "rows.jsonl", folder))
    assert made.wait(LONG, threading.Event())
    assert made.why_polling == ""
    yield made
    made.close()


def is_woken(changes: FileChanges, act: Callable[[], object]) -> bool:
    """Whether a wait that has begun ends because of ``act``; it goes on at most ``LONG`` seconds."""
    timer = threading.Timer(0.2, act)
    timer.start()
    try:
        return changes.wait(LONG, threading.Event())
    finally:
        timer.join()


def append(path: Path, text: str = "row\n") -> None:
    with path.open("a") as file:
        file.write(text)


def quiet(changes: FileChanges) -> bool:
    """Whether nothing more is to be told; what is late is taken first."""
    while changes.wait(SHORT, threading.Event()):
        pass
    return True


def test_a_file_that_is_made_and_one_that_grows_wake(changes: FileChanges, folder: Path) -> None:
    assert is_woken(changes, lambda: append(folder / "rows.jsonl"))
    assert quiet(changes)
    assert is_woken(changes, lambda: append(folder / "rows.jsonl"))


def test_nothing_wakes_nobody(changes: FileChanges) -> None:
    began = time.monotonic()
    assert not changes.wait(SHORT, threading.Event())
    assert time.monotonic() - began >= SHORT


def test_another_process_wakes(changes: FileChanges, folder: Path) -> None:
    argv = [sys.executable, "-c", f"open({str(folder / 'rows.jsonl')!r}, 'a').write('row')"]
    assert is_woken(changes, lambda: subprocess.run(argv, check=True))


def test_a_rename_over_the_file_wakes_and_the_new_one_is_followed(changes: FileChanges, folder: Path) -> None:
    append(folder / "rows.jsonl")
    assert quiet(changes)
    (folder.parent / "new").write_text("new\n")
    assert is_woken(changes, lambda: (folder.parent / "new").replace(folder / "rows.jsonl"))
    assert quiet(changes)
    assert is_woken(changes, lambda: append(folder / "rows.jsonl"))


def test_a_write_through_another_name_of_the_file_wakes(changes: FileChanges, folder: Path) -> None:
    append(folder / "rows.jsonl")
    os.link(folder / "rows.jsonl", folder.parent / "other-name")
    assert quiet(changes)
    assert is_woken(changes, lambda: append(folder.parent / "other-name"))


def test_a_folder_removed_and_made_again_is_followed(changes: FileChanges, folder: Path) -> None:
    assert is_woken(changes, folder.rmdir)
    assert quiet(changes)
    assert is_woken(changes, folder.mkdir)
    assert quiet(changes)
    assert is_woken(changes, lambda: append(folder / "rows.jsonl"))
    assert changes.why_polling == ""


def test_stop_ends_a_wait(changes: FileChanges) -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    assert not changes.wait(WITHOUT_END, stop)


def test_a_flood_wakes_no_more_often_than_the_steps(changes: FileChanges, folder: Path) -> None:
    over = threading.Event()

    def flood() -> None:
        number = 0
        while not over.is_set():
            append(folder / "rows.jsonl")
            (folder / f"file-{number % 500}").touch()
            number += 1

    writer = threading.Thread(target=flood)
    writer.start()
    began, woken = time.monotonic(), 0
    while time.monotonic() - began < 1.0:
        woken += changes.wait(LONG, threading.Event())
    over.set()
    writer.join()
    assert 1 <= woken <= 1.0 / file_changes.STEP_SECONDS + 1


# Without events


def polling(folder: Path) -> FileChanges:
    made = FileChanges(lambda: (folder,), poll_seconds=0.05)
    made.wait(0.01, threading.Event())
    return made


def assert_polls(made: FileChanges, why: str) -> None:
    assert why in made.why_polling
    began = time.monotonic()
    assert made.wait(WITHOUT_END, threading.Event())
    assert time.monotonic() - began >= 0.05


def test_a_network_file_system_is_polled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_changes, "_mounts", lambda: {"/": "ext4", str(folder.parent): "nfs4"})
    assert_polls(polling(folder), f"{folder.parent} is nfs4")


def test_mounts_are_read_as_the_kernel_tells_them() -> None:
    mounts = file_changes._mounts()
    assert mounts["/proc"] == "proc"


def test_without_the_module_it_polls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    monkeypatch.setitem(sys.modules, "watchfiles._rust_notify", None)
    assert_polls(polling(folder), "watchfiles cannot be imported")


NO_INSTANCE_LEFT = """
import resource, sys, threading
from pathlib import Path
import watchfiles._rust_notify
from pipeline.platform.file_changes import FileChanges
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # what the kernel says at its own limit, too
changes = FileChanges(lambda: (Path(sys.argv[1]),))
changes.wait(0.01, threading.Event())
print(changes.why_polling, changes.wait(20, threading.Event()))
"""


def test_when_the_kernel_gives_no_watch_it_polls(folder: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 3
    argv = [sys.executable, "-c", NO_INSTANCE_LEFT, str(folder)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert said.startswith("file events are not available: ")
    assert said.endswith("True\n")


def test_a_used_up_limit_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchfiles import _rust_notify

    def refuse(*_: object) -> None:
        raise OSError("OS file watch limit reached.")

    now = 100.0
    with monkeypatch.context() as refused:
        refused.setattr(_rust_notify, "RustNotify", refuse)
        made = FileChanges(lambda: (folder,), poll_seconds=0.01, clock=lambda: now)
        made.wait(LONG, threading.Event())
        assert_why = made.why_polling
    assert "limit reached" in assert_why
    assert made.wait(LONG, threading.Event())
    assert made.why_polling == assert_why
    now += file_changes.RETRY_SECONDS
    made.wait(0.01, threading.Event())
    assert made.why_polling == ""


def test_changes_that_no_event_tells_turn_it_to_a_poll(changes: FileChanges) -> None:
    changes.found()
    assert not changes.wait(LONG, threading.Event())
    assert changes.why_polling == "a change was missed"
    assert_polls(changes, "a change was missed")


def test_an_event_that_is_late_is_no_reason_to_poll(changes: FileChanges, folder: Path) -> None:
    append(folder / "rows.jsonl")
    changes.found()
    assert changes.wait(LONG, threading.Event())
    assert changes.why_polling == ""
