"""Words for a shell and events for a console: what is written is read back, and nothing in it is obeyed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import events
from pipeline.contracts.checks import DriftRow, DriftStatus
from pipeline.contracts.shell_words import joined, quoted
from pipeline.contracts.untrusted import visible

HOSTILE = (
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "/srv/a\nrm -rf ~\n",
    "\x1b[200~;id\x1b[201~",
    "it's \\ $(id) `id` !x",
    "\u202egnp.elif\u2066",
    "name\udcff\udc80",
    "\x9b31m\x00"[:-1],
    "tab\there\r",
    "",
)


@pytest.mark.parametrize("word", HOSTILE)
def test_nothing_in_a_quoted_word_is_obeyed_by_a_terminal(word: str) -> None:
    line = quoted(word)
    assert visible(line) == line
    assert "\n" not in line


@pytest.mark.skipif(shutil.which("bash") is None, reason="a shell has to read it")
def test_a_shell_reads_back_the_same_bytes() -> None:
    script = f"printf '%s\\0' {joined(HOSTILE)}"
    said = subprocess.run(["bash", "-c", os.fsencode(script)], capture_output=True, check=True).stdout
    assert said.split(b"\0")[:-1] == [os.fsencode(word) for word in HOSTILE]


@given(st.lists(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)), min_size=1))
def test_printable_words_are_quoted_as_ever(words: list[str]) -> None:
    assert joined(words) == shlex.join(words)


@given(st.text())
def test_whatever_a_word_holds_the_line_is_printable(word: str) -> None:
    line = quoted(word)
    assert visible(line) == line


def test_a_new_metric_without_a_baseline_survives_the_event_stream() -> None:
    row = DriftRow(metric="skips", phase="P2", current=0.0, status=DriftStatus.NEW)
    sent = events.DriftReported(seq=1, at="2026-04-27T06:00:00Z", row=row)
    assert events.decode(events.encode(sent)) == sent
