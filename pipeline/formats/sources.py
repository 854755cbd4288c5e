"""What rows are made of: files that a run wrote, read whole and held against what it said of them.

``exports/manifest.json`` names the bytes of the exports, and the run whose export receipt names them, too,
and those of evidence, verdicts and quarantine. A file that is another one now is not formatted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, IntegrityError
from pipeline.engine.export_manifest import standing
from pipeline.formats.format import Row
from pipeline.platform import confined, disk, disk_faults
from pipeline.schemas.migrations import upgrade

_DISPUTED = ""  # the digest of no file
CANONICAL = {"sft": paths.SFT_EXPORT, "preference": paths.PREFERENCE_EXPORT}


@dataclass
class Claim:
    """What was read from or written to one file, counted on the way."""

    path: str
    size: int = 0
    rows: int = 0
    hasher: Any = field(default_factory=hashlib.sha256)

    def take(self, data: bytes, rows: int = 1) -> None:
        self.size += len(data)
        self.rows += rows
        self.hasher.update(data)

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "bytes": self.size, "rows": self.rows, "sha256": self.hasher.hexdigest()}


@dataclass(frozen=True)
class Written:
    """The sha256 of each file, by its path, as the run whose exports stand wrote it."""

    sha256: dict[str, str]

    def check(self, claim: Claim) -> None:
        """Raises IntegrityError when what was read is not what the run wrote."""
        if self.sha256.get(claim.path) != claim.hasher.hexdigest():
            raise IntegrityError.of(
                code="export_changed",
                what_happened=f"{claim.path} is not the file that the last run wrote.",
                kept_safe="No formatted file was replaced.",
                do_next="Write it again: distill export",
                file=claim.path,
                value=claim.hasher.hexdigest(),
            )

    def under(self, folder: str) -> list[str]:
        return sorted(path for path in self.sha256 if path.startswith(f"{folder}/"))


def written_files(workspace: Path) -> Written:
    """What the standing manifest and the export receipt of its run say of files.

    An export of which they do not say the same, or which the receipt does not name, is of no run.

    Raises InputError when no manifest stands, IntegrityError when it was voided.
    """
    manifest = standing(workspace)
    if manifest is None:
        raise InputError.of(
            code="no_export",
            what_happened=f"{paths.EXPORT_MANIFEST} cannot be read: nothing says which export stands.",
            kept_safe="Nothing was written.",
            do_next="Make the exports first: distill export",
            file=str(paths.EXPORT_MANIFEST),
        )
    if manifest.get("void"):
        raise IntegrityError.of(
            code="export_void",
            what_happened=f"The exports were declared void: {manifest.get('void_reason', 'a breach')}.",
            kept_safe="No formatted file was replaced.",
            do_next="See what the firewall says: distill firewall",
            file=str(paths.EXPORT_MANIFEST),
        )
    named = _receipt_claims(workspace, str(manifest.get("pipeline_run_id")))
    listed = {f"{paths.EXPORTS}/{entry['path']}": entry["sha256"] for entry in manifest["files"]}
    # Whoever writes over an export can write over the manifest, too: both have to name the same bytes.
    agreed = {path: sha256 if named.get(path) == sha256 else _DISPUTED for path, sha256 in listed.items()}
    return Written({**named, **agreed})


def _receipt_claims(workspace: Path, pipeline_run_id: str) -> dict[str, str]:
    """Inputs and outputs of the run's export stage; nothing when its receipt is not there any more.

    Raises StorageError where it is there and cannot be read.
    """
    path = paths.receipts_folder(pipeline_run_id) / "export.json"
    try:
        receipt = orjson.loads(confined.read_bytes(workspace, path))
        return {claim["path"]: claim["sha256"] for claim in (*receipt["inputs"], *receipt["outputs"])}
    except (FileNotFoundError, disk_faults.NotPlainError, ValueError, KeyError, TypeError):
        return {}
    except OSError as error:
        raise disk_faults.storage_fault(
            error, workspace / path, "No formatted file was replaced.", doing="read"
        ) from error


def lines_of(workspace: Path, claim: Claim) -> Iterator[bytes]:
    """The lines of one file, counted in ``claim``. Raises InputError when it cannot be read."""
    try:
        with (
            confined.opened(workspace, claim.path) as descriptor,
            open(descriptor, "rb", closefd=False) as file,
        ):
            for line in disk.lines_in(file, workspace / claim.path):
                claim.take(line)
                yield line
    except OSError as error:
        raise InputError.of(
            code="no_export",
            what_happened=f"{workspace / claim.path} cannot be read: {error.strerror or error}.",
            kept_safe="Nothing was written.",
            do_next="Make the export first: distill export",
            file=str(workspace / claim.path),
        ) from error


def canonical_rows(workspace: Path, export: str, claim: Claim) -> Iterator[Row]:
    """The rows of an export as version 2 has them. Raises IntegrityError for a line that is no row."""
    for line in lines_of(workspace, claim):
        try:
            yield upgrade(export, orjson.loads(line))
        except ROW_ERRORS as error:
            raise no_row(claim) from error


# What a line raises that is no row of its file.
ROW_ERRORS = (ValueError, KeyError, TypeError, AttributeError, IntegrityError)


def no_row(claim: Claim) -> IntegrityError:
    return IntegrityError.of(
        code="export_unreadable",
        what_happened=f"{claim.path} line {claim.rows} is not a row of this export.",
        kept_safe="No formatted file was replaced.",
        do_next="Ask the firewall what it is: distill firewall",
        file=claim.path,
        line=claim.rows,
    )
