"""The frame around a command that runs checks: an event stream that begins and ends properly.

Unlike a run of the pipeline it takes no lock and has no folder of its own: its events lie flat
beside its report and are replaced with it.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Any

from pipeline.checks.report import report_data
from pipeline.contracts import events
from pipeline.contracts.checks import CheckResult, DriftRow
from pipeline.contracts.faults import ExitCode, Fault, OperatorError
from pipeline.engine.clock import monotonic, now_iso
from pipeline.engine.code_digest import ENGINE_VERSION
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.receipts import engine_claim
from pipeline.engine.run_session import Request, new_run_id
from pipeline.platform import disk, disk_faults
from pipeline.platform.git import read_git_state
from pipeline.platform.identity import who_acts


@dataclass
class CheckSession:
    """``exit_code`` and ``run_hash`` are set by the body and told by the last event."""

    events: EventWriter
    started_at: str
    started: float
    audit_id: str
    workspace: Path
    engine_source: str
    exit_code: int = ExitCode.NOT_EVALUABLE
    run_hash: str | None = field(default=None)

    @property
    def elapsed_seconds(self) -> float:
        return monotonic() - self.started

    def report(
        self,
        kind: str,
        results: Sequence[CheckResult],
        exit_code: int,
        *,
        drift: Sequence[DriftRow] | None = (),
        facts: Mapping[str, Any],
        notes: Sequence[str],
    ) -> dict[str, Any]:
        """The report as it stands now, with the times, the repository and the engine of this session."""
        git, engine = read_git_state(self.workspace).to_dict(), engine_claim(self.engine_source)
        return report_data(
            kind,
            results,
            exit_code,
            started_at=self.started_at,
            finished_at=now_iso(),
            elapsed_seconds=self.elapsed_seconds,
            drift=drift,
            facts={"git": git, "engine": engine, **facts},
            notes=notes,
        )


@contextlib.contextmanager
def check_session(
    workspace: Path,
    events_file: PurePosixPath | None,
    request: Request,
    phases: Sequence[str],
) -> Iterator[CheckSession]:
    """Tell the event stream how the block began and ended. Raises what the block raises, StorageError.

    ``events_file`` is replaced; with None only the places that the caller gave are written.
    """
    events_writer = request.events_writer
    if events_file is not None:
        path = workspace / events_file
        disk.make_folder(path.parent)
        try:
            disk.operations.unlink(path)
            events_writer.add_place(path)
        except OSError as error:
            raise disk_faults.storage_fault(error, path) from error
    events_writer.stop_remembering()
    session = CheckSession(
        events_writer, now_iso(), monotonic(), new_run_id(), workspace, request.engine_source
    )
    events_writer.emit(
        events.RunStarted,
        pipeline_run_id=session.audit_id,
        command=request.command,
        argv=tuple(request.argv),
        workspace=str(workspace),
        **asdict(who_acts()),
        stages=tuple(phases),
        engine_source=request.engine_source,
        engine_version=ENGINE_VERSION,
    )
    fault: Fault | None = None
    try:
        with _terminated_like_interrupted():
            yield session
    except OperatorError as error:
        session.exit_code, fault = error.exit_code, error.fault
        raise
    except KeyboardInterrupt:
        session.exit_code = ExitCode.INTERRUPTED
        raise
    except SystemExit:
        session.exit_code = ExitCode.TERMINATED
        raise
    except BaseException:
        session.exit_code = ExitCode.NOT_EVALUABLE
        raise
    finally:
        events_writer.emit(
            events.RunFinished,
            ok=session.exit_code in (ExitCode.OK, ExitCode.WARNINGS),
            exit_code=int(session.exit_code),
            run_hash=session.run_hash,
            elapsed_seconds=round(session.elapsed_seconds, 3),
            fault=fault.to_dict() if fault else None,
        )


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM unwinds the block as Ctrl-C does, so that children end and the last event is written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(ExitCode.TERMINATED)
