"""P5: the last run's summary and receipts, recomputed from the files that they speak of.

Receipts are pinned by the summary, which holds their digests; outputs and sources are pinned by
the receipts; the counts and run_hash follow from both. Whatever can be counted again is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.audit.claims import STAGES, ClaimFile
from pipeline.audit.failures import Failures
from pipeline.audit.recount import recounted
from pipeline.audit.run_story import story_problems
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.plurals import plural
from pipeline.engine.finish import hash_of_receipts
from pipeline.engine.receipts import encode, receipt_path, run_counts, stream_counts
from pipeline.platform.lenient_json import object_in
from pipeline.schemas.registry import BY_NAME
from pipeline.schemas.validators import first_refusal
from pipeline.settings.digest import rows_digest
from pipeline.storage.digests import READ_BYTES, measured
from pipeline.storage.source_lines import open_source
from pipeline.streams.files import resolve_source

# Counts that say how the work was divided; nothing on disk says it again.
_NOT_ON_DISK = frozenset(("chunks_total", "chunks_processed"))
# Of a run that committed: what stood before it was in breach, or was not judged.
_STATE_OF_EXIT = {ExitCode.FIREWALL_BREACH: "BREACH", ExitCode.NOT_EVALUABLE: "UNKNOWN"}
_OUTPUT_FOLDERS = (paths.EVIDENCE, paths.SCORED_RUNS)


def summary_valid(view: WorkspaceView) -> Outcome:
    """Examines the summary of the run whose outputs stand, and that of a newer run that failed."""
    run = view.last_run
    failures = Failures()
    files = [run.summary] + ([run.newer] if run.newer is not None else [])
    for file in files:
        words = _document_problem(file, "run_summary")
        if not words and file.value is not None:
            words = _summary_problem(file.value, view.workspace / file.shown)
        if words:
            failures.add(words, file=file.shown)
    summaries = plural(len(files), "summary")
    return failures.outcome(len(files), f"run {run.pipeline_run_id or 'none'}, {summaries}")


def _document_problem(file: ClaimFile, schema: str) -> str:
    if file.value is None:
        return file.problem
    try:
        BY_NAME[schema].model.model_validate(file.value)
    except ValidationError as error:
        return f"refused by its schema: {first_refusal(error)}"
    # One spelling of a document: a byte that changes no value is still not as it was written.
    return "" if encode(file.value) == file.data else "is not spelled as the engine spells it"


def _summary_problem(summary: Mapping[str, Any], path: Path) -> str:
    if path.parent.name != summary["pipeline_run_id"]:
        return f"says that it is run {summary['pipeline_run_id']}"
    if summary["ok"] is not (summary["exit_code"] == 0) and not _explained(summary, path):
        return "ok and exit_code contradict each other"
    return ""


def _explained(summary: Mapping[str, Any], path: Path) -> bool:
    """Whether a run that committed keeps the firewall's answer for which it did not end with 0."""
    state = _STATE_OF_EXIT.get(summary["exit_code"])
    kept = object_in(path.with_name("standing") / f"{paths.SFT_EXPORT}.firewall.json")
    return summary["ok"] is True and state is not None and kept is not None and kept.get("state") == state


def receipts_match(view: WorkspaceView) -> Outcome:
    """Examines claims: files, counts, digests, run_hash."""
    run = view.last_run
    failures = Failures()
    summary = run.summary.value
    if summary is None or run.pipeline_run_id is None:
        failures.add(run.summary.problem, file=run.summary.shown)
        return failures.outcome(1, "there is no summary to hold the receipts to")
    receipts = _receipts(view, summary, failures)
    try:
        examined, gone = _claims(view, summary, receipts, failures)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        failures.add(f"a claim has no usable shape: {type(error).__name__} {error}", file=run.summary.shown)
        return failures.outcome(len(receipts), "the claims could not all be read")
    detail = f"{examined:,} claims of {plural(len(receipts), 'receipt')} and the summary were recomputed"
    if gone:
        detail += f"; source_gone: {len(gone)} ({', '.join(sorted(gone)[:3])})"
    return failures.outcome(examined, detail)


def _receipts(
    view: WorkspaceView, summary: Mapping[str, Any], failures: Failures
) -> dict[str, dict[str, Any]]:
    """The receipts that can be read; each is held to the digest that the summary has of it."""
    run = view.last_run
    entries = summary.get("stages")
    stages = {
        entry["stage"]: entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("stage"), str)
    }
    found = {}
    for stage in STAGES:
        file, entry = run.receipts[stage], stages.get(stage)
        if entry is None:
            failures.add(f"the summary names no receipt of stage {stage}", file=run.summary.shown)
            continue
        words = _document_problem(file, "receipt")
        if file.data is not None and hashlib.sha256(file.data).hexdigest() != entry.get("sha256"):
            words = words or "is not the file whose digest the summary holds"
        if not words and file.value is not None:
            if entry.get("receipt") != receipt_path(str(run.pipeline_run_id), stage):
                words = f"lies elsewhere, says the summary: {entry.get('receipt')}"
            elif (file.value["pipeline_run_id"], file.value["stage"]) != (run.pipeline_run_id, stage):
                words = "belongs to another run or stage"
            elif any(entry.get(key) != file.value[key] for key in ("ok", "carried_from")):
                words = "and the summary disagree on ok or carried_from"
        if words:
            failures.add(words, file=file.shown)
        if file.value is not None:
            found[stage] = file.value
    return found


def _claims(
    view: WorkspaceView,
    summary: Mapping[str, Any],
    receipts: Mapping[str, Mapping[str, Any]],
    failures: Failures,
) -> tuple[int, set[str]]:
    """Recompute everything. Returns how many claims there are, and sources that are gone."""
    examined = 0
    gone: set[str] = set()
    outputs: dict[str, dict[str, Any]] = {}
    for stage, receipt in receipts.items():
        for claim in receipt["outputs"]:
            examined += 1
            outputs[claim["path"]] = _compare_output(view, stage, claim, failures)
    for stage, receipt in receipts.items():
        for claim in receipt["inputs"]:
            examined += 1
            if stage == "materialize":
                if not _compare_source(view, claim, failures):
                    gone.add(claim["path"])
            elif claim["path"] not in outputs:
                failures.add(f"an input of {stage} that no stage wrote", file=claim["path"])
            elif outputs[claim["path"]]["rows_digest"] != claim["rows_digest"]:
                # Not the bytes: a stage that was run again by itself stamps equal rows anew.
                failures.add(f"{stage} read other rows than those that stand now", file=claim["path"])
    for folder in _OUTPUT_FOLDERS:
        for shown in view.files_under(folder):
            if shown not in outputs:
                failures.add("no receipt accounts for this file", file=shown)
    examined += _compare_counts(view, summary, receipts, outputs, failures)
    if summary.get("settings_digest") != rows_digest(view.settings):
        failures.add(
            "the settings that touch rows are not those of the run: distill run-all", file=str(paths.SETTINGS)
        )
    for words in story_problems(view.workspace, summary, receipts):
        failures.add(words, file=view.last_run.summary.shown)
    return examined + 2, gone


def _compare_output(
    view: WorkspaceView, stage: str, claim: Mapping[str, Any], failures: Failures
) -> dict[str, Any]:
    """The claim as the file on disk would have it."""
    shown = claim["path"]
    if not _stays_inside(shown):
        failures.add(f"{stage} claims a file outside of the workspace", file=shown)
        return {**claim, "sha256": ""}
    try:
        found = measured(view.workspace / shown)
    except FileNotFoundError:
        failures.add(f"is missing; stage {stage} wrote {plural(claim['rows'], 'row')}", file=shown)
        return {**claim, "bytes": 0, "rows": 0, "sha256": "", "rows_digest": ""}
    for key in ("bytes", "rows", "sha256", "rows_digest"):
        if claim[key] is not None and claim[key] != found[key]:
            failures.add(f"{key} is {found[key]}, and the receipt of {stage} says {claim[key]}", file=shown)
    return {**claim, **found}


def _compare_source(view: WorkspaceView, claim: Mapping[str, Any], failures: Failures) -> bool:
    """Whether the source is still there. What the run read must still be its beginning."""
    shown = claim["path"]
    try:
        path = resolve_source(view.workspace, view.settings, shown)
    except InputError as error:
        failures.add(error.fault.what_happened, file=shown)
        return True
    if not path.exists():
        return False
    hasher = hashlib.sha256()
    left = int(claim["bytes"])
    try:
        with open_source(path) as file:
            while left > 0 and (block := file.read(min(left, READ_BYTES))):
                hasher.update(block)
                left -= len(block)
    except InputError as error:
        if error.fault.code == "source_unreadable":
            raise
        failures.add(error.fault.what_happened, file=shown)
        return True
    if left:
        failures.add(f"is {left:,} bytes shorter than when it was read", file=shown)
    elif hasher.hexdigest() != claim["sha256"]:
        failures.add("holds other bytes than those that were read", file=shown)
    return True


def _compare_counts(
    view: WorkspaceView,
    summary: Mapping[str, Any],
    receipts: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, Mapping[str, Any]],
    failures: Failures,
) -> int:
    """Receipts against a recount, the summary against its receipts, run_hash against all of it."""
    shown = view.last_run.summary.shown
    examined = 0
    again = recounted(view)
    for stage, receipt in receipts.items():
        for words in again.differences(stage, receipt):
            failures.add(words, file=view.last_run.receipts[stage].shown)
        examined += len(receipt["counts"])
    streams = stream_counts(receipts)
    counts = run_counts(receipts, streams, 0, 0)
    for name, value in _differing(counts, summary["counts"]):
        failures.add(f"counts.{name} does not follow from the receipts: {value}", file=shown)
    if streams != summary["streams"]:
        failures.add("the counts by stream do not follow from the receipts", file=shown)
    rebuilt = {
        stage: {**receipt, "outputs": [outputs[claim["path"]] for claim in receipt["outputs"]]}
        for stage, receipt in receipts.items()
    }
    run_hash = hash_of_receipts(rebuilt, rows_digest(view.settings))
    if run_hash != summary["run_hash"]:
        failures.add(f"run_hash recomputes to {run_hash}, and is {summary['run_hash']}", file=shown)
    return examined + len(counts)


def _differing(counts: Mapping[str, int], claimed: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for name in {**counts, **claimed}:
        if name not in _NOT_ON_DISK and counts.get(name) != claimed.get(name):
            yield name, f"{counts.get(name)} recomputed, {claimed.get(name)} claimed"


def _stays_inside(shown: str) -> bool:
    path = Path(shown)
    return not path.is_absolute() and ".." not in path.parts
