"""What the last run claims: its summary and receipts, read as they lie there.

Claims are compared with what is recomputed. Two of them also steer the audit, and both are
themselves recomputed by P5: which run is the last, and how far each source had been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.contracts import paths
from pipeline.engine import run_state
from pipeline.platform import disk

STAGES = ("materialize", "score", "export")
_RUN_FOLDER = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,16}")


@dataclass(frozen=True)
class ClaimFile:
    """A JSON file of claims. ``value`` is None when it is missing or no JSON object: see ``problem``."""

    shown: str
    data: bytes | None
    value: dict[str, Any] | None
    problem: str = ""


class ReadSource(NamedTuple):
    """How many bytes of a source a run read, and how many lines it counted in them."""

    bytes: int
    rows: int | None


NOT_READ = ReadSource(0, 0)


@dataclass
class LastRun:
    """The newest run that committed, as far as can be told. ``newer`` failed or was interrupted."""

    pipeline_run_id: str | None
    summary: ClaimFile
    receipts: dict[str, ClaimFile] = field(default_factory=dict)
    newer: ClaimFile | None = None

    @property
    def run_hash(self) -> str | None:
        value = (self.summary.value or {}).get("run_hash")
        return value if isinstance(value, str) else None

    def read_sources(self) -> Mapping[str, ReadSource] | None:
        """How far the run read each source file; None when no receipt says."""
        receipt = self.receipts.get("materialize")
        inputs = (receipt.value or {}).get("inputs") if receipt is not None else None
        if not isinstance(inputs, list):
            return None
        return {
            claim["path"]: ReadSource(claim["bytes"], claim.get("rows"))
            for claim in inputs
            if isinstance(claim, dict)
            and isinstance(claim.get("path"), str)
            and isinstance(claim.get("bytes"), int)
        }

    def settings_digest(self) -> str | None:
        value = (self.summary.value or {}).get("settings_digest")
        return value if isinstance(value, str) else None


def read_claim(workspace: Path, shown: str) -> ClaimFile:
    """Raises OSError, but for a file that is missing."""
    try:
        data = disk.read_plain(workspace / shown)
    except (FileNotFoundError, NotADirectoryError):
        return ClaimFile(shown, None, None, "is missing")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return ClaimFile(shown, data, None, f"is not JSON: {error}")
    if not isinstance(value, dict):
        return ClaimFile(shown, data, None, "is not a JSON object")
    return ClaimFile(shown, data, value)


def last_run(workspace: Path) -> LastRun:
    """The run whose outputs stand. Raises OSError when the reports cannot be read.

    The state remembers it; without a state it is the newest folder whose summary says ok, or
    cannot be read: a damaged summary must be found, not passed over.
    """
    folders = _run_folders(workspace)
    remembered = run_state.load(workspace).pipeline_run_id
    claims = {name: read_claim(workspace, str(paths.summary_file(name))) for name in folders[:1]}
    chosen = remembered if remembered in folders or remembered else ""
    if not chosen:
        for name in folders:
            claims[name] = read_claim(workspace, str(paths.summary_file(name)))
            finished = claims[name].data is not None
            if finished and (claims[name].value is None or (claims[name].value or {}).get("ok") is not False):
                chosen = name
                break
    if not chosen:
        return LastRun(None, ClaimFile(str(paths.REPORTS), None, None, "holds no run that committed"))
    summary = claims.get(chosen) or read_claim(workspace, str(paths.summary_file(chosen)))
    newest = claims[folders[0]] if folders and folders[0] > chosen else None
    return LastRun(
        chosen,
        summary,
        {
            stage: read_claim(workspace, str(paths.receipts_folder(chosen) / f"{stage}.json"))
            for stage in STAGES
        },
        newest if newest is not None and newest.data is not None else None,
    )


def _run_folders(workspace: Path) -> list[str]:
    """Names of run folders, newest first."""
    reports = workspace / paths.REPORTS
    if not reports.is_dir():
        return []
    return sorted(
        (entry.name for entry in reports.iterdir() if _RUN_FOLDER.fullmatch(entry.name) and entry.is_dir()),
        reverse=True,
    )
