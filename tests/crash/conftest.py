"""The workspaces that crash tests start from, and what straight runs make of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.outcomes import Straight, change_sources, straight_run
from tests.pipeline.engine.workspaces import make_workspace
from tests.quick_folder import quick_folder


@pytest.fixture
def quick() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def straight() -> Iterator[dict[str, Straight]]:
    """By start: ``fresh`` has no outputs; ``last-good`` has some, and its sources have changed since."""
    with quick_folder() as root:
        fresh = make_workspace(root / "fresh")
        done = root / "done"
        shutil.copytree(fresh, done)
        first = straight_run(done, start=fresh, last_good={})
        last_good = root / "last-good"
        shutil.copytree(done, last_good)
        change_sources(last_good)
        changed = root / "changed"
        shutil.copytree(last_good, changed)
        second = straight_run(changed, start=last_good, last_good=first.outputs)
        assert first.run_hash != second.run_hash
        assert set(first.outputs) == set(second.outputs)
        yield {"fresh": first, "last-good": second}
