"""Copied text reaches the operator's own clipboard, or it is said that it cannot."""

from __future__ import annotations

import base64
import re

from console.clipboard import osc52


def test_text_is_wrapped_in_osc_52() -> None:
    assert osc52("rows", inside_tmux=False) == "\x1b]52;c;cm93cw==\x07"


def test_within_tmux_it_goes_both_ways() -> None:
    sequence = osc52("rows", inside_tmux=True)
    assert sequence == "\x1b]52;c;cm93cw==\x07\x1bPtmux;\x1b\x1b]52;c;cm93cw==\x07\x1b\\"


def test_text_too_long_for_a_terminal_is_refused() -> None:
    assert osc52("x" * 60_000, inside_tmux=False) is None


def test_hostile_text_cannot_leave_the_sequence() -> None:
    text = "\x07\x1b]0;title\x07 \ud800"
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", osc52(text, inside_tmux=False) or "")
    assert found is not None
    assert base64.b64decode(found[1]).decode("utf-8", "surrogatepass") == text
