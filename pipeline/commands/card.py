"""``distill card``: write the dataset card beside the exports, from the last run's summary."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.card import ExportFacts, dataset_card
from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, Fault, InputError, IntegrityError
from pipeline.engine.last_run import committed_summaries, receipts_of
from pipeline.platform import confined

_KEPT_SAFE = "The dataset card was not changed."


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    workspace = context.workspace
    settings = context.settings().settings
    summary = latest_summary(workspace)
    claims = _export_claims(workspace, summary)
    exports = {export: _count(workspace, export, claims) for export in paths.EXPORT_FILES}
    licences = {stream.name: stream.license for stream in settings.streams if stream.role == "source"}
    decontamination = _decontamination(workspace, claims)
    text = dataset_card(settings.workspace.name, summary, exports, licences, decontamination)
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
        raise InputError(
            Fault(
                code="no_run",
                what_happened="No run of this workspace has committed exports yet.",
                kept_safe=_KEPT_SAFE,
                do_next="distill run-all",
            )
        )
    return summary


def _cannot_read(path: Path, why: str) -> InputError:
    return InputError(
        Fault(
            code="unreadable",
            what_happened=f"{path} cannot be read: {why}",
            kept_safe=_KEPT_SAFE,
            do_next="distill run-all",
            file=str(path),
        )
    )


def _export_claims(workspace: Path, summary: dict[str, Any]) -> dict[str, str]:
    """The sha256 that the run's export receipt claims for each file, by relative path."""
    place = next((stage["receipt"] for stage in summary["stages"] if stage["stage"] == "export"), None)
    if place is None:
        return {}
    receipt = receipts_of(workspace, summary).get("export")
    if receipt is None:
        raise _cannot_read(workspace / place, "it is no receipt of the export")
    return {claim["path"]: claim["sha256"] for claim in receipt["outputs"]}


def _count(workspace: Path, export: str, claims: dict[str, str]) -> ExportFacts:
    facts = ExportFacts()
    for row in _rows(workspace, str(paths.EXPORT_FILES[export]), claims):
        facts.take(row)
    for row in _rows(workspace, str(paths.QUARANTINE_FILES[export]), claims):
        facts.refused[row["reason"]] += 1
    return facts


def _decontamination(workspace: Path, claims: dict[str, str]) -> dict[str, Any] | None:
    """What the run reported on evaluation sets; None where it looked for none and never had."""
    relative = str(paths.DECONTAMINATION)
    rows = list(_rows(workspace, relative, claims)) if relative in claims else []
    return rows[0] if rows else None


def _rows(workspace: Path, relative: str, claims: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of one file. Raises IntegrityError when it is not the file that the run wrote."""
    hasher = hashlib.sha256()
    try:
        with (workspace / relative).open("rb") as file:
            for line in file:
                hasher.update(line)
                yield orjson.loads(line)
    except (OSError, ValueError) as error:
        raise _cannot_read(workspace / relative, str(error)) from error
    if claims.get(relative) != hasher.hexdigest():
        raise IntegrityError(
            Fault(
                code="export_differs",
                what_happened=f"{relative} is not the file that the last run wrote.",
                kept_safe=_KEPT_SAFE,
                do_next="distill firewall, then: distill run-all",
                file=relative,
            )
        )
