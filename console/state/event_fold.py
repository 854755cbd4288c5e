"""PURE: one event of an engine's stream folded into the followed run.

``fold_event(state, event, now)`` changes ``state.run``, ``state.log`` and ``state.live_rows``
only; ``derive.advance`` derives the panes from them. Any event in any order is accepted: a
stream may begin in the middle, lose lines, or come from a newer engine. Kept apart from
``view_state`` because the event models take 0.1 s to import, which the first paint need not wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from console.state.drift_lines import drift_line
from console.state.event_words import (
    check_level,
    fault_words,
    finished_words,
    firewall_words,
    outcome_words,
    stage_words,
    started_words,
)
from console.state.stage_fold import (
    phase_of_stage,
    phase_status,
    progress_in,
    progress_of,
    rows_of,
    with_phase,
    with_stage,
)
from console.state.view_state import LogEntry, RunView, StageAtWork, ViewState, logged, with_entries
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.contracts.events import (
    CheckReported,
    DriftReported,
    Event,
    FirewallState,
    LogLine,
    RunFinished,
    RunStarted,
    StageFinished,
    StageProgress,
    StageStarted,
    UnknownEvent,
)
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import PHASE_NAMES, PhaseState, PhaseStatus, Progress

SCORED_IN_PASSING = "score"
_EVALUATED = (ExitCode.OK, ExitCode.CHECK_FAILED, ExitCode.WARNINGS, ExitCode.FIREWALL_BREACH)


def fold_events(state: ViewState, events: Iterable[Event], now: float) -> ViewState:
    """The state after many. Log lines between two other events are added in one step: a state
    has many members, and copying it for each of a flood of lines would be most of the work."""
    entries: list[LogEntry] = []
    last_seq = state.last_seq
    for event in events:
        last_seq = max(event.seq, last_seq) if event.type != "run.started" else event.seq
        if isinstance(event, LogLine) and not event.fault:
            entries.append(LogEntry(event.at, event.level, event.message))
            continue
        if entries:
            state, entries = with_entries(state, entries), []
        state = fold_event(state, event, now)
    state = with_entries(state, entries)
    return state if last_seq == state.last_seq else replace(state, last_seq=last_seq)


def fold_event(state: ViewState, event: Event, now: float) -> ViewState:
    """The state after ``event``. ``now`` is used only where an event has no readable time."""
    at = epoch_seconds(event.at)
    at = now if at is None else at
    match event:
        case RunStarted():
            return _run_started(state, event, at)
        case StageStarted():
            return _stage_started(state, event, at)
        case StageProgress():
            return _stage_progress(state, event, at)
        case StageFinished():
            return _stage_finished(state, event, at)
        case CheckReported():
            return _check(state, event.check, event.at, at)
        case DriftReported():
            return _drift(state, event.row)
        case FirewallState():
            # A run reports on the file that it has staged, and on the one that stood before it began;
            # the live file has its own watcher.
            rows, files = event.forbidden_rows or 0, event.forbidden_files or 0
            text = firewall_words(
                event.state, event.file, event.detail, rows, files, event.findings_count or 0
            )
            return logged(state, event.at, "info" if event.state == "CLEAR" else "error", text)
        case LogLine():
            return _log(state, event)
        case RunFinished():
            return _run_finished(state, event, at)
        case UnknownEvent():
            return logged(state, event.at, "debug", f"{event.type} {event.raw}"[:400])


def _run(state: ViewState) -> RunView:
    """The followed run; a stream that lost its first line still gets one."""
    return state.run or RunView(pipeline_run_id="")


def _run_started(state: ViewState, event: RunStarted, at: float) -> ViewState:
    known = state.run
    ours = bool(known and known.ours and known.pipeline_run_id in ("", event.pipeline_run_id))
    nexts = tuple(
        phase_status(phase, PhaseState.NEXT, at)
        for phase in dict.fromkeys(map(phase_of_stage, event.stages))
        if phase is not None
    )
    run = RunView(
        pipeline_run_id=event.pipeline_run_id,
        command=event.command,
        user=event.user,
        host=event.host,
        pid=event.pid,
        ours=ours,
        started=at,
        stages=event.stages,
        phases=nexts,
    )
    if (own := phase_of_stage(event.command)) is not None:
        run = replace(run, phases=with_phase(run, phase_status(own, PhaseState.RUN, at)))
    text = started_words(event.command, event.user, event.pid)
    return logged(replace(state, run=run, live_rows=None), event.at, "info", text)


def _stage_started(state: ViewState, event: StageStarted, at: float) -> ViewState:
    progress = Progress(rows_total=event.rows_total, bytes_total=event.bytes_total, doing=event.stage)
    run = with_stage(_run(state), StageAtWork(event.stage, at, progress), at)
    return logged(replace(state, run=run), event.at, "info", f"{event.stage} started")


def _stage_progress(state: ViewState, event: StageProgress, at: float) -> ViewState:
    run = _run(state)
    known = next((stage for stage in run.at_work if stage.stage == event.stage), None)
    started = known.started if known is not None and known.started is not None else (run.started or at)
    silent = next((stage for stage in run.at_work if stage.stage == SCORED_IN_PASSING), None)
    if silent is not None and event.stage != SCORED_IN_PASSING and event.categories:
        # Scored in the same pass, it tells nothing itself: its rows are those with a category.
        scored = replace(silent.progress, rows_done=sum(event.categories.values()))
        run = with_stage(run, replace(silent, progress=scored), at)
    progress = progress_of(event, max(0.0, at - started))
    run = with_stage(run, StageAtWork(event.stage, started, progress), at)
    return replace(state, run=run, live_rows=rows_of(event, at, state.live_rows))


def _stage_finished(state: ViewState, event: StageFinished, at: float) -> ViewState:
    run = _run(state)
    run = replace(run, at_work=tuple(stage for stage in run.at_work if stage.stage != event.stage))
    phases = run.phases
    if (phase := phase_of_stage(event.stage)) is not None:
        before = next((known for known in run.phases if known.id == phase), None)
        failed = not event.ok or (before is not None and before.state is PhaseState.FAIL)
        beside = progress_in(run, phase)
        word = PhaseState.FAIL if failed else PhaseState.OK if beside is None else PhaseState.RUN
        phases = with_phase(
            run, phase_status(phase, word, at, elapsed_seconds=event.elapsed_seconds, progress=beside)
        )
    done = run.stages_done if event.stage in run.stages_done else (*run.stages_done, event.stage)
    run = replace(run, phases=phases, stages_done=done)
    text = stage_words(event.stage, event.ok, event.rows_in, event.rows_out)
    return logged(replace(state, run=run), event.at, "info" if event.ok else "error", text)


def _check(state: ViewState, check: CheckResult, at_text: str, at: float) -> ViewState:
    words = f"{check.id} {check.status}"
    state = logged(state, at_text, check_level(check.status), words, examined=check.examined)
    run = _run(state)
    if check.phase not in PHASE_NAMES:
        return state
    before = next((known for known in run.phases if known.id == check.phase), None)
    run = replace(run, phases=tuple(_settled(run, known, check.phase) for known in run.phases))
    return replace(state, run=replace(run, phases=with_phase(run, _phase_after(before, check, at))))


def _settled(run: RunView, phase: PhaseStatus, now_checked: str = "") -> PhaseStatus:
    """A phase whose checks all passed is ok once another one's come; before, it is still running."""
    waits = phase.id in (now_checked, phase_of_stage(run.command)) or phase.progress is not None
    return phase if waits or phase.state is not PhaseState.RUN else replace(phase, state=PhaseState.OK)


def _phase_after(before: PhaseStatus | None, check: CheckResult, at: float) -> PhaseStatus:
    """A phase after one more of its checks: the worst so far stands, and more may come."""
    failed = before.failed_checks if before else ()
    worst: PhaseState = PhaseState.RUN
    if before and before.state in (PhaseState.FAIL, PhaseState.WARN):
        worst = before.state
    if check.status in (CheckStatus.FAIL, CheckStatus.ERROR):
        failed = (*failed, check.id)
        worst = PhaseState.FAIL if check.required else _at_least_warn(worst)
    elif check.status in (CheckStatus.WARN, CheckStatus.NOT_EVALUATED) and check.required:
        worst = _at_least_warn(worst)
    return phase_status(check.phase, worst, at, failed_checks=failed, detail=check.detail)


def _at_least_warn(word: PhaseState) -> PhaseState:
    return PhaseState.WARN if word is PhaseState.RUN else word


def _drift(state: ViewState, row: DriftRow) -> ViewState:
    run = _run(state)
    kept = tuple(line for line in run.drift if line.metric != row.metric)
    return replace(state, run=replace(run, drift=(*kept, drift_line(row.model_dump(mode="json")))))


def _log(state: ViewState, event: LogLine) -> ViewState:
    state = logged(state, event.at, event.level, event.message)
    return _fault_lines(state, event.at, event.fault)


def _run_finished(state: ViewState, event: RunFinished, at: float) -> ViewState:
    run = _run(state)
    elapsed = event.elapsed_seconds
    if elapsed is None and run.started is not None:
        elapsed = max(0.0, at - run.started)
    # What was still running or waiting when the run ended was not evaluated by it.
    settled = _ended_phases(run, event) if event.exit_code in _EVALUATED else run.phases
    phases = tuple(known for known in settled if known.state not in (PhaseState.RUN, PhaseState.NEXT))
    run = replace(
        run,
        ended=True,
        ended_at=at,
        ok=event.ok,
        exit_code=event.exit_code,
        run_hash=event.run_hash,
        elapsed_seconds=elapsed,
        phases=phases,
        outcome=outcome_words(event.ok, event.exit_code),
    )
    level, text = finished_words(run.command, event.ok, event.exit_code, event.run_hash or "")
    state = logged(replace(state, run=run), event.at, level, text)
    return _fault_lines(state, event.at, event.fault)


def _ended_phases(run: RunView, event: RunFinished) -> tuple[PhaseStatus, ...]:
    """The phases of a command that came to a verdict: its own phase has that verdict."""
    own = phase_of_stage(run.command)
    verdict = PhaseState.OK if event.ok else PhaseState.FAIL
    return tuple(
        replace(known, state=verdict)
        if known.id == own and known.state is PhaseState.RUN
        else _settled(run, known)
        for known in run.phases
    )


def _fault_lines(state: ViewState, at: str, fault: Mapping[str, object] | None) -> ViewState:
    return with_entries(state, [LogEntry(at, "error", text) for text in fault_words(fault)])
