"""The last questions before exports may appear: is one emptied, does the firewall object?

The scan is the installed firewall, run as a process of its own on the staged files: an engine
from the workspace can neither replace it nor lend it an index.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault, OperatorError
from pipeline.engine.commit_points import reached
from pipeline.engine.emit import Emitted
from pipeline.engine.output import Output
from pipeline.engine.run_session import RefusedRunError, Session
from pipeline.engine.shrunk_exports import refuse_shrunk, why_fewer
from pipeline.engine.standing_export import emit_state
from pipeline.platform import disk, disk_faults
from pipeline.platform.firewall import Absent, Breach, Clear, Unknown, start_firewall

_EXPORTS = {kind: str(path) for kind, path in paths.EXPORT_FILES.items()}


class StagedScan:
    """The installed firewall at work on staged files. It ends with ``claim`` or ``abandon``."""

    def __init__(self, session: Session, outputs: Mapping[str, Output]) -> None:
        self._session = session
        self._sft = outputs[str(paths.SFT_EXPORT)]
        self._view = view = _view_of_new_outputs(session, outputs)
        evidence, scored = (
            # P4 alone stages no evidence: what stands is what its rows were made from.
            view / folder if (view / folder).is_dir() else session.workspace / folder
            for folder in (paths.EVIDENCE, paths.SCORED_RUNS)
        )
        self._question = start_firewall(
            None,
            file=view / paths.SFT_EXPORT,
            evidence=[evidence],
            scored=[scored],
            keep=session.workspace / paths.STAGED_LOOK,
        )

    def abandon(self) -> None:
        """Stop looking: the run ends for another reason."""
        self._question.abandon()
        self._close_view()

    def _close_view(self) -> None:
        # Each link that goes changes the times of the file that it names: before they are remembered.
        shutil.rmtree(self._view, ignore_errors=True)

    def claim(self) -> dict[str, Any]:
        """Wait for the verdict. Raises RefusedRunError on a breach, OperatorError without a verdict."""
        answer = self._question.answer(self._session.check_stop)
        self._close_view()
        export = str(paths.SFT_EXPORT)
        emit_state(self._session, answer, export, detail="staged file", sha256=self._sft.sha256)
        match answer:
            case Clear(report):
                return {"state": "CLEAR", "findings": report.findings_count, "sft_sha256": self._sft.sha256}
            case Breach(report):
                raise RefusedRunError(
                    Fault(
                        code="staged_breach",
                        what_happened=f"The firewall found {report.found} in the staged file.",
                        kept_safe="No output was replaced; the last-good exports are in place.",
                        do_next="Compare exporters and schemas to the last-good tag, then: distill run-all",
                        file=export,
                    ),
                    ExitCode.FIREWALL_BREACH,
                )
            case Unknown(why):
                raise _not_judged(why)
            case Absent():
                raise _not_judged("it says that there is no staged file")


def _not_judged(why: str) -> OperatorError:
    return OperatorError.of(
        code="firewall_not_evaluable",
        what_happened=f"The firewall could not judge the staged file: {why}.",
        kept_safe="No output was replaced; the last-good exports are in place.",
        do_next="Run it by hand: distill firewall",
    )


def start_scan(session: Session, emitted: Sequence[Emitted]) -> StagedScan | None:
    """Start the firewall on the SFT file among ``emitted``; None when it has no rows.

    ``emitted`` has the evidence and the scored rows that the same run stages, if any.
    """
    outputs = _by_path(emitted)
    return StagedScan(session, outputs) if outputs[str(paths.SFT_EXPORT)].rows else None


def check_exports(
    session: Session,
    emitted: Sequence[Emitted],
    *,
    allow_empty: bool,
    max_shrink: float | None = None,
    scan: StagedScan | None = None,
) -> dict[str, Any] | None:
    """The firewall's claim for the receipt; None when no SFT file was staged.

    ``max_shrink`` is the share of its rows that an export may lose, None for any; ``scan`` is one that
    was started before. Raises RefusedRunError on a breach, an emptied or a shrunk export.
    """
    outputs = _by_path(emitted)
    try:
        if not allow_empty:
            _refuse_emptied(session, emitted, outputs)
        if max_shrink is not None:
            refuse_shrunk(session.workspace, emitted, max_shrink, session.facts.warnings)
        _tell_personal(session, emitted)
        for relative in _EXPORTS.values():
            if relative in outputs and outputs[relative].rows == 0:
                session.warn(f"{relative} has no rows")
    except BaseException:
        if scan is not None:
            scan.abandon()
        raise
    if str(paths.SFT_EXPORT) not in outputs:
        return None
    sft = outputs[str(paths.SFT_EXPORT)]
    if sft.rows == 0:
        # Nothing to examine is not CLEAR.
        claim: dict[str, Any] = {"state": "ABSENT", "findings": 0, "sft_sha256": sft.sha256}
    else:
        claim = (scan or StagedScan(session, outputs)).claim()
    reached("firewall-scanned")
    return claim


def _by_path(emitted: Sequence[Emitted]) -> dict[str, Output]:
    return {output.relative: output for result in emitted for output in result.outputs}


def _tell_personal(session: Session, emitted: Sequence[Emitted]) -> None:
    """Say in the run's report what exported rows hold of personal data."""
    for result in emitted:
        if result.personal:
            kinds = ", ".join(f"{kind} in {count:,}" for kind, count in sorted(result.personal.items()))
            session.warn(f"{result.kind}: runs in its rows hold personal data: {kinds}")


def _refuse_emptied(session: Session, emitted: Sequence[Emitted], outputs: Mapping[str, Output]) -> None:
    for kind, relative in _EXPORTS.items():
        output = outputs.get(relative)
        standing = session.workspace / relative
        if output is None or output.rows or not standing.is_file() or standing.stat().st_size == 0:
            continue
        raise RefusedRunError(
            Fault(
                code="export_emptied",
                what_happened=f"{relative} would become empty; the standing file has rows: "
                f"{why_fewer(session.workspace, kind, emitted, session.facts.warnings)}.",
                kept_safe="No output was replaced; the last-good exports are in place.",
                do_next="Look at what changed: distill streams check. If this is meant: --allow-empty",
                file=relative,
            ),
            ExitCode.CHECK_FAILED,
        )


def _view_of_new_outputs(session: Session, outputs: Mapping[str, Output]) -> Path:
    """A tree of hard links that shows the workspace as it will be after the commit."""
    view = session.staging / "view"
    for relative, output in outputs.items():
        if not relative.startswith((str(paths.EVIDENCE), str(paths.SCORED_RUNS), str(paths.SFT_EXPORT))):
            continue
        link = view / relative
        disk.make_folder(link.parent)
        source = Path(output.staged) if output.staged else session.workspace / relative
        try:
            disk.operations.link(source, link)
        except OSError as error:
            raise disk_faults.storage_fault(error, link, "The last outputs are in place.") from error
    return view
