"""Which runs there are, and where: the invariants name the ones they look at, and share them.

The workspace in the temp root itself holds the base run, which most invariants look at; every other
run has a workspace of its own below ``variants``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.acceptance.engine_runs import RECORDED_AT, forked, interpreter, must_end_with
from pipeline.acceptance.fixture import Fixture
from pipeline.acceptance.listings import RealWorkspace
from pipeline.acceptance.temp_root import NOT_OF_THE_WORKSPACE, TempRoot
from pipeline.acceptance.written import Written
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.platform.process_end import Ended


class Scene:
    """The fixture in a temp root, and the ways to run the engine on it.

    ``real`` is the workspace that acceptance was called in; nothing of it may change.
    """

    def __init__(self, root: TempRoot, fixture: Fixture, real: Path) -> None:
        self.root = root
        self.fixture = fixture
        self.real = real
        self.real_before = RealWorkspace.of(real)

    @property
    def base(self) -> Written:
        """What the base run left. Ask for it only after the job ``base``."""
        return Written(self.root.path)

    def variant(self, name: str) -> Written:
        return Written(self.root.variant(name))

    def install(self, name: str, changed: Mapping[str, bytes] | None = None, **how: Any) -> Path:
        """A fresh workspace with the fixture."""
        workspace = self.root.variant(name)
        self.fixture.install(workspace, changed=dict(changed or {}), **how)
        return workspace

    def copy_of_base(self, name: str) -> Path:
        """A copy of the base run's workspace, as somebody would make one: times are not kept."""
        workspace = self.root.variant(name)
        top = str(self.root.path)

        def ignored(folder: str, _names: Sequence[str]) -> Sequence[str]:
            return NOT_OF_THE_WORKSPACE if folder == top else ()

        shutil.copytree(self.root.path, workspace, ignore=ignored, copy_function=shutil.copyfile)
        return workspace

    def run_all(self, workspace: Path, *options: str) -> list[str]:
        """argv of a run with one fixed clock."""
        return ["run-all", "-C", str(workspace), "--recorded-at", RECORDED_AT, "--json", *options]

    def fork_run(self, name: str, workspace: Path, *options: str, **how: Any) -> Ended:
        """One run with one worker, forked, which must succeed."""
        ended = forked(self.root, name, self.run_all(workspace, "--workers", "1", *options), **how)
        return must_end_with(ended, ExitCode.OK, f"the run `{name}`")

    def run_base(self) -> dict[str, Any]:
        """The fixture from scratch, by the engine as operators start it."""
        self.fixture.install(self.root.path)
        argv = self.run_all(self.root.path, "--workers", "1")
        must_end_with(interpreter(self.root, "base", argv), ExitCode.OK, "the base run")
        return state_of(self.base)


def state_of(written: Written) -> dict[str, Any]:
    """What a run came out with, small enough to compare: run_hash, counts, digests of the outputs."""
    summary = written.summary
    return {
        "run_hash": summary["run_hash"],
        "counts": summary["counts"],
        "outputs": digests(written.outputs()),
    }


def digests(outputs: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in outputs.items()}


def age(workspace: Path) -> None:
    """Give every source another time, as a copy or a touch does."""
    for path in (workspace / paths.KNOWLEDGE_BASE).iterdir():
        os.utime(path, (1, 1))
