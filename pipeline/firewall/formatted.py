"""Files in trainers' formats, derived from the export: does a receipt account for each?

``exports/formatted/<name>`` is accounted for by ``<name>.receipt.json`` beside it, which holds the
file's digest. A file that no receipt accounts for has no lineage at all, and is reported as such;
one that a receipt derives from another export than the live one is out of date.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.firewall.causes import read_json
from pipeline.firewall.places import FileMissingError, FileRefusedError, open_regular

RECEIPT_SUFFIX = ".receipt.json"


@dataclass(frozen=True)
class FormattedFile:
    """One derived file. ``state`` is accounted, out_of_date or unaccounted."""

    file: str
    state: str
    detail: str = ""

    @property
    def is_unaccounted(self) -> bool:
        return self.state == "unaccounted"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def survey(root: Path, sft_sha256: str | None) -> list[FormattedFile]:
    """Every formatted file of a workspace, with what its receipt says of it."""
    try:
        found = sorted((root / paths.FORMATTED).glob("*.jsonl"))
    except OSError:
        return []
    return [_account(path, (paths.FORMATTED / path.name).as_posix(), sft_sha256) for path in found]


def _account(path: Path, shown: str, sft_sha256: str | None) -> FormattedFile:
    receipt = read_json(path.with_name(path.name + RECEIPT_SUFFIX))
    if not isinstance(receipt, dict):
        return FormattedFile(shown, "unaccounted", "no receipt accounts for this formatted file")
    try:
        digest = _sha256(path)
    except FileMissingError:
        return FormattedFile(shown, "accounted", "it is gone")
    except (FileRefusedError, OSError) as error:
        return FormattedFile(shown, "unaccounted", f"this formatted file cannot be read: {error}")
    named = set(_digests(receipt))
    if digest not in named:
        return FormattedFile(shown, "unaccounted", "this formatted file is not the one in its receipt")
    if path.name.startswith("sft.") and sft_sha256 is not None and sft_sha256 not in named:
        return FormattedFile(shown, "out_of_date", "derived from another SFT export than the live one")
    return FormattedFile(shown, "accounted")


def _digests(value: Any) -> list[str]:
    """Every ``sha256`` member in a receipt, at any depth."""
    found: list[str] = []
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, str) and key.endswith("sha256"):
                found.append(member)
            else:
                found += _digests(member)
    elif isinstance(value, list):
        for member in value:
            found += _digests(member)
    return found


def _sha256(path: Path) -> str:
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
