"""One stage's last committed receipt against the disk: what it read, and what it wrote, as it is now.

A file that is not as claimed was written by somebody else since, or its source was rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.reading.past_runs import CommittedRun, last_committed
from runbook.case import Case
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.claims import last_change, output_difference, source_difference


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
        receipt=_receipt_path(run, stage),
        inputs=_differing(root, run.claims(stage, "inputs"), source_difference),
        outputs=_differing(root, claimed, output_difference),
        unknown=tuple(
            name
            for path in sorted((root / folder).rglob("*.jsonl"))
            if (name := path.relative_to(root).as_posix()) not in names
        ),
    )


def _receipt_path(run: CommittedRun, stage: str) -> str:
    return str(paths.receipts_folder(run.pipeline_run_id) / f"{stage}.json")


def _differing(
    root: Path, claims: Sequence[dict[str, Any]], difference: Callable[[Path, dict[str, Any]], str]
) -> tuple[Differing, ...]:
    told = ((str(claim.get("path")), difference(root, claim)) for claim in claims)
    return tuple(Differing(path=path, how=how, by_whom=_by_whom(root, path)) for path, how in told if how)


def _by_whom(root: Path, path: str) -> str:
    try:
        when, owner = last_change(root / path)
    except OSError:
        return ""
    return f"last written {when}, owner {owner}"
