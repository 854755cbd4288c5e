"""How a program of ours ends: as Python would end it, but quickly."""

from __future__ import annotations

import pytest

from tests.architecture.fresh_interpreter import run_python


def _ended(code: str) -> tuple[int, str, str]:
    finished = run_python("-c", f"from pipeline.platform import program\n{code}")
    return finished.returncode, finished.stdout, finished.stderr


def test_what_was_said_and_registered_is_not_lost() -> None:
    code = "import atexit\natexit.register(print, 'at the exit')\nprint('said', end=' ')\nprogram.leave(10)"
    assert _ended(code) == (10, "said at the exit\n", "")


def test_nothing_is_taken_apart() -> None:
    code = "class Kept:\n    def __del__(self): print('taken apart')\nkept = Kept()\nprogram.leave(0)"
    assert _ended(code) == (0, "", "")


def test_a_thread_at_work_is_waited_for() -> None:
    code = """
import threading
go_on = threading.Event()
def work():
    go_on.wait()
    print("worked")
threading.Thread(target=work).start()
threading.Timer(0, go_on.set).start()
program.leave(5)
"""
    assert _ended(code) == (5, "worked\n", "")


@pytest.mark.parametrize("who", ["settrace", "setprofile"])
def test_who_traces_the_process_sees_it_end(who: str) -> None:
    code = f"import sys\nsys.{who}(lambda *_: None)\ntry: program.leave(3)\nexcept SystemExit: print('seen')"
    assert _ended(code) == (0, "seen\n", "")
