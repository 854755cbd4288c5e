"""What the receipts say of a contaminated SFT export: who wrote these bytes, and what moved since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from pipeline.contracts import paths
from runbook.actions.quarantine import MARK
from runbook.change.files import prefix_digest, read_bytes, state_of
from runbook.probes.evidence import ProbeOutput
from runbook.probes.receipt_claims import changed_claims, last_change, newest_claim
from runbook.probes.workspace import Workspace
from runbook.symptom import Probe
from runbook.symptoms.s1_p4_sft_leak.define import SFT

PROBE = "receipts"


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
    receipt, claim, inputs = newest_claim(root, SFT)
    data: dict[str, JsonValue] = {
        "file": file,
        "standing": [name for name in files if not state_of(root, name).is_absent],
        "receipt": receipt,
        "rows_claimed": claim.get("rows"),
        "changed_since": [*changed_claims(root, inputs)],
    }
    if file is not None:
        state = state_of(root, file)
        data["last_written"], data["owner_uid"] = last_change(root / file)
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
