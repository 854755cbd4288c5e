"""Read the newest committed run, and verify its receipts against the disk."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.engine import run_state
from pipeline.engine.receipts import STAGES, receipt_path
from pipeline.platform.lenient_json import object_in
from pipeline.reading.past_runs import committed_runs
from pipeline.storage.digests import sha256_of_file


def committed_summaries(workspace: Path) -> Iterator[dict[str, Any]]:
    """Summaries of runs that committed, newest first; what cannot be read is passed over."""
    for run in committed_runs(workspace, most=None):
        if run.summary.get("pipeline_run_id") == run.pipeline_run_id:
            yield dict(run.summary)


def receipts_of(workspace: Path, summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stage receipts of a summary that can be read, by stage."""
    found = {}
    for stage in STAGES:
        receipt = object_in(workspace / receipt_path(str(summary.get("pipeline_run_id")), stage))
        if receipt is not None and receipt.get("stage") == stage:
            found[stage] = receipt
    return found


def verified_receipts(
    workspace: Path, skip: Sequence[str], replaced: Container[str] = ()
) -> dict[str, dict[str, Any]]:
    """The newest run's receipts of the stages not in ``skip`` whose outputs are on disk as claimed.

    Outputs in ``replaced`` are about to be written anew, so what stands there now does not matter.
    A receipt that the disk contradicts is not carried forward; the stage is then missing from
    the new summary, which is what an operator must see.
    """
    if set(skip) >= set(STAGES):
        return {}
    summary = next(committed_summaries(workspace), None)
    if summary is None:
        return {}
    state = run_state.load(workspace)
    return {
        stage: receipt
        for stage, receipt in receipts_of(workspace, summary).items()
        if stage not in skip
        and all(
            output["path"] in replaced or _holds(workspace, state, output) for output in receipt["outputs"]
        )
    }


def _holds(workspace: Path, state: run_state.RunState, output: dict[str, Any]) -> bool:
    relative = str(output["path"])
    known = state.outputs.get(relative)
    if known is not None and known[0].sha256 == output["sha256"]:
        return state.is_whole(workspace, relative)
    try:
        return bool(sha256_of_file(workspace / relative) == output["sha256"])
    except OSError:
        return False
