"""The short form of `python -m tests.faults.attacks`: it holds, and what does not hold is found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY
from tests.faults.askers import ASKERS
from tests.faults.attacks import Attack, attacks, what_did_not_hold
from tests.faults.trial import Ended


@pytest.mark.slow
def test_attacks_from_outside_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.attacks", "--each", "2"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for asker in ASKERS:
        assert f"| nothing planted: a workspace in order | `{asker}` | CLEAR, exit 0 | yes |" in done.stdout
    for kind in {attack.kind for attack in attacks()}:
        assert f"| {kind}: " in done.stdout


@pytest.mark.parametrize(
    ("asker", "word", "code", "said", "holds"),
    [
        ("status", "BREACH", 10, "", True),
        ("status", "CLEAR", 10, "", False),
        ("status", "BREACH", 0, "", False),
        ("status", "BREACH", 10, "Traceback (most recent call last)", False),
        ("status", "no end", -9, "", False),
        ("handover", "BREACH", 0, "", True),
        ("handover", "CLEAR", 0, "", False),
    ],
)
def test_what_did_not_hold_is_said(asker: str, word: str, code: int, said: str, holds: bool) -> None:
    forged = Attack("forged rows", "one", lambda root: None, ("BREACH",))
    assert (what_did_not_hold(forged, ASKERS[asker], word, Ended(code, said)) == []) is holds
