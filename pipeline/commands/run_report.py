"""How a command that changes outputs is carried out, and what it prints at its end."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.engine.finish import Finished
from pipeline.engine.run_session import InterruptedRunError

_COLUMNS = ("evidence", *CATEGORIES)


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
    context.out(
        f"lines {totals['lines']:,} = {totals['mapped']:,} mapped + {totals['looked_up']:,} looked up"
        f" + {totals['skipped']:,} skipped"
    )
    context.table(
        ["export", ">rows", ">runs refused"],
        [[name, f"{totals[name]:,}", f"{totals[f'quarantined_{name}']:,}"] for name in paths.EXPORT_FILES],
    )
    context.out(
        f"chunks {totals['chunks_total']:,}, processed {totals['chunks_processed']:,}"
        f" · {summary['elapsed_seconds']:.1f} s · run {finished.pipeline_run_id}"
    )
    for warning in summary["warnings"]:
        context.note(f"warning: {visible(warning)}")
    if finished.exit_code is not ExitCode.OK:
        context.note(
            f"exit {finished.exit_code}: the outputs are committed; the warnings say what is not well"
        )
    context.out(f"run_hash {finished.run_hash}")
