"""One claim of a receipt against the disk: whether the file is what was read or written, and since when.

Who asks decides which receipt it is of: the newest that names a file (``receipt_claims``), all of the last
run (``run_claims``), or those of one stage (``stage_claims``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.moments import iso_utc
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_in
from runbook.change.files import prefix_digest, state_of

MOST_RECEIPT_BYTES = 4 * 2**20
_PACKED = (".gz", ".zst", ".xz", ".bz2")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5"


def read_json(root: Path, path: str) -> dict[str, Any]:
    """A small JSON object; empty when it is missing, too large or something else."""
    return object_in(root / path, most_bytes=MOST_RECEIPT_BYTES) or {}


def path_of(claim: Mapping[str, Any]) -> str | None:
    path = claim.get("path")
    return path if isinstance(path, str) else None


def output_difference(root: Path, claim: Mapping[str, Any]) -> str:
    """How an output is not what its receipt claims, in words; empty when it is, or names no file."""
    path = path_of(claim)
    if path is None:
        return ""
    try:
        now = state_of(root, path)
    except OperatorError as error:
        return error.fault.what_happened
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if now.is_absent:
        return "is missing"
    if now.sha256 == claim.get("sha256"):
        return ""
    size = claim.get("bytes")
    claimed = f"{size:,} others" if isinstance(size, int) else "others"
    return f"has {now.bytes:,} bytes; the receipt claims {claimed}"


def source_difference(root: Path, claim: Mapping[str, Any]) -> str:
    """How a source no longer begins with what was read, in words; empty when it does.

    What was appended since is no change. One that is gone stands on its recorded digest, and what is claimed
    of a packed one is its content, not the bytes on disk; one outside of the workspace is not looked at.
    """
    path, size = path_of(claim), claim.get("bytes")
    if path is None or not isinstance(size, int) or path.startswith("@") or Path(path).is_absolute():
        return ""
    try:
        now = state_of(root, path)
        if now.is_absent or _is_packed(root / path):
            return ""
        if (now.bytes or 0) < size:
            return f"has {now.bytes:,} bytes; {size:,} were read"
        if prefix_digest(root, path, size) == claim.get("sha256"):
            return ""
    except OperatorError as error:
        return error.fault.what_happened
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return f"does not begin with the {size:,} bytes that were read"


def last_change(path: Path) -> tuple[str, int]:
    """When it was last written, and whose it is."""
    found = path.stat(follow_symlinks=False)
    return iso_utc(found.st_mtime) or "", found.st_uid


def _is_packed(path: Path) -> bool:
    if path.name.endswith(_PACKED):
        return True
    with disk.open_to_read(path) as file:
        return file.read(2) in (_GZIP, _ZSTD)
