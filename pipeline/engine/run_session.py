"""The frame around every command that changes outputs: lock, run folder, events, signals, end.

Whatever happens inside, the event stream ends with ``run.finished`` and the exit code agrees
with it; a run that fails leaves a summary that says so, and the last-good outputs.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from pipeline.contracts import events, paths
from pipeline.contracts.faults import CHUNKS_KEPT, ExitCode, Fault, OperatorError
from pipeline.engine import commit
from pipeline.engine.clock import monotonic, now_iso
from pipeline.engine.code_digest import ENGINE_VERSION
from pipeline.engine.commit_points import reached
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.receipts import RunFacts, encode, run_summary
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.confined import refuse_links
from pipeline.platform.git import read_git_state
from pipeline.platform.identity import who_acts
from pipeline.platform.lock import Lock, hold_workspace
from pipeline.platform.process import obeying
from pipeline.platform.starvation import starved_fault

# What a run writes at; one file of each folder, the others are looked at when they are renamed.
_WRITTEN_PLACES = (
    paths.INTENT,
    paths.RUN_STATE,
    paths.STAGING,
    paths.SPOOL,
    paths.CHUNK_CACHE,
    paths.LEDGERS,
    paths.DISTILLATION_SKIPS,
    paths.SCORING_SKIPS,
    paths.EVIDENCE,
    paths.SCORED_RUNS,
    paths.RAG_EXPORT,
    paths.SFT_EXPORT,
    paths.PREFERENCE_EXPORT,
    paths.QUARANTINE,
    paths.DECONTAMINATION,
    *paths.NEAR_DUPLICATE_REPORTS.values(),
    paths.REPORTS,
)


class InterruptedRunError(BaseException):
    """The operator asked the run to stop; it did, at a safe point.

    No ``Exception``: no stage may take it for trouble with a row.
    """

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code


class RefusedRunError(OperatorError):
    """The run was evaluated and must not be committed (a breach, an emptied export)."""

    def __init__(self, fault: Fault, exit_code: ExitCode) -> None:
        super().__init__(fault)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.fault, self.exit_code)


@dataclass(frozen=True)
class Request:
    """What somebody asked for: a command as it was typed, the run's one clock value, where events go."""

    command: str
    argv: Sequence[str]
    recorded_at: str
    events_writer: EventWriter
    engine_source: str


@dataclass
class Session:
    """What the body of a run works with."""

    workspace: Path
    facts: RunFacts
    events: EventWriter
    lock: Lock
    started: float
    _stop: ExitCode | None = None
    _interruptible: bool = False

    @property
    def pipeline_run_id(self) -> str:
        return self.facts.pipeline_run_id

    @property
    def staging(self) -> Path:
        return commit.staging_folder(self.workspace, self.pipeline_run_id)

    @property
    def scratch(self) -> Path:
        """For what a run's memory does not hold; it is no output, and goes with the staged files."""
        return self.staging / "scratch"

    def request_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stop = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        if self._interruptible:
            self.check_stop()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """A signal ends the block at once: for work that may be lost at any instruction, as in a crash."""
        self._interruptible = True
        try:
            self.check_stop()
            yield
        finally:
            self._interruptible = False

    def check_stop(self) -> None:
        """A safe point: raises InterruptedRunError when a signal asked for it."""
        if self._stop is not None:
            raise InterruptedRunError(self._stop)

    def warn(self, message: str) -> None:
        self.facts.warnings.append(message)
        self.events.log("warning", message)


def new_run_id() -> str:
    """Sorts by time; four random digits keep two runs of one second apart."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}"


@contextlib.contextmanager
def run_session(
    workspace: Path,
    request: Request,
    *,
    stages: Sequence[str],
    settings_digest: str,
    chunk_bytes: int,
    workers: int = 1,
) -> Iterator[Session]:
    """Hold the workspace, settle what a crash left open, and account for how the block ended.

    Raises what the block raises, WorkspaceLockedError, and StorageError.
    """
    pipeline_run_id = new_run_id()
    command, argv, events_writer = request.command, request.argv, request.events_writer
    with hold_workspace(workspace, command=command, pipeline_run_id=pipeline_run_id, argv=argv) as lock:
        refuse_links(workspace, _WRITTEN_PLACES)
        settled = commit.settle(workspace)
        folder = workspace / paths.run_folder(pipeline_run_id)
        disk.make_folder(folder)
        events_writer.add_place(workspace / paths.events_file(pipeline_run_id))
        events_writer.stop_remembering()
        session = Session(
            workspace=workspace,
            facts=RunFacts(
                pipeline_run_id=pipeline_run_id,
                command=command,
                recorded_at=request.recorded_at,
                started_at=now_iso(),
                settings_digest=settings_digest,
                engine_source=request.engine_source,
                git=None,
                workers=workers,
                chunk_bytes=chunk_bytes,
            ),
            events=events_writer,
            lock=lock,
            started=monotonic(),
        )
        events_writer.emit(
            events.RunStarted,
            pipeline_run_id=pipeline_run_id,
            command=command,
            argv=tuple(argv),
            workspace=str(workspace),
            **asdict(who_acts()),
            stages=tuple(stages),
            workers=workers,
            engine_source=request.engine_source,
            engine_version=ENGINE_VERSION,
        )
        reached("run-started")
        session.facts.git = read_git_state(workspace).to_dict()
        if settled:
            session.warn(settled)
        before = {
            number: signal.signal(number, session.request_stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            with obeying(session.check_stop):
                yield session
        except InterruptedRunError as stopped:
            _finish_badly(session, stopped.exit_code, None)
            raise
        except OperatorError as error:
            _finish_badly(session, error.exit_code, error.fault)
            raise
        except OSError as error:
            path = Path(os.fsdecode(error.filename or folder))
            # It came from anywhere: which of the two it was, nobody has said.
            refused = disk_faults.storage_fault(error, path, CHUNKS_KEPT, doing="read or written")
            _finish_badly(session, refused.exit_code, refused.fault)
            raise refused from error
        except Exception as error:
            refused_us = starved_fault(error, "the engine", CHUNKS_KEPT) or disk_faults.refused_by_disk(
                error, CHUNKS_KEPT
            )
            fault = refused_us or Fault(
                code="internal_error",
                what_happened=f"The engine has a bug: {type(error).__name__}: {error}",
                kept_safe=CHUNKS_KEPT,
                do_next=f"Keep {folder} and report it; the last-good tag's engine may still run.",
            )
            _finish_badly(session, ExitCode.NOT_EVALUABLE, fault)
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            commit.discard_unfinished(workspace, pipeline_run_id)


def _finish_badly(session: Session, exit_code: ExitCode, fault: Fault | None) -> None:
    """A summary that says that the run failed, and the last event."""
    elapsed = monotonic() - session.started
    if fault is not None:
        session.events.log("error", fault.what_happened, fault)
    summary: dict[str, Any] = run_summary(
        session.facts,
        (),
        finished_at=now_iso(),
        elapsed_seconds=elapsed,
        run_hash=None,
        exit_code=exit_code,
        committed=False,
    )
    place = paths.summary_file(session.pipeline_run_id)
    try:
        confined.write_file(session.workspace, place, encode(summary))
    except OperatorError:
        # The events and the exit code still tell; one that says that all is well must not stay.
        disk.discard(session.workspace / place)
    session.events.emit(
        events.RunFinished,
        ok=False,
        exit_code=exit_code,
        elapsed_seconds=round(elapsed, 3),
        fault=fault.to_dict() if fault else None,
    )
