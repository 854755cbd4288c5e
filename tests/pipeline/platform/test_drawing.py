"""Progress and tables are drawn for a person, and nothing of them reaches a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.platform import drawing

CHECKOUT = Path(pipeline.__file__).parents[1]
RUN, RECEIPT, DIGEST = (
    "20261130T021227Z-d5c3",
    "reports/20261130T021227Z-d5c3/export.json",
    "0123456789abcdef" * 4,
)
DRAWS = (
    f"RUN, RECEIPT, DIGEST = {RUN!r}, {RECEIPT!r}, {DIGEST!r}"
    + """
import sys
from pipeline.platform.drawing import Progress
from pipeline.platform.voice import Voice, speak

def work():
    progress, voice = Progress(), Voice()
    for done in (10, 50):
        progress.event({"stage": "mapping", "rows_in": done * 100, "rows_per_second": 1234.0,
                        "bytes_done": done, "bytes_total": 100})
    progress.checking("P6.acceptance", 3, 20)
    voice.note("said between")
    progress.event({"stage": "mapping", "rows_in": 9000, "bytes_done": 90, "bytes_total": 100})
    voice.table(["stream", ">rows"], [["chats", "12"], ["[bold]x[/] \\x1b[31m", "3,456"]])
    voice.table(["run", "receipt", "what"], [[RUN, RECEIPT, "a run of words that has to be wrapped " * 3]])
    voice.table(["sha", "sha again"], [[DIGEST, DIGEST], ["short", "x" * 300]])
    voice.out("rich" if "rich" in sys.modules else "no rich")
    return 0

sys.exit(speak(work, who="The test", kept_safe="x"))
"""
)
ARGV = [sys.executable, "-P", "-c", DRAWS]
ENVIRONMENT = {"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"}


def drawn(term: str) -> str:
    """What reaches a terminal of 80 columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(ARGV[0], ARGV, {**ENVIRONMENT, "TERM": term, "COLUMNS": "80", "LC_ALL": "C.UTF-8"})  # noqa: S606
    said = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return said.decode()


def test_a_person_sees_rows_rate_and_how_much_is_left() -> None:
    said = drawn("xterm-256color")
    assert "mapping" in said
    assert "5,000 rows, 1,234/s" in said
    assert "50%" in said
    assert "━" in said
    assert "\x1b[?25l" not in said, "a killed process could not bring the cursor back"


def test_a_person_sees_which_check_is_at_work_how_far_and_since_when() -> None:
    said = drawn("xterm-256color")
    assert "3 of 20 · P6.acceptance since " in said
    assert "15%" in said


def test_what_is_said_takes_the_place_of_the_progress() -> None:
    said = drawn("xterm-256color")
    before, _, _ = said.partition("said between")
    assert before.endswith(("\x1b[2K", "\r")), repr(before[-40:])


def test_markup_and_escapes_in_data_are_shown_and_not_obeyed() -> None:
    said = drawn("xterm-256color")
    assert "[bold]x[/] \\x1b[31m" in said
    assert "\x1b[31m" not in said


def test_an_id_is_never_broken() -> None:
    lines = drawn("xterm-256color").splitlines()
    drawn_once = [line for line in lines if RUN in line]
    assert len(drawn_once) == 1
    assert RECEIPT in drawn_once[0]
    assert len(drawn_once[0].rstrip()) <= 80
    assert any(line.count(DIGEST) == 2 for line in lines), "wider than the terminal, and whole"
    folded = lines[next(at for at, line in enumerate(lines) if "sha again" in line) :]
    assert max(len(line.rstrip()) for line in folded[1:]) < 300, "what no line could hold is folded"


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_plain_lines(term: str) -> None:
    said = drawn(term)
    assert "\x1b[" not in said.replace("\\x1b[", "")
    assert "no rich" in said


def test_a_pipe_gets_no_escape_byte_and_rich_is_not_imported() -> None:
    done = subprocess.run(ARGV, env=ENVIRONMENT, capture_output=True, check=True)
    assert done.stderr == b"said between\n"
    assert b"\x1b" not in done.stdout
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == [
        f"{'stream':<19}   rows",
        f"{'chats':<19}     12",
        f"{'[bold]x[/] '}{chr(92)}x1b[31m  3,456",
    ]
    assert lines[-1] == "no rich"


def test_a_table_without_rows_has_its_headings() -> None:
    assert drawing.table(["a", ">b"], []) == "a  b\n"
