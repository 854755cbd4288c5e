"""`distill demo` in a terminal: the console opens armed, and the run outlives it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipeline.contracts import paths
from tests.console.polling import wait_until
from tests.console.terminals import Terminal


@pytest.mark.slow
def test_the_demo_opens_the_console_armed_on_a_run_that_outlives_it(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    argv = [sys.executable, "-P", "-m", "console", "demo", "--rows", "3000", "--dir", str(root)]
    with Terminal(argv, {**os.environ, "TERM": "xterm-256color"}) as terminal:
        terminal.read_until(lambda written: b"OPERATE" in written, "the console armed")
        terminal.send(b"q")
        assert terminal.wait() == 0
    assert b"3000 generated lines" in terminal.written
    wait_until(lambda: list((root / paths.REPORTS).glob("*/summary.json")), "the end of the run")
    assert (root / paths.SFT_EXPORT).stat().st_size > 0
