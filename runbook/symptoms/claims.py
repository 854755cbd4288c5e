"""Claims of receipts against the disk: whether a file is what was read or written, and since when.

Who asks decides which receipt it is of: the newest that names a file (``receipt_claims``), all of the last
run (``run_claims``), or the last committed one of one stage (``StageClaims``). A file that is not as claimed
was written by somebody else since, or its source was rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.moments import iso_utc
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_in
from pipeline.reading.past_runs import last_committed
from runbook.case import Case
from runbook.change.files import prefix_digest, state_of
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace

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


def last_change(path: Path) -> tuple[str, int | None]:
    """When it was last written, and whose it is; empty and None where that cannot be told."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return "", None
    return iso_utc(found.st_mtime) or "", found.st_uid


def _is_packed(path: Path) -> bool:
    if path.name.endswith(_PACKED):
        return True
    with disk.open_to_read(path) as file:
        return file.read(2) in (_GZIP, _ZSTD)


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

    @property
    def inputs_told(self) -> tuple[str, ...]:
        return tuple(each.told for each in self.inputs)

    @property
    def outputs_told(self) -> tuple[str, ...]:
        """What somebody else wrote: outputs that differ, then those that no receipt names."""
        return (*(each.told for each in self.outputs), *self.unknown)


def probe_id(stage: str) -> str:
    return f"claims-{stage}"


def claims_in(case: Case, stage: str) -> StageClaims:
    return case.found(probe_id(stage), StageClaims(stage=stage))


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
        receipt=str(paths.receipts_folder(run.pipeline_run_id) / f"{stage}.json"),
        inputs=_differing(root, run.claims(stage, "inputs"), source_difference),
        outputs=_differing(root, claimed, output_difference),
        unknown=tuple(
            name
            for path in sorted((root / folder).rglob("*.jsonl"))
            if (name := path.relative_to(root).as_posix()) not in names
        ),
    )


def _differing(
    root: Path, claims: Sequence[dict[str, Any]], difference: Callable[[Path, dict[str, Any]], str]
) -> tuple[Differing, ...]:
    told = ((str(claim.get("path")), difference(root, claim)) for claim in claims)
    return tuple(Differing(path=path, how=how, by_whom=_by_whom(root, path)) for path, how in told if how)


def _by_whom(root: Path, path: str) -> str:
    when, owner = last_change(root / path)
    return f"last written {when}, owner {owner}" if when else ""
