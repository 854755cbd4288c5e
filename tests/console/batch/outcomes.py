"""Batches as they may end, made without running anything."""

from __future__ import annotations

from typing import Any

from console.batch.outcome import BatchOutcome, PartOutcome, PartState, Symptom
from console.batch.parts import BY_DEFAULT, Part
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow, DriftStatus, Example

STARTED = 1_777_269_600.0
# Everything that a terminal, XML 1.0, Markdown, a label or an annotation must not get raw.
HOSTILE = 'a\x00\x1b[2Jb\x07‮\ud800￾<script>&"\\]]>|`*%\r\n::error::x##[endgroup]'


def check(
    check_id: str = "P2.conserves",
    status: CheckStatus = CheckStatus.PASS,
    *,
    required: bool = True,
    detail: str = "",
    examples: tuple[Example, ...] = (),
) -> CheckResult:
    return CheckResult(
        id=check_id,
        phase="P6" if check_id.startswith("A") else check_id.partition(".")[0],
        required=required,
        status=status,
        examined=0 if status is CheckStatus.NOT_EVALUATED else 3,
        failed=1 if status is CheckStatus.FAIL else 0,
        threshold="0 failed",
        observed="1 failed" if status is CheckStatus.FAIL else "0 failed",
        detail=detail,
        examples=examples,
        reproduce=f"distill audit-full --check {check_id}",
        elapsed_seconds=0.25,
    )


def drift(status: DriftStatus = DriftStatus.SAME, metric: str = "evidence_rows") -> DriftRow:
    return DriftRow(
        metric=metric, phase="P2", baseline=100.0, current=50.0, delta_ratio=-0.5, z=4.2, status=status
    )


def part(name: Part, exit_code: int | None = 0, **more: Any) -> PartOutcome:
    state = PartState.RAN if exit_code is not None else PartState.SKIPPED
    return PartOutcome(name, more.pop("state", state), exit_code, more.pop("elapsed_seconds", 1.5), **more)


def batch(*changed: PartOutcome, **more: Any) -> BatchOutcome:
    """All parts as they usually run, well, but for those that are given."""
    known = {one.part: one for one in changed}
    parts = [known.pop(name, part(name)) for name in BY_DEFAULT if name not in more.get("without", ())]
    more.pop("without", None)
    return BatchOutcome(
        "20260427T060000Z-9f31", "/work space/one", STARTED, STARTED + 41.2, (*parts, *known.values()), **more
    )


def breach(**more: Any) -> BatchOutcome:
    """A forbidden row that the firewall found, and everything that turns red with it."""
    row = {"wall": "lineage", "file": "exports/sft/train.jsonl", "line": 4}
    example = Example(file="exports/sft/train.jsonl", line=4)
    return batch(
        part(Part.FIREWALL, 10, detail="1 forbidden row: lineage line 4", report={"findings": [row]}),
        part(Part.AUDIT, 10, checks=(check("P4.sft-firewall", CheckStatus.FAIL, examples=(example,)),)),
        part(Part.SYMPTOMS, 1, symptoms=(Symptom("S1.P4.sft-leak", "critical", "a row", "distill runbook"),)),
        **more,
    )


def hostile_batch() -> BatchOutcome:
    """Every text that a part may hand over is hostile."""
    examples = (Example(file=HOSTILE, line=3, run_id=HOSTILE, text=HOSTILE),)
    return batch(
        part(
            Part.AUDIT,
            1,
            said=HOSTILE,
            detail=HOSTILE,
            warnings=(HOSTILE,),
            checks=(check("P2.provenance", CheckStatus.FAIL, detail=HOSTILE, examples=examples),),
            drift=(drift(DriftStatus.WARN, metric=HOSTILE),),
        ),
        part(Part.SYMPTOMS, 1, symptoms=(Symptom(HOSTILE, "error", HOSTILE, HOSTILE),)),
    )
