"""P3 alone: score the written evidence. The same bytes as ``run-all`` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.contracts import events, paths
from pipeline.engine import run_state
from pipeline.engine.commit_points import reached
from pipeline.engine.emit import Emitted, staged_path
from pipeline.engine.finish import Finished, finish
from pipeline.engine.output import Output
from pipeline.engine.receipts import CATEGORY_COUNTS, Timing
from pipeline.engine.rows_writer import RowsWriter, closing_writers
from pipeline.engine.run_session import Request, Session, run_session
from pipeline.engine.stage_facts import score_facts
from pipeline.engine.standing_rows import StandingChangedError, StandingRows
from pipeline.engine.work_context import WorkContext
from pipeline.engine.written_claims import input_claims
from pipeline.engine.written_rows import as_evidence, no_rows_yet, written_rows
from pipeline.platform import disk_faults
from pipeline.settings.model import Settings
from pipeline.stages.score import UnscorableError, score

_STOP_CHECK_ROWS = 1024


def run_score(
    workspace: Path,
    settings: Settings,
    request: Request,
) -> Finished:
    """Score every evidence row. Raises OperatorError or InterruptedRunError."""
    context = WorkContext(workspace, settings)
    streams = [stream.name for stream in settings.streams if stream.role == "source"]
    if not any((workspace / paths.evidence_file(name)).exists() for name in streams):
        raise no_rows_yet("evidence", workspace / paths.EVIDENCE, "distill materialize")
    with run_session(
        workspace,
        request,
        stages=("score",),
        settings_digest=context.settings_digest,
        chunk_bytes=settings.engine.chunk_bytes,
    ) as session:
        timing = Timing()
        session.events.emit(events.StageStarted, stage="score")
        standing = run_state.load(workspace).standing_outputs(workspace)
        try:
            emitted, counts, reasons = _score_all(session, settings, streams, standing)
        except StandingChangedError:
            emitted, counts, reasons = _score_all(session, settings, streams, {})
        reached("outputs-staged")
        timing.end()
        facts = score_facts(counts, emitted, input_claims(workspace, streams, paths.evidence_file), timing)
        skipped = reasons.total()
        facts.counts = {**facts.counts, "rows_in": facts.counts["rows_in"] + skipped, "skipped": skipped}
        facts.reasons = reasons
        if skipped:
            session.warn(f"{skipped:,} evidence rows could not be scored: see {paths.SCORING_SKIPS}")
        return finish(session, context, [facts], emitted)


def _score_all(
    session: Session,
    settings: Settings,
    streams: Sequence[str],
    previous: Mapping[str, Output],
) -> tuple[list[Emitted], dict[str, Counter[str]], Counter[str]]:
    """What was written, what it counts to a stream, and why rows could not be scored."""
    emitted = []
    counts: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    skips_relative = str(paths.SCORING_SKIPS)

    def writer_of(relative: str) -> RowsWriter:
        standing = StandingRows(session.workspace, previous[relative]) if relative in previous else None
        return RowsWriter(staged_path(session.staging, relative), session.facts.recorded_at, standing)

    try:
        with closing_writers():
            skips = writer_of(skips_relative)
            for name in streams:
                relative = str(paths.scored_file(name))
                writer = writer_of(relative)
                of_stream = counts.setdefault(name, Counter(dict.fromkeys(CATEGORY_COUNTS, 0)))
                seen: set[str] = set()
                evidence_relative = str(paths.evidence_file(name))
                for written in written_rows(session.workspace / evidence_relative):
                    if written.line % _STOP_CHECK_ROWS == 0:
                        session.check_stop()
                        _tell(session, counts)
                    row, problem, detail = written.row, "", ""
                    if row is None:
                        problem = "malformed_json"
                    elif row.get("run_id") in seen:
                        problem = "duplicate_run_id"
                    else:
                        try:
                            scored = score(as_evidence(row), settings.scoring)
                        except UnscorableError as error:
                            problem, detail = str(error.reason), error.detail
                        except (KeyError, TypeError, AttributeError) as error:
                            problem, detail = "not_evidence", type(error).__name__
                        else:
                            seen.add(scored["run_id"])
                            writer.add_row(scored)
                            of_stream[scored["category"]] += 1
                    if problem:
                        reasons[problem] += 1
                        skips.add_row(
                            {
                                "schema_version": 1,
                                "stream": name,
                                "file": evidence_relative,
                                "line": written.line,
                                "byte_offset": written.byte_offset,
                                "reason": problem,
                                "detail": detail,
                            }
                        )
                emitted.append(Emitted("scored", [writer.finish(relative)]))
            emitted.append(Emitted("scoring_skips", [skips.finish(skips_relative)]))
    except OSError as error:
        raise disk_faults.storage_fault(
            error, session.staging, "The last scored runs are in place."
        ) from error
    return emitted, counts, reasons


def _tell(session: Session, counts: dict[str, Counter[str]]) -> None:
    if not session.events.progress_is_due():
        return
    totals: Counter[str] = Counter()
    for of_stream in counts.values():
        totals.update(of_stream)
    session.events.emit(
        events.StageProgress,
        stage="score",
        rows_in=totals.total(),
        rows_out=totals.total(),
        categories=dict(totals),
        by_stream={name: dict(of_stream) for name, of_stream in counts.items()},
    )
