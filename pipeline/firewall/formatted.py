"""Files in trainers' formats, derived from the export: does a receipt account for each?

``exports/formatted/<format>/<file>`` is accounted for by ``exports/receipts/<format>/<file>.receipt.json``,
a single file ``exports/formatted/<name>`` by ``<name>.receipt.json`` beside it. A receipt names the
digests of the file (``output``) and of the export it was made from (``source``). A file that no
receipt accounts for has no lineage at all, and is reported as such; one that a receipt derives
from another export than the live one is out of date. Formats for KTO hold rejected answers with
their label, in folders of their own: anywhere else, what was made of all labelled runs is a finding.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts import paths
from pipeline.firewall.causes import read_json
from pipeline.firewall.loaded_names import is_loaded
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.report import Finding, Findings, Report, State

RECEIPT_SUFFIX = ".receipt.json"
# The only folders that may hold rejected answers; the firewall's own list, not the exporter's.
MAY_HOLD_REJECTED = frozenset(("trl-unpaired", "trl-unpaired-text", "llama-factory-kto"))
_QUARANTINED = ".QUARANTINED-"


@dataclass(frozen=True)
class FormattedFile:
    """One derived file. ``state`` is accounted, out_of_date, unaccounted, or unknown: not to be told now.

    ``line`` is the row that is amiss, from 1; 0 stands for the whole file. ``sources`` are what its receipt
    says that it was made of, each with its sha256.
    """

    file: str
    state: str
    detail: str = ""
    line: int = 0
    sources: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def is_unaccounted(self) -> bool:
        return self.state == "unaccounted"

    @property
    def has_receipt(self) -> bool:
        return self.state in ("accounted", "out_of_date")

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "state": self.state, "detail": self.detail, "line": self.line}


def survey(root: Path, sft_sha256: str | None) -> list[FormattedFile]:
    """Every formatted file of a workspace, with what its receipt says of it."""
    folder = root / paths.FORMATTED
    try:
        # Not glob: it takes a folder that it may not list for an empty one.
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        return [_not_listed(paths.FORMATTED, error)]
    files = []
    for entry in entries:
        if entry.is_dir():
            files += _folder(root, paths.FORMATTED / entry.name, sft_sha256)
        elif entry.name.endswith(".jsonl"):
            shown = paths.FORMATTED / entry.name
            files.append(_account(root, shown, shown.with_name(shown.name + RECEIPT_SUFFIX), sft_sha256))
    return files


def _folder(root: Path, folder: PurePosixPath, sft_sha256: str | None) -> list[FormattedFile]:
    """What a loader would read of one format's folder. A link is followed as a loader follows it."""
    format_ = folder.relative_to(paths.FORMATTED)
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
    except OSError as error:
        return [_not_listed(folder, error)]
    files = []
    for entry in entries:
        if entry.name.startswith(".") or _QUARANTINED in entry.name:
            continue
        if entry.is_dir(follow_symlinks=False):
            files += _folder(root, folder / entry.name, sft_sha256)
        elif is_loaded(folder / entry.name):
            receipt = paths.FORMAT_RECEIPTS / format_ / (entry.name + RECEIPT_SUFFIX)
            files.append(_account(root, folder / entry.name, receipt, sft_sha256, format_.parts[0]))
    return files


def _not_listed(folder: PurePosixPath, error: OSError) -> FormattedFile:
    return FormattedFile(folder.as_posix(), "unknown", f"cannot be listed: {error.strerror}")


def joined(report: Report, files: Sequence[FormattedFile]) -> Report:
    """The report with the formatted files; one that nothing accounts for is a finding of lineage."""
    unaccounted = [file for file in files if file.is_unaccounted]
    findings = report.findings.joined(Findings()) if unaccounted else report.findings
    for file in unaccounted:
        findings.add(Finding("lineage", file.file, file.line, 0, None, None, file.detail))
    return replace(
        report,
        state=State.BREACH if unaccounted else report.state,
        findings=findings,
        formatted=tuple(file.to_dict() for file in files),
    )


def in_doubt(report: Report) -> Report:
    """With a formatted file that cannot be judged nothing may be called clear.

    The last word: who reads it knows that all else was clear.
    """
    unknown = next((file for file in report.formatted if file["state"] == "unknown"), None)
    if unknown is None or report.state not in (State.CLEAR, State.ABSENT):
        return report
    return replace(report, state=State.UNKNOWN, detail=f"{unknown['file']}: {unknown['detail']}")


def _account(
    root: Path,
    file: PurePosixPath,
    receipt_at: PurePosixPath,
    sft_sha256: str | None,
    format_: str | None = None,
) -> FormattedFile:
    """``format_`` names the folder of a file that is in one."""
    shown = file.as_posix()
    try:
        receipt = read_json(root / receipt_at, may_fail=False)
        digest = _sha256(root / file, is_wanted=isinstance(receipt, dict))
    except FileMissingError:
        return FormattedFile(shown, "accounted", "it is gone")
    except (FileRefusedError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return FormattedFile(shown, "unknown", f"this formatted file or its receipt cannot be read: {why}")
    if not isinstance(receipt, dict):
        return FormattedFile(shown, "unaccounted", "no receipt accounts for this formatted file")
    # A receipt stands before its file does, and names the file that is about to be replaced as well.
    standing = receipt.get("standing")
    if digest != _claimed(receipt, "output") and not (isinstance(standing, list) and digest in standing):
        return FormattedFile(shown, "unaccounted", "this formatted file is not the one in its receipt")
    if format_ is not None and _path_of(receipt) != shown:
        return FormattedFile(shown, "unaccounted", "its receipt is that of another file")
    if receipt.get("export") not in ("sft", "preference") and format_ not in MAY_HOLD_REJECTED:
        return FormattedFile(
            shown,
            "unaccounted",
            "it was made of all labelled runs, rejected ones too, and is not in a folder for KTO",
        )
    if receipt.get("export") == "sft" and sft_sha256 not in (None, _claimed(receipt, "source")):
        detail = "derived from another SFT export than the live one"
        return FormattedFile(shown, "out_of_date", detail, sources=_sources(receipt))
    return FormattedFile(shown, "accounted", sources=_sources(receipt))


def _path_of(receipt: dict[str, Any]) -> object:
    output = receipt.get("output")
    return output.get("path") if isinstance(output, dict) else None


def _sources(receipt: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a file was made of: one export, or all files of runs and verdicts."""
    claims = receipt.get("sources", [receipt.get("source")])
    named = [claim for claim in claims if isinstance(claim, dict)] if isinstance(claims, list) else []
    return tuple((str(claim.get("path")), str(claim.get("sha256"))) for claim in named)


def _claimed(receipt: dict[str, Any], side: str) -> str | None:
    """The digest that a receipt names for its ``output`` or its ``source``."""
    claim = receipt.get(side)
    digest = claim.get("sha256") if isinstance(claim, dict) else None
    return digest if isinstance(digest, str) else None


def _sha256(path: Path, *, is_wanted: bool) -> str:
    """Empty where no receipt could have it: the file, however large, is then only opened."""
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if not is_wanted:
            return ""
        return hashlib.file_digest(file, "sha256").hexdigest()
