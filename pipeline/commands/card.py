"""``distill card``: write the dataset card beside the exports, from the last run's summary."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.card import CardContext, ExportFacts, FormattedFile, Licence, dataset_card
from pipeline.card.context import Lint
from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, InputError, IntegrityError
from pipeline.engine.last_run import committed_summaries, receipts_of
from pipeline.engine.lint_counts import count_lint
from pipeline.formats.folder import SPLITS, folder_of, receipt_path
from pipeline.formats.registry import FORMATS
from pipeline.platform import confined, disk
from pipeline.platform.lenient_json import object_in
from pipeline.settings.model import Settings
from pipeline.storage.digests import sha256_of_file

_KEPT_SAFE = "The dataset card was not changed."


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    workspace = context.workspace
    settings = context.settings().settings
    summary = latest_summary(workspace)
    receipt = _export_receipt(workspace, summary)
    claims = {
        claim["path"]: claim["sha256"] for side in ("inputs", "outputs") for claim in receipt.get(side, ())
    }
    exports = {
        export: _count(workspace, export, claims, settings.export.validation_share)
        for export in paths.EXPORT_FILES
    }
    firewall = receipt.get("firewall")
    known = CardContext(
        licences={
            stream.name: Licence(stream.license, stream.license_link)
            for stream in settings.streams
            if stream.role == "source"
        },
        split_by=settings.export.split_by,
        validation_share=settings.export.validation_share,
        tokenizer=settings.export.tokenizer,
        pii=settings.export.pii,
        firewall=firewall["state"] if firewall else None,
        lint=_lint(workspace, settings),
        decontamination=_report(workspace, claims, str(paths.DECONTAMINATION)),
        near_duplicates={
            export: _report(workspace, claims, str(report))
            for export, report in paths.NEAR_DUPLICATE_REPORTS.items()
        },
        formatted=tuple(_formatted(workspace, claims)),
    )
    text = dataset_card(settings.workspace.name, summary, exports, known)
    confined.write_file(workspace, paths.DATASET_CARD, text.encode())
    if context.json:
        context.out_json({"path": str(paths.DATASET_CARD), "run_hash": summary["run_hash"]})
    else:
        context.out(f"{paths.DATASET_CARD}  run {summary['pipeline_run_id']}")
    return ExitCode.OK


def latest_summary(workspace: Path) -> dict[str, Any]:
    """The summary of the last run that committed its outputs. Raises InputError when there is none."""
    summary = next(committed_summaries(workspace), None)
    if summary is None:
        raise InputError.of(
            code="no_run",
            what_happened="No run of this workspace has committed exports yet.",
            kept_safe=_KEPT_SAFE,
            do_next="distill run-all",
        )
    return summary


def _cannot_read(path: Path, why: str) -> InputError:
    return InputError.of(
        code="unreadable",
        what_happened=f"{path} cannot be read: {why}",
        kept_safe=_KEPT_SAFE,
        do_next="distill run-all",
        file=str(path),
    )


def _export_receipt(workspace: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """The run's export receipt; empty where the run has none."""
    place = next((stage["receipt"] for stage in summary["stages"] if stage["stage"] == "export"), None)
    if place is None:
        return {}
    receipt = receipts_of(workspace, summary).get("export")
    if receipt is None:
        raise _cannot_read(workspace / place, "it is no receipt of the export")
    return receipt


def _count(workspace: Path, export: str, claims: dict[str, str], validation_share: float) -> ExportFacts:
    facts = ExportFacts(validation_share=validation_share)
    for row in _rows(workspace, str(paths.EXPORT_FILES[export]), claims):
        facts.take(row)
    for row in _rows(workspace, str(paths.QUARANTINE_FILES[export]), claims):
        facts.refused[row["reason"]] += 1
    return facts


def _lint(workspace: Path, settings: Settings) -> Lint | None:
    """What the lint finds in the runs of SFT rows; None where there is no such run's evidence to look at."""
    counts = count_lint(workspace, settings)
    if not counts.exported_runs:
        return None
    return Lint(counts.exported_runs, counts.exported_lint, counts.exported_flags)


def _report(workspace: Path, claims: dict[str, str], relative: str) -> dict[str, Any] | None:
    if relative not in claims:
        return None
    # To the end, where the digest is compared.
    rows = list(_rows(workspace, relative, claims))
    return rows[0] if rows else None


def _formatted(workspace: Path, claims: dict[str, str]) -> Iterator[FormattedFile]:
    """The files of formats whose receipts account for their bytes, and for what stands as their source."""
    for entry in FORMATS.values():
        for split in SPLITS:
            for kind in ("parquet", "jsonl"):
                name = f"{split}.{kind}"
                relative = f"{folder_of(entry)}/{name}"
                if _is_accounted(workspace, relative, receipt_path(entry, name), claims):
                    path = relative.removeprefix(f"{paths.EXPORTS}/")
                    yield FormattedFile(entry.name, entry.source, path, split)
                    break


def _is_accounted(workspace: Path, relative: str, receipt_at: str, claims: dict[str, str]) -> bool:
    receipt = object_in(workspace / receipt_at) or {}
    output = receipt.get("output")
    sources = receipt.get("sources") or [receipt.get("source")]
    if not isinstance(output, dict) or not isinstance(sources, list):
        return False
    for source in sources:
        if not isinstance(source, dict) or source.get("sha256") != claims.get(str(source.get("path"))):
            return False
    try:
        return sha256_of_file(workspace / relative) == output.get("sha256")
    except OSError:
        return False


def _rows(workspace: Path, relative: str, claims: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of one file. Raises IntegrityError when it is not the file that the run wrote."""
    hasher = hashlib.sha256()
    try:
        with disk.open_to_read(workspace / relative) as file:
            for line in disk.lines_in(file, workspace / relative):
                hasher.update(line)
                yield orjson.loads(line)
    except (OSError, ValueError) as error:
        raise _cannot_read(workspace / relative, getattr(error, "strerror", None) or str(error)) from error
    if claims.get(relative) != hasher.hexdigest():
        raise IntegrityError.of(
            code="export_differs",
            what_happened=f"{relative} is not the file that the last run wrote.",
            kept_safe=_KEPT_SAFE,
            do_next="distill firewall, then: distill run-all",
            file=relative,
        )
