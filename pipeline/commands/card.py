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
from pipeline.platform import confined

_KEPT_SAFE = "The dataset card was not changed."


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    workspace = context.workspace
    settings = context.settings().settings
    summary = latest_summary(workspace)
    claims = _export_claims(workspace, summary)
    exports = {export: _count(workspace, export, claims) for export in paths.EXPORT_FILES}
    licences = {stream.name: stream.license for stream in settings.streams if stream.role == "source"}
    text = dataset_card(settings.workspace.name, summary, exports, licences)
    confined.write_file(workspace, paths.DATASET_CARD, text.encode())
    if context.json:
        context.out_json({"path": str(paths.DATASET_CARD), "run_hash": summary["run_hash"]})
    else:
        context.out(f"{paths.DATASET_CARD}  run {summary['pipeline_run_id']}")
    return ExitCode.OK


def latest_summary(workspace: Path) -> dict[str, Any]:
    """The summary of the last run that committed its outputs. Raises InputError when there is none."""
    found = []
    for path in (workspace / paths.REPORTS).glob("*/summary.json"):
        summary = _read_json(path)
        if summary.get("ok") is True:
            found.append((summary["finished_at"], summary["pipeline_run_id"], summary))
    if not found:
        raise InputError(
            Fault(
                code="no_run",
                what_happened="No run of this workspace has committed exports yet.",
                kept_safe=_KEPT_SAFE,
                do_next="distill run-all",
            )
        )
    newest: dict[str, Any] = max(found, key=lambda entry: entry[:2])[2]
    return newest


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _cannot_read(path, str(error)) from error
    if not isinstance(value, dict):
        raise _cannot_read(path, "it holds no object")
    return value


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
    receipts = [stage["receipt"] for stage in summary["stages"] if stage["stage"] == "export"]
    if not receipts:
        return {}
    receipt = _read_json(workspace / receipts[0])
    return {claim["path"]: claim["sha256"] for claim in receipt["outputs"]}


def _count(workspace: Path, export: str, claims: dict[str, str]) -> ExportFacts:
    facts = ExportFacts()
    for row in _rows(workspace, str(paths.EXPORT_FILES[export]), claims):
        facts.take(row)
    for row in _rows(workspace, str(paths.QUARANTINE_FILES[export]), claims):
        facts.refused[row["reason"]] += 1
    return facts


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
