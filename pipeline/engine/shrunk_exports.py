"""Whether a run would take away more of an export than ``[export] max_shrink`` lets it, and why.

A source that lost a member, a verdict whose name changed: the run is sound in itself, and its exports
are half of what they were. Compared are rows with rows, as the standing manifest counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault
from pipeline.contracts.plurals import plural
from pipeline.engine.emit import Emitted
from pipeline.engine.export_manifest import standing
from pipeline.engine.last_run import committed_summaries, receipts_of
from pipeline.engine.lost_fields import LOST_WARNING
from pipeline.engine.run_session import RefusedRunError
from pipeline.stages.refusals import LATER_RULES


def refuse_shrunk(
    workspace: Path, emitted: Sequence[Emitted], max_shrink: float, warnings: Sequence[str] = ()
) -> None:
    """Raises RefusedRunError for the first export that would lose more rows than it may.

    An export that becomes empty is another fault, and one that stands without a manifest is not compared.
    ``warnings`` are those of the run so far.
    """
    manifest = standing(workspace)
    if manifest is None or manifest.get("void") is not False:
        return
    before = {f"{paths.EXPORTS}/{file['path']}": int(file["rows"]) for file in manifest.get("files", ())}
    knows_rules = "schemas" in manifest
    for result in emitted:
        relative = str(paths.EXPORT_FILES.get(result.kind, ""))
        had = before.get(relative, 0)
        has = next((output.rows for output in result.outputs if output.relative == relative), 0)
        # What a later release takes by its own rules alone is no loss of the log's.
        alike = has + (0 if knows_rules else sum(result.reasons[rule] for rule in LATER_RULES))
        if not has or alike >= had * (1 - max_shrink):
            continue
        raise RefusedRunError(
            Fault(
                code="export_shrunk",
                what_happened=f"{relative} would shrink from {plural(had, 'row')} to {has:,}: "
                f"{why_fewer(workspace, result.kind, emitted, warnings)}.",
                kept_safe="No output was replaced; the last-good exports are in place.",
                do_next="Look at what changed: distill streams check. If this is meant: --allow-shrink, once",
                file=relative,
                value=f"{has / had:.0%}",
            ),
            ExitCode.CHECK_FAILED,
        )


def why_fewer(workspace: Path, kind: str, emitted: Sequence[Emitted], warnings: Sequence[str]) -> str:
    """Why the export ``kind`` has fewer rows than the last run's: the reason that grew, and a lost field."""
    lost = next((words for words in warnings if words.startswith(LOST_WARNING)), "")
    told = lost.removeprefix(LOST_WARNING).partition(": distill ")[0]
    return _grown(workspace, kind, emitted) + (f"; {told}" if told else "")


def _grown(workspace: Path, kind: str, emitted: Sequence[Emitted]) -> str:
    """The reason for which most more runs are refused, or lines skipped, than in the last run."""
    reasons: dict[str, Mapping[str, int]] = {result.kind: result.reasons for result in emitted}
    skips = reasons.get("skips", {})
    summary: dict[str, Any] | None = next(committed_summaries(workspace), None)
    receipts = receipts_of(workspace, summary) if summary is not None else {}
    prefix = f"{kind}_"
    refused = {
        name.removeprefix(prefix): count
        for name, count in _reasons(receipts.get("export")).items()
        if name.startswith(prefix)
    }
    grown = [
        (now[reason] - before.get(reason, 0), reason, what, now[reason], before.get(reason, 0))
        for now, before, what in (
            (reasons.get(kind, {}), refused, "refuses {:,} runs, {:,} before"),
            (skips, _reasons(receipts.get("materialize")), "skips {:,} lines, {:,} before"),
        )
        for reason in now
    ]
    more, reason, what, count, before_count = max(grown, default=(0, "", "", 0, 0))
    if more > 0:
        return f"{reason} {what.format(count, before_count)}"
    return "no reason refuses more runs or skips more lines than before, so there are fewer runs"


def _reasons(receipt: Mapping[str, Any] | None) -> dict[str, int]:
    reasons = receipt.get("reasons") if receipt is not None else None
    counts = reasons.items() if isinstance(reasons, dict) else ()
    return {name: count for name, count in counts if isinstance(count, int)}
