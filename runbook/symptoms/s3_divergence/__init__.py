"""S3.divergence: acceptance is red while the real data are green: the fixture sees what they hide."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition
from runbook.symptoms.s1_p6_acceptance import CAUSES, GATE

DIVERGENCE = "S3.divergence"
ID = DIVERGENCE
FIXTURE = "pipeline/acceptance/fixture"
EXPECTED = f"{FIXTURE}/expected.json"

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="Acceptance fails, and the audit of the real data does not",
    what_you_see="`distill acceptance` ends with 1 while every other required check of `distill audit-full` "
    "passes.",
    why="An assumption is broken that the data of today happen not to touch; those of tomorrow may.",
    phases=("P6",),
    checks=(GATE,),
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S5.hash-mismatch"),
    causes=CAUSES,
    by_hand=(
        ByHand("Which invariant, and where its temp root is kept.", "distill acceptance --keep"),
        ByHand(
            "What the pipeline made of the fixture.",
            'ls -la "${TMPDIR:-/tmp}"/distillation_phase6_acceptance.*/data/evidence',
        ),
        ByHand("What it should have made of it.", f"cat {EXPECTED}"),
        ByHand("What changed since the tag, the fixture included.", 'git diff "$TAG" -- pipeline/'),
        ByHand("Put the phase's file back (P4 here).", "distill restore pipeline/stages/export_sft.py"),
        ByHand(
            "The fixture is the contract: if it was edited, put it back as well.",
            f"distill restore {FIXTURE}",
        ),
    ),
    rank=40,
)
