"""Run the parts of a batch one after the other, within one time limit, and tell how each went.

A part that fails does not keep the others from running. One that could not begin for a reason
that stops the others as well (a lock, a mistake in the settings, an interruption) does. Whichever part sees
a breach first, its incident is opened then, and so before a run replaces the file. A broken runbook costs
the incident, never the batch: the bytes are kept beside the run's report.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import orjson

from console.batch.child import Deadline, run_child
from console.batch.outcome import BatchOutcome, PartOutcome, PartState, exit_code
from console.batch.part_report import outcome_of
from console.batch.parts import LOOKS, OF_THE_ENGINE, Part, Selection, argv_of, environment_of
from console.batch.stream import BatchStream, Narration
from console.batch.titles import folder_in_repository
from pipeline.contracts import paths
from pipeline.contracts.events import EVENT_STREAM_VERSION
from pipeline.contracts.faults import PRECEDENCE, ExitCode, OperatorError
from pipeline.contracts.symptoms import LEAK
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined, disk
from pipeline.platform.engine_choice import choose_engine, engine_to_change
from pipeline.platform.firewall import look_seconds
from pipeline.platform.identity import host_name
from pipeline.platform.temporary import folder_for_now


@dataclass(frozen=True, slots=True)
class BatchOptions:
    selection: Selection
    fail_on_warn: bool = False
    timeout_seconds: float | None = None


@dataclass
class _Stop:
    """Set by a signal; the part that runs is then ended at a safe point."""

    code: int | None = None

    def __call__(self) -> bool:
        return self.code is not None


def run_batch(
    root: Path,
    options: BatchOptions,
    stream: BatchStream,
    narration: Narration,
    *,
    clock: Callable[[], float] = time.time,
) -> BatchOutcome:
    """Run what was selected. Raises SettingsError and TrustNeededError when the workspace's engine may not
    run, OSError.
    """
    runs_engine = any(part in OF_THE_ENGINE for part in options.selection.wanted)
    engine = engine_to_change(root) if runs_engine else choose_engine(root)
    started = clock()
    batch_id = f"{datetime.fromtimestamp(started, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    stream.emit(
        "run.started",
        version=EVENT_STREAM_VERSION,
        pipeline_run_id=batch_id,
        command="batch",
        argv=[],
        workspace=str(root),
        pid=os.getpid(),
        host=host_name(),
        stages=list(options.selection.wanted),
        engine_source=engine.source,
    )
    if Part.AUDIT in options.selection.wanted:
        _make_journal(root)
    deadline = Deadline(options.timeout_seconds)
    done: dict[Part, PartOutcome] = {
        part: PartOutcome(part, PartState.SKIPPED) for part in options.selection.skipped
    }
    with _signals() as stop, folder_for_now("distill-batch.") as folder:
        stopped_because = incident = ""
        for part in options.selection.wanted:
            if stopped_because:
                done[part] = PartOutcome(part, PartState.NOT_RUN, detail=stopped_because)
                continue
            narration.begins(part)
            stream.log(f"{part} begins")
            events = folder / f"{part}.events"
            argv = argv_of(part, root, events, acceptance_report=_handed_on(folder, done))
            ended = run_child(
                argv,
                environment_of(part, engine),
                folder,
                part,
                deadline=deadline,
                stop_asked=stop,
                on_event=_both(stream, narration),
                most_seconds=look_seconds(root) if part in LOOKS else math.inf,
            )
            outcome = outcome_of(part, ended)
            if outcome.exit_code == ExitCode.FIREWALL_BREACH and not incident:
                incident, told = open_incident(root)
                outcome = replace(outcome, detail=f"{outcome.detail}; {told}")
            done[part] = outcome
            narration.ended(outcome)
            stream.log(
                f"{part}: {outcome.word} {outcome.said}".rstrip(),
                "info" if outcome.exit_code == ExitCode.OK else "error",
            )
            stopped_because = _stops_the_rest(outcome, stop, deadline)
    outcome_of_all = BatchOutcome(
        batch_id,
        str(root),
        started,
        clock(),
        tuple(done[part] for part in Part if part in done),
        options.fail_on_warn,
        options.timeout_seconds,
        stop.code,
        incident,
        folder_in_repository(root),
    )
    code = exit_code(outcome_of_all)
    stream.emit(
        "run.finished",
        ok=code in (ExitCode.OK, ExitCode.WARNINGS),
        exit_code=code,
        run_hash=_run_hash(done),
        elapsed_seconds=round(outcome_of_all.elapsed_seconds, 3),
    )
    return outcome_of_all


def _make_journal(root: Path) -> None:
    """Make the journal to which the audit appends, empty, where it is not there yet.

    A file that is made changes its folder, and that of the sources is among what acceptance is asked of:
    the first batch of a workspace would find its own acceptance out of date. Whatever refuses is told by
    the audit.
    """
    with contextlib.suppress(OSError):
        if (root / paths.KNOWLEDGE_BASE).is_dir() and not os.path.lexists(root / paths.AUDIT_BASELINES):
            confined.append(root, paths.AUDIT_BASELINES, b"", durable=False)


def _both(stream: BatchStream, narration: Narration) -> Callable[..., None]:
    def tell(event: dict[str, object]) -> None:
        stream.relay(event)
        narration.event(event)

    return tell


def _handed_on(folder: Path, done: dict[Part, PartOutcome]) -> Path | None:
    """The report that acceptance has just printed, as a file; None when it printed none.

    Not the one in the workspace: it may be an earlier one, if this one could not be written.
    """
    acceptance = done.get(Part.ACCEPTANCE)
    if acceptance is None or not acceptance.checks:
        return None
    path = folder / "acceptance-report.json"
    disk.write_file(path, orjson.dumps(acceptance.report))
    return path


def _stops_the_rest(outcome: PartOutcome, stop: _Stop, deadline: Deadline) -> str:
    if stop.code is not None:
        return "the batch was interrupted"
    if outcome.state is PartState.TIMED_OUT or deadline.is_over:
        return "time was up before it could begin"
    if outcome.exit_code is not None and outcome.exit_code not in PRECEDENCE:
        return f"{outcome.part} ended with exit code {outcome.exit_code}, which stops the batch"
    return ""


def _run_hash(done: dict[Part, PartOutcome]) -> object:
    run = done.get(Part.RUN_ALL)
    return None if run is None else run.report.get("run_hash")


@contextmanager
def _signals() -> Iterator[_Stop]:
    """Ctrl-C and SIGTERM end the part that runs, and with it the batch, which still reports."""
    stop = _Stop()

    def asked(number: int, _: FrameType | None) -> None:
        stop.code = 128 + number

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_incident(root: Path) -> tuple[str, str]:
    """The incident's id, and the sentence to tell. The id is empty when none could be opened."""
    try:
        from runbook.probes.workspace import Workspace
        from runbook.symptoms import SYMPTOMS
        from runbook.wizard.driver import Driver

        symptom = next(each for each in SYMPTOMS if each.id == LEAK)
        session = Driver(Workspace(root), symptom, argv=("distill", "--batch")).open()
    except OperatorError as error:
        return "", f"no incident was opened: {visible(error.fault.what_happened, 300)}"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the runbook, the batch goes on
        return "", f"no incident was opened: {type(error).__name__}: {visible(str(error), 300)}"
    return session.incident.id, f"incident {session.incident.id}: distill runbook open {LEAK}"
