"""Which changes are tried: as many from each package as from any other, drawn by a seed.

What is drawn of a module depends on the seed and that module alone, so that an edit elsewhere leaves the
rest of the sample as it is, and a test that was written for one survivor is tried against that one again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.changes import Change, changes
from tests.mutation.trial import CHECKOUT

PACKAGES = ("console", "pipeline", "runbook")


def sample(seed: int, only: str = "") -> Iterator[tuple[str, Path, Change]]:
    """Changes in an order that the seed draws, a package after the other, each module once."""
    waiting: dict[str, list[Path]] = defaultdict(list)
    for package in PACKAGES:
        for file in sorted((CHECKOUT / package).rglob("*.py")):
            module = file.relative_to(CHECKOUT)
            waiting[stratum_of(module)].append(module)
    strata = sorted(name for name in waiting if name.startswith(only))
    for name in strata:
        waiting[name].sort(key=lambda module: _drawn(seed, str(module)), reverse=True)
    while strata:
        for name in tuple(strata):
            change = None
            while waiting[name] and change is None:
                module = waiting[name].pop()
                change = drawn(seed, module)
                if change is not None:
                    yield name, module, change
            if change is None:
                strata.remove(name)


def drawn(seed: int, module: Path) -> Change | None:
    """The one change of a module that the seed draws; None where there is nothing to change."""
    possible = changes((CHECKOUT / module).read_bytes())
    return min(possible, key=lambda each: _drawn(seed, each.kind, each.before, each.after), default=None)


def stratum_of(module: Path) -> str:
    return "/".join(module.parts[:-1][:2])


def _drawn(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\0".join([str(seed), *words]).encode()).digest()
