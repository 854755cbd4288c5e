"""The gate: all invariants on one scene, their verdict and their report."""

from __future__ import annotations

import contextlib
import gc
import importlib
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import BaseModel

from pipeline.acceptance import crash, engine_runs, exports, isolation, receipts, replay, scoring, walls
from pipeline.acceptance import input as input_lines
from pipeline.acceptance.fixture import Fixture
from pipeline.acceptance.invariant import Invariant
from pipeline.acceptance.jobs import JobBoard
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.temp_root import TempRoot, temp_root
from pipeline.checks.runner import Outcome, run_check
from pipeline.checks.session import CheckSession
from pipeline.checks.verdict import exit_code
from pipeline.contracts import events
from pipeline.contracts.check_index import ACCEPTANCE, CheckSpec, selected
from pipeline.contracts.checks import CheckResult
from pipeline.contracts.faults import ExitCode
from pipeline.engine.code_digest import engine_digest
from pipeline.platform.firewall import firewall_digest
from pipeline.platform.prepared_firewall import many_questions

SLOTS = 2
GROUPS = (isolation, input_lines, receipts, scoring, walls, exports, crash, replay)
INVARIANTS: dict[str, Invariant] = {
    name: invariant for group in GROUPS for name, invariant in group.INVARIANTS.items()
}
# Watches what all others do, so it is asked last.
_LAST = "A01"
_IMPORTED = (
    "encodings.utf_8_sig",
    "pipeline.cli",
    "pipeline.commands.explain",
    "pipeline.commands.lineage",
    "pipeline.commands.materialize",
    "pipeline.commands.run_all",
    "pipeline.commands.streams",
    "pipeline.engine.emit_preference",
    "pipeline.engine.row_builder",
    "pipeline.lineage",
    "pipeline.replay.replay",
    "pipeline.schemas.golden_rows",
    "pipeline.schemas.registry",
    "pipeline.stages.export_rag",
    "pipeline.stages.export_sft",
    "pipeline.stages.run_limits",
    "pipeline.stages.sample_keys",
    "pipeline.streams.survey",
    "resource",
)
# The longest first: what waits for nothing else fills the second slot meanwhile.
FIRST_JOBS = ("base", "straight", "factors_1", "factors_2")


@dataclass(frozen=True)
class Acceptance:
    """What the gate found. ``is_kept`` says whether the temp root is still there."""

    results: list[CheckResult]
    temp_root: Path
    is_kept: bool
    fixture_sha256: str
    run_hash: str | None
    notes: list[str]

    @property
    def exit_code(self) -> int:
        return exit_code(self.results)


def accept(
    workspace: Path, session: CheckSession, *, only: Collection[str] | None = None, keep: bool = False
) -> Acceptance:
    """Check the engine that is in use. Raises SettingsError for a check that does not exist, and
    TerminatedError.

    ``workspace`` is only watched. The temp root is kept when something failed, or when asked to.
    """
    specs = selected(ACCEPTANCE, only)
    # What is imported from here on lies in the workspace when its own engine is in use.
    sys.dont_write_bytecode = True
    import_the_engine()
    with (
        _terminated_in_order() as ending,
        temp_root() as root,
        many_questions(engine_runs.environment(root)),
    ):
        fixture = Fixture()
        scene = Scene(root, fixture, workspace)
        jobs = [job for group in GROUPS if hasattr(group, "jobs") for job in group.jobs(scene)]
        board = JobBoard(jobs, SLOTS)
        try:
            results = _judge(specs, scene, board, session, ending)
        finally:
            board.close()
        root.keep = keep or exit_code(results) != ExitCode.OK
        return Acceptance(
            results=results,
            temp_root=root.path,
            is_kept=root.keep,
            fixture_sha256=fixture.sha256,
            run_hash=_run_hash(scene),
            notes=_notes(fixture, root),
        )


class TerminatedError(BaseException):
    """Somebody asked this process to end; the temp root and all runs are gone.

    No ``Exception``, for a check that is asked at that moment must not take it for its own.
    """


class Ending:
    """Whether somebody asked. What runs at that moment may turn the exception into one of its own."""

    asked = False

    def end(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        raise TerminatedError

    def heed(self) -> None:
        """Raises TerminatedError when somebody has asked."""
        if self.asked:
            raise TerminatedError


@contextlib.contextmanager
def _terminated_in_order() -> Iterator[Ending]:
    """Let SIGTERM end the block as an exception, so that nothing is left behind."""
    ending = Ending()
    before = signal.signal(signal.SIGTERM, ending.end)
    try:
        yield ending
    except Exception as error:
        if ending.asked:
            raise TerminatedError from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def import_the_engine() -> None:
    """Once here, so that no fork has to: imports are half the time of a run.

    What cannot be imported is left to the forks, which say so where an invariant sees it.
    """
    for name in _IMPORTED:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for model in _models_below(BaseModel):
        with contextlib.suppress(Exception):
            # Compiled at its first row, which would be once a fork.
            model.model_rebuild()
    with contextlib.suppress(Exception):
        for rule in importlib.import_module("pipeline.stages.secret_rules").RULES:
            _ = rule.patterns
    for kind in ("rag", "sft", "preference"):
        with contextlib.suppress(Exception):
            getattr(importlib.import_module("pipeline.schemas.written"), f"is_written_{kind}")(b"")
    engine_digest()
    firewall_digest()
    # All this stays to the end: a fork's collector neither looks at it nor copies its pages.
    gc.collect()
    gc.freeze()


def _models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The engine's own models among those that are imported."""
    for each in model.__subclasses__():
        if each.__module__.startswith("pipeline."):
            yield each
        yield from _models_below(each)


def _judge(
    specs: Sequence[CheckSpec], scene: Scene, board: JobBoard, session: CheckSession, ending: Ending
) -> list[CheckResult]:
    needed = {need for spec in specs for need in INVARIANTS[spec.id].needs}
    board.want([name for name in FIRST_JOBS if name in needed])
    board.want([need for spec in specs for need in INVARIANTS[spec.id].needs])
    results: dict[str, CheckResult] = {}
    for spec in sorted(specs, key=lambda spec: spec.id == _LAST):
        if session.events.on_check is not None:
            session.events.on_check(spec.id, len(results), len(specs))
        result = run_check(spec, partial(_outcome, INVARIANTS[spec.id], scene, board))
        ending.heed()
        session.events.emit(events.CheckReported, check=result)
        results[spec.id] = result
    return [results[spec.id] for spec in specs]


def _outcome(invariant: Invariant, scene: Scene, board: JobBoard) -> Outcome:
    for need in invariant.needs:
        board.result(need)
    return invariant.judge(scene, board.result)


def _run_hash(scene: Scene) -> str | None:
    try:
        run_hash: str | None = scene.base.summary["run_hash"]
    except Exception:  # noqa: BLE001 - the checks have said what is wrong with the base run
        return None
    return run_hash


def _notes(fixture: Fixture, root: TempRoot) -> list[str]:
    notes = [f"the fixture was edited: {name}" for name in fixture.edited_files()]
    # Past the cache: what the source files hold now.
    if engine_digest.__wrapped__() != engine_digest():
        notes.append("the engine was edited while acceptance ran: run it again")
    if root.keep:
        notes.append(f"the temp root is kept: {root.path}")
    return notes


def acceptance_report(acceptance: Acceptance, session: CheckSession) -> dict[str, Any]:
    """The report as JSON types."""
    return session.report(
        "acceptance",
        acceptance.results,
        acceptance.exit_code,
        facts={
            "run_hash": acceptance.run_hash,
            "temp_root": str(acceptance.temp_root),
            "temp_root_kept": acceptance.is_kept,
            "fixture_sha256": acceptance.fixture_sha256,
        },
        notes=acceptance.notes,
    )
