"""One formatted file: read the canonical export, convert, write, and account for it.

The file appears whole or not at all; its receipt follows and names the digests of both files,
so that the firewall can tell a formatted file from one that somebody put there. Nothing here
depends on a clock: the same export gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, InputError, IntegrityError
from pipeline.formats.rows import Format
from pipeline.platform import confined, disk
from pipeline.platform.confined import refuse_links
from pipeline.schemas.migrations import upgrade
from pipeline.stages.refusals import Refusal
from pipeline.stages.splits import TRAIN, VALIDATION

SCHEMA_VERSION = 1
RECEIPT_SUFFIX = ".receipt.json"
CANONICAL = {"sft": paths.SFT_EXPORT, "preference": paths.PREFERENCE_EXPORT}
_BUFFER_BYTES = 1 << 20


@dataclass
class _Claim:
    """What was read from or written to one file, counted on the way."""

    path: str
    size: int = 0
    rows: int = 0
    hasher: Any = field(default_factory=hashlib.sha256)

    def take(self, line: bytes) -> None:
        self.size += len(line)
        self.rows += 1
        self.hasher.update(line)

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "bytes": self.size,
            "rows": self.rows,
            "sha256": self.hasher.hexdigest(),
        }


def formatted_file(format_: Format, split: str = TRAIN) -> str:
    """Where a format is written, relative to the workspace; of a format that names no split, one split."""
    of_split = "" if format_.has_split or split == TRAIN else f".{split}"
    return str(paths.FORMATTED / f"{format_.export}.{format_.name}{of_split}.jsonl")


def write_splits(
    workspace: Path, format_: Format, may_appear: Callable[[str], None] | None = None
) -> list[dict[str, Any]]:
    """The receipts of ``write_formatted``: of one file, or of one a split that has rows.

    The training file is always written. A validation file that has no rows any more is taken away,
    since its rows may be those of the training file now. Raises what ``write_formatted`` raises.
    """
    receipts = [write_formatted(workspace, format_, may_appear)]
    if format_.has_split:
        return receipts
    receipt = write_formatted(workspace, format_, may_appear, VALIDATION)
    if receipt["output"]["rows"]:
        return [*receipts, receipt]
    path = receipt["output"]["path"]
    try:
        for relative in (path, path + RECEIPT_SUFFIX):
            confined.remove(workspace, relative)
    except OSError as error:
        raise disk.storage_fault(error, workspace / path) from error
    return receipts


def write_formatted(
    workspace: Path,
    format_: Format,
    may_appear: Callable[[str], None] | None = None,
    split: str = TRAIN,
) -> dict[str, Any]:
    """Write one format and its receipt, and give the receipt.

    ``split`` counts where the rows of the format do not name theirs: only its rows are written.
    ``may_appear`` is told the sha256 of the canonical bytes that were read, before anything
    replaces the last file, and raises when they are not to be used. Raises InputError when there
    is no export, IntegrityError when one of its lines is no row, StorageError.
    """
    source = _Claim(str(CANONICAL[format_.export]))
    target = _Claim(formatted_file(format_, split))
    refused: Counter[str] = Counter()
    path = workspace / target.path
    refuse_links(workspace, [target.path, target.path + RECEIPT_SUFFIX])
    disk.make_folder(path.parent)
    try:
        with _opened(workspace / source.path) as file, disk.replacing(path) as descriptor:
            pending: list[bytes] = []
            pending_bytes = 0
            for line in _converted(file, source, format_, refused, split):
                target.take(line)
                pending.append(line)
                pending_bytes += len(line)
                if pending_bytes >= _BUFFER_BYTES:
                    disk.write_all(descriptor, b"".join(pending))
                    pending, pending_bytes = [], 0
            disk.write_all(descriptor, b"".join(pending))
            if may_appear is not None:
                may_appear(source.hasher.hexdigest())
    except OSError as error:
        raise disk.storage_fault(error, path) from error
    receipt = {
        "schema_version": SCHEMA_VERSION,
        "format": format_.name,
        "export": format_.export,
        "source": source.to_dict(),
        "output": target.to_dict(),
        "refused": dict(sorted(refused.items())),
    }
    text = orjson.dumps(receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    confined.write_file(workspace, target.path + RECEIPT_SUFFIX, text)
    return receipt


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(
            Fault(
                code="no_export",
                what_happened=f"{path} cannot be read: {error.strerror or error}.",
                kept_safe="Nothing was written.",
                do_next="Make the export first: distill export",
                file=str(path),
            )
        ) from error


def _converted(
    file: BinaryIO, source: _Claim, format_: Format, refused: Counter[str], split: str
) -> Iterator[bytes]:
    for line in file:
        source.take(line)
        try:
            row = upgrade(format_.export, orjson.loads(line))
            if not format_.has_split and row["split"] != split:
                continue
            converted = format_.convert(row)
        except (ValueError, KeyError, TypeError, AttributeError, IntegrityError) as error:
            raise _no_row(source) from error
        if isinstance(converted, Refusal):
            refused[converted.reason.value] += 1
            continue
        for row in converted:
            yield orjson.dumps(row) + b"\n"


def _no_row(source: _Claim) -> IntegrityError:
    return IntegrityError(
        Fault(
            code="export_unreadable",
            what_happened=f"{source.path} line {source.rows} is not a row of this export.",
            kept_safe="No formatted file was replaced.",
            do_next="Ask the firewall what it is: distill firewall",
            file=source.path,
            line=source.rows,
        )
    )
