"""What the engine's receipts say about a file: did a run write it, or somebody else?

A receipt is a claim that whoever can write the workspace can forge. It never makes a file clear;
it only names the likely cause of a breach.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.finding_words import EVALUATION
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.report import Findings

STALE_EXPORT = "stale_export"
SETS_CHANGED = "sets_changed"
NOT_IN_RECEIPT = "not_in_receipt"
_MAX_RECEIPT_BYTES = 4 * 1024 * 1024


class Claim(NamedTuple):
    """What the latest export receipt says of one export."""

    receipt: str
    sha256: str
    size: int
    rows: int


def read_json(path: Path, *, may_fail: bool = True, most_bytes: int = _MAX_RECEIPT_BYTES) -> Any:
    """The value in a JSON file of at most ``most_bytes``, None when it is none.

    With ``may_fail`` None also when the disk or a permission refuses; else OSError is raised then.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read(most_bytes + 1)
        return json.loads(data) if len(data) <= most_bytes else None
    except (FileMissingError, ValueError, RecursionError):
        return None
    except FileRefusedError as refused:
        if may_fail:
            return None
        raise OSError(errno.EIO, str(refused), str(path)) from None
    except OSError:
        if may_fail:
            return None
        raise


def sft_claim(root: Path) -> Claim | None:
    return claim_of(root, paths.SFT_EXPORT.as_posix())


def others_as_written(root: Path, found: Findings, file: str) -> bool | None:
    """Whether all other files with findings are exports as a run wrote them; None where there is none."""
    others = [each for each in found.by_file if each != file]
    if not others:
        return None
    exports = {each.as_posix() for each in paths.EXPORT_FILES.values()}
    return not found.more_files and all(
        each in exports
        and (claim := claim_of(root, each)) is not None
        and claim.sha256 == _sha256(root / each, claim.size)
        for each in others
    )


def _sha256(path: Path, size: int) -> str | None:
    """None also for a file that has not ``size`` bytes: however large, it is not read."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileMissingError, FileRefusedError, OSError):
        return None


def claim_of(root: Path, export: str) -> Claim | None:
    """The claim of the newest run whose export succeeded; its folder's name sorts by time."""
    try:
        folders = sorted((folder.name for folder in (root / paths.REPORTS).iterdir()), reverse=True)
    except OSError:
        return None
    for name in folders:
        receipt = paths.receipts_folder(name) / "export.json"
        value = read_json(root / receipt)
        if not isinstance(value, dict) or value.get("ok") is not True:
            continue
        for output in value.get("outputs") or ():
            if isinstance(output, dict) and output.get("path") == export:
                sha256, size, rows = (output.get(key) for key in ("sha256", "bytes", "rows"))
                if isinstance(sha256, str) and isinstance(size, int) and isinstance(rows, int):
                    return Claim(receipt.as_posix(), sha256, size, rows)
    return None


def cause_of(
    found: Findings, file: str, claim: Claim | None, sha256: str | None, others: bool | None = None
) -> str | None:
    """The likely cause of findings. Where ``file`` is as a run wrote it, the verdicts have changed since, or
    else the evaluation sets have.

    ``others`` is what ``others_as_written`` says of the files beside it: what no run wrote there, somebody
    else did; what an item of a test set does there is not known.
    """
    only_test_items = set(found.by_wall) == {EVALUATION}
    if file not in found.by_file:
        if only_test_items:
            return None
        return STALE_EXPORT if others else NOT_IN_RECEIPT
    if claim is None or claim.sha256 != sha256:
        return NOT_IN_RECEIPT
    return SETS_CHANGED if only_test_items else STALE_EXPORT
