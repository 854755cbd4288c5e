"""``exports/formatted/<name>/``: a file a split, how to train on it, and nothing else that a loader reads.

Receipts stand in ``exports/receipts/<name>/``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.formats.format import Format
from pipeline.formats.reading import Converted, Reading
from pipeline.formats.readme import readme
from pipeline.formats.sources import Claim
from pipeline.formats.write import (
    KINDS,
    RECEIPT_SUFFIX,
    Announce,
    FileKind,
    Files,
    announce_receipt,
    put_receipt,
    receipt_of,
    take_away,
    write_jsonl,
    write_parquet,
)
from pipeline.platform import confined
from pipeline.stages.splits import TRAIN, VALIDATION

SPLITS = (TRAIN, VALIDATION)
README = "README.md"
DATASET_INFO = "dataset_info.json"


def folder_of(format_: Format) -> str:
    return str(paths.FORMATTED / format_.name)


def receipt_path(format_: Format, name: str) -> str:
    """Where the receipt of the file ``name`` of a format is."""
    return str(paths.FORMAT_RECEIPTS / format_.name / f"{name}{RECEIPT_SUFFIX}")


def write_folder(
    workspace: Path, format_: Format, kind: FileKind, reading: Reading
) -> tuple[list[Any], Files]:
    """Write one format, and give the receipts, one a split that has rows.

    A split without rows is left out, and what stood in its place goes: a loader fails on an empty file. So
    do files of the other kind that a receipt names: no loader takes a folder with both.
    Raises what the source raises and StorageError; files of which nothing was replaced are as they were.
    """
    folder = folder_of(format_)
    name_of = {split: f"{split}.{kind}" for split in SPLITS}

    def announce(files: Files) -> None:
        for name in name_of.values():
            if (output := files.outputs.get(f"{folder}/{name}")) is not None:
                receipt = receipt_of(format_.name, reading, output, files.refused)
                announce_receipt(workspace, receipt_path(format_, name), receipt)

    files = _write(workspace, format_, kind, reading, name_of, announce)
    receipts = []
    written: dict[str, str] = {}
    for split, name in name_of.items():
        output = files.outputs.get(f"{folder}/{name}")
        if output is None:
            take_away(workspace, f"{folder}/{name}", receipt_path(format_, name))
            continue
        written[split] = name
        receipt = receipt_of(format_.name, reading, output, files.refused)
        put_receipt(workspace, receipt_path(format_, name), receipt)
        receipts.append(receipt)
    files.taken_away = _take_other_kind(workspace, format_, kind)
    if format_.beside is not None:
        _put_beside(workspace, format_, reading, written)
    rows = {split: files.outputs[f"{folder}/{name}"].rows for split, name in written.items()}
    text = readme(format_, kind, rows, files.tokens, files.refused)
    confined.make_folder(workspace, folder)
    confined.write_file(workspace, f"{folder}/{README}", text.encode())
    return receipts, files


def _take_other_kind(workspace: Path, format_: Format, kind: FileKind) -> list[str]:
    taken = []
    for other in KINDS:
        for name in (f"{split}.{other}" for split in SPLITS if other != kind):
            receipt = receipt_path(format_, name)
            if (workspace / receipt).is_file():
                path = f"{folder_of(format_)}/{name}"
                take_away(workspace, path, receipt)
                taken.append(path)
    return taken


def _write(
    workspace: Path,
    format_: Format,
    kind: FileKind,
    reading: Reading,
    name_of: dict[str, str],
    announce: Announce,
) -> Files:
    folder = folder_of(format_)

    def convert(row: dict[str, Any]) -> Any:
        made = format_.convert(row)
        return {**made, "id": row["id"]} if format_.has_id and isinstance(made, dict) else made

    def file_of(row: Converted) -> str:
        return f"{folder}/{name_of[row.split]}"

    if kind == "jsonl":
        return write_jsonl(workspace, reading, convert, file_of, announce)
    return write_parquet(workspace, reading, convert, file_of, format_.all_columns, announce)


def _put_beside(workspace: Path, format_: Format, reading: Reading, written: dict[str, str]) -> None:
    """What the trainer reads beside the rows, with a receipt of its own."""
    if format_.beside is None:
        return
    path = f"{folder_of(format_)}/{DATASET_INFO}"
    if not written:
        take_away(workspace, path, receipt_path(format_, DATASET_INFO))
        return
    data = orjson.dumps(format_.beside(written), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    claim = Claim(path)
    claim.take(data, rows=0)
    receipt = receipt_of(format_.name, reading, claim, Counter())
    announce_receipt(workspace, receipt_path(format_, DATASET_INFO), receipt)
    confined.write_file(workspace, path, data)
    put_receipt(workspace, receipt_path(format_, DATASET_INFO), receipt)
