"""Why not all of an incident may be believed: what cannot be read first, then the broken chain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from console.report.facts import _trouble

BROKEN = SimpleNamespace(number=3, problem="its hash does not follow")


@pytest.mark.parametrize(
    ("trouble", "broken", "problems", "words"),
    [
        ("it cannot be read", BROKEN, ("a",), "it cannot be read"),
        ("", BROKEN, ("a",), "the chain breaks at entry 3: its hash does not follow"),
        ("", None, ("a", "b"), "a; b"),
        ("", None, (), ""),
    ],
)
def test_the_worst_is_told(trouble: str, broken: Any, problems: tuple[str, ...], words: str) -> None:
    record: Any = SimpleNamespace(trouble=trouble, first_broken=broken, problems=problems)
    assert _trouble(record) == words
