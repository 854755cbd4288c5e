"""How a command that changes outputs is carried out, and what it prints at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.engine.finish import Finished
from pipeline.engine.last_run import receipts_of
from pipeline.engine.run_session import InterruptedRunError
from pipeline.stages.refusals import QuarantineReason

_COLUMNS = ("evidence", *CATEGORIES)
_REASONS_SHOWN = 2


def carry_out(context: CommandContext, stays: str, work: Callable[[], Finished]) -> int:
    """Do the work and report; ``stays`` says what is in place where the operator stopped it."""
    try:
        finished = work()
    except InterruptedRunError as stopped:
        context.note(f"stopped at a safe point; {stays}")
        return stopped.exit_code
    _report(context, finished)
    return finished.exit_code


def _report(context: CommandContext, finished: Finished) -> None:
    """The summary as data with ``--json``, else a table by stream and a few lines."""
    summary = finished.summary
    if context.json:
        context.out_json(summary)
        return
    streams = {
        name: counts
        for name, counts in summary["streams"].items()
        if counts["evidence"] or not counts["looked_up"]
    }
    rows = [[name, *(f"{counts[column]:,}" for column in _COLUMNS)] for name, counts in streams.items()]
    context.table(["stream", *(f">{column}" for column in _COLUMNS)], rows)
    totals = summary["counts"]
    receipts = receipts_of(context.workspace, dict(summary))
    skipped = _most(_reasons(receipts, "materialize"))
    context.out(
        f"lines {totals['lines']:,} = {totals['mapped']:,} mapped + {totals['looked_up']:,} joined"
        f" + {totals['skipped']:,} skipped{skipped and f' ({skipped})'}"
    )
    refusals = _reasons(receipts, "export")
    context.table(
        ["export", ">rows", ">runs quarantined", "most of them as"],
        [
            [name, f"{totals[name]:,}", f"{totals[f'quarantined_{name}']:,}", _most(refusals, f"{name}_")]
            for name in paths.EXPORT_FILES
        ],
    )
    for line in _where_to_look(totals, refusals):
        context.out(line)
    context.out(
        f"chunks {totals['chunks_total']:,}, processed {totals['chunks_processed']:,}"
        f" · {summary['elapsed_seconds']:.1f} s · run {finished.pipeline_run_id}"
    )
    for warning in summary["warnings"]:
        context.note(f"warning: {visible(warning)}")
    if finished.exit_code is not ExitCode.OK:
        context.note(f"exit {finished.exit_code}: the outputs are committed; the warnings say what is wrong")
    context.out(f"run_hash {finished.run_hash}")


def _reasons(receipts: Mapping[str, Mapping[str, Any]], stage: str) -> dict[str, int]:
    """Why lines were skipped, or runs refused (by export and reason), as the receipt of ``stage`` says."""
    counts = receipts.get(stage, {}).get("reasons")
    return dict(counts) if isinstance(counts, dict) else {}


def _most(counts: Mapping[str, int], prefix: str = "") -> str:
    """The reasons that begin with ``prefix`` and count most, with their counts."""
    of_it = {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}
    shown = sorted(of_it.items(), key=lambda each: (-each[1], each[0]))
    told = [f"{name} {count:,}" for name, count in shown[:_REASONS_SHOWN]]
    return ", ".join(told) + (", …" if len(shown) > _REASONS_SHOWN else "")


def _where_to_look(totals: Mapping[str, int], refusals: Mapping[str, int]) -> Iterator[str]:
    """Next to what is not there, the commands that show why."""
    if totals["skipped"]:
        yield "each skipped line: distill streams check"
    if refusals:
        judged = any(name.endswith(f"_{QuarantineReason.CATEGORY_NOT_ALLOWED}") for name in refusals)
        told = ", and why it was judged so: distill explain RUN_ID" if judged else ""
        yield f"each quarantined run: {paths.QUARANTINE}/{told}"
