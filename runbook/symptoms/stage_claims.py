"""One stage's last committed receipt against the disk: what it read, and what it wrote, as it is now.

A file that is not as claimed was written by somebody else since, or its source was rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.reading.past_runs import CommittedRun, last_committed
from runbook.change.files import prefix_digest, state_of
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.receipt_claims import last_change

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5"


class Differing(Record):
    """A file that is not what the receipt says. ``by_whom`` is all that the file itself tells."""

    path: str
    how: str
    by_whom: str = ""

    @property
    def told(self) -> str:
        return f"{self.path} {self.how}{f' ({self.by_whom})' if self.by_whom else ''}"


class StageClaims(Record):
    """``receipt`` is None where no run committed that stage. ``unknown`` are outputs no receipt names."""

    stage: str
    receipt: str | None = None
    inputs: tuple[Differing, ...] = ()
    outputs: tuple[Differing, ...] = ()
    unknown: tuple[str, ...] = ()


def probe_id(stage: str) -> str:
    return f"claims-{stage}"


def claims_probe(stage: str, folder: str) -> Probe:
    """The probe that finds ``StageClaims``. ``folder`` is where the stage writes."""

    def find(workspace: Workspace, _seconds: float) -> StageClaims:
        return claims_of(workspace.root, stage, folder)

    return record_probe(probe_id(stage), f"What {stage} claims, and what is there", 60.0, find, _lines)


def _lines(found: StageClaims) -> list[str]:
    lines = [each.told for each in (*found.inputs, *found.outputs)]
    lines += [f"{path} is in no receipt" for path in found.unknown]
    return lines or [f"as {found.receipt or 'nobody'} claims"]


def claims_of(root: Path, stage: str, folder: str) -> StageClaims:
    run = last_committed(root)
    if run is None or stage not in run.receipts:
        return StageClaims(stage=stage)
    claimed = run.claims(stage, "outputs")
    names = {str(each.get("path")) for each in claimed}
    return StageClaims(
        stage=stage,
        receipt=_receipt_path(run, stage),
        inputs=tuple(_inputs(root, run.claims(stage, "inputs"))),
        outputs=tuple(
            Differing(path=path, how=how, by_whom=_by_whom(root, path))
            for path, how in _differing(root, claimed)
        ),
        unknown=tuple(
            name
            for path in sorted((root / folder).rglob("*.jsonl"))
            if (name := path.relative_to(root).as_posix()) not in names
        ),
    )


def _receipt_path(run: CommittedRun, stage: str) -> str:
    return str(paths.receipts_folder(run.pipeline_run_id) / f"{stage}.json")


def _differing(root: Path, claims: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """(path, how it differs) of each claimed file that is not what its receipt says."""
    found = []
    for claim in claims:
        path = claim.get("path")
        if not isinstance(path, str):
            continue
        try:
            now = state_of(root, path)
        except OperatorError as error:
            found.append((path, error.fault.what_happened))
            continue
        if now.is_absent:
            found.append((path, "is gone"))
        elif now.sha256 != claim.get("sha256"):
            found.append((path, f"has {now.bytes:,} bytes; the receipt claims {claim.get('bytes'):,} others"))
    return found


def _inputs(root: Path, claims: list[dict[str, Any]]) -> list[Differing]:
    """Inputs whose first bytes are not those that were read; what was appended since is no change.

    One that is gone stands on its recorded digest, and of a packed one only its size could be told.
    """
    found = []
    for claim in claims:
        path, size = claim.get("path"), claim.get("bytes")
        if not isinstance(path, str) or not isinstance(size, int) or path.startswith("@"):
            continue
        try:
            if state_of(root, path).is_absent or _is_packed(root / path):
                continue
            now = prefix_digest(root, path, size)
        except (OperatorError, OSError):
            continue
        if now != claim.get("sha256"):
            how = f"does not begin with the {size:,} bytes that were read"
            found.append(Differing(path=path, how=how, by_whom=_by_whom(root, path)))
    return found


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in (_GZIP, _ZSTD)


def _by_whom(root: Path, path: str) -> str:
    try:
        when, owner = last_change(root / path)
    except OSError:
        return ""
    return f"last written {when}, owner {owner}"
