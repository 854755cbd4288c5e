"""What the receipts say of a contaminated SFT export: who wrote these bytes, and what moved since.

A receipt is a claim. Whoever can write the workspace can forge one, so it names a likely cause and
never makes a file clear.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from runbook.actions.quarantine import MARK
from runbook.evidence import ProbeOutput
from runbook.files import prefix_digest, read_bytes, state_of
from runbook.symptom import Probe
from runbook.workspace import Workspace

PROBE = "receipts"
SFT = str(paths.SFT_EXPORT)
MOST_RECEIPT_BYTES = 4 * 2**20


def receipts_probe(sha256: str | None, files: Sequence[str]) -> Probe:
    """Compare the export with the newest receipt that claims it.

    ``sha256`` is what the firewall read: by it the bytes are found again after a quarantine.
    ``files`` are those with findings; ``standing`` tells which of them readers still meet.
    """

    def look(workspace: Workspace, _seconds: float) -> ProbeOutput:
        data = _compared(workspace.root, sha256, files)
        return ProbeOutput(
            probe_id=PROBE,
            title="The export against its receipt",
            text="\n".join(f"{name}: {value}" for name, value in data.items()),
            data=data,
        )

    return Probe(PROBE, "The export against its receipt", 30.0, look)


def _compared(root: Path, sha256: str | None, files: Sequence[str]) -> dict[str, JsonValue]:
    file = _where(root, sha256)
    receipt, claim, inputs = _newest_claim(root)
    data: dict[str, JsonValue] = {
        "file": file,
        "standing": [name for name in files if not state_of(root, name).is_absent],
        "receipt": receipt,
        "rows_claimed": claim.get("rows"),
        "changed_since": list(_changed(root, inputs)),
    }
    if file is not None:
        state = state_of(root, file)
        data |= _last_change(root / file)
        size = claim.get("bytes")
        data["as_written"] = bool(claim) and claim.get("sha256") == state.sha256
        if isinstance(size, int) and 0 < size < (state.bytes or 0):
            begins = prefix_digest(root, file, size) == claim.get("sha256")
            data["begins_as_written"] = begins
            data["lines_after"] = len(read_bytes(root, file)[size:].splitlines()) if begins else None
    return data


def _where(root: Path, sha256: str | None) -> str | None:
    """The export, or the name under which just these bytes are quarantined."""
    if not state_of(root, SFT).is_absent and state_of(root, SFT).sha256 == sha256:
        return SFT
    folder = root / paths.SFT_EXPORT.parent
    names = (
        sorted(each.name for each in folder.glob(f"{paths.SFT_EXPORT.name}{MARK}*"))
        if folder.is_dir()
        else []
    )
    for name in reversed(names):
        path = str(paths.SFT_EXPORT.with_name(name))
        if state_of(root, path).sha256 == sha256:
            return path
    return None


def _newest_claim(root: Path) -> tuple[str | None, dict[str, Any], list[Any]]:
    """Receipt, its claim of the SFT export, its inputs. A run's id begins with its time."""
    folder = root / paths.REPORTS
    names = sorted((each.name for each in folder.iterdir()), reverse=True) if folder.is_dir() else []
    for name in names:
        receipt = str(paths.receipts_folder(name) / "export.json")
        value = _read_receipt(root, receipt)
        if value.get("ok") is not True:
            continue
        for claim in _items(value, "outputs"):
            if claim.get("path") == SFT:
                return receipt, claim, _items(value, "inputs")
    return None, {}, []


def _read_receipt(root: Path, receipt: str) -> dict[str, Any]:
    try:
        if (root / receipt).stat().st_size > MOST_RECEIPT_BYTES:
            return {}
        value = json.loads(read_bytes(root, receipt))
    except (OSError, ValueError, RecursionError, OperatorError):
        return {}
    return value if isinstance(value, dict) else {}


def _items(receipt: dict[str, Any], member: str) -> list[dict[str, Any]]:
    found = receipt.get(member)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _changed(root: Path, inputs: list[dict[str, Any]]) -> list[str]:
    """Evidence and verdicts that are not what they were when the export was made."""
    found = []
    for claim in inputs:
        path = claim.get("path")
        if not isinstance(path, str):
            continue
        try:
            now = state_of(root, path).sha256
        except OperatorError:
            continue
        if now != claim.get("sha256"):
            found.append(path)
    return found


def _last_change(path: Path) -> dict[str, JsonValue]:
    found = path.stat(follow_symlinks=False)
    when = datetime.fromtimestamp(found.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"last_written": when, "owner_uid": found.st_uid}
