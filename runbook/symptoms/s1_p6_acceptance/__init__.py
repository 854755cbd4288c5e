"""S1.P6.acceptance: an invariant fails on the fixture, and the real data are not green either."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P6.acceptance"
GATE = "P6.acceptance"
PHASE_CHANGED = "phase_changed"
SHARED_CHANGED = "shared_code_changed"
GATE_EDITED = "gate_edited"
UNKNOWN = "unknown"
CAUSES = (
    (PHASE_CHANGED, "Code of the phase that the invariant watches is not that of the last-good tag."),
    (SHARED_CHANGED, "No code of that phase differs, but code that serves all phases does."),
    (GATE_EDITED, "The gate itself was edited, or its fixture; the fixture is the contract and goes back."),
    (UNKNOWN, "No code differs from what was last good: look at the machine, its disk and its Python."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="Acceptance fails an invariant, and the audit is red as well",
    what_you_see="`distill acceptance` ends with 1 and names invariants (A01 to A22); `distill audit-full` "
    "names another required check beside P6.acceptance.",
    why="The engine does not do what it promises, neither on the fixture nor on the real data.",
    phases=("P6",),
    checks=(GATE,),
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S5.hash-mismatch"),
    causes=CAUSES,
    by_hand=(
        ByHand("All 22 invariants; the failing ones say what broke.", "distill acceptance"),
        ByHand("The report names them again, and the kept temp root.", f"cat {paths.ACCEPTANCE_REPORT}"),
        ByHand("Which phase's code changed since the tag.", 'git diff --stat "$TAG" -- pipeline/'),
        ByHand("Put that phase's files back (P3 here).", "distill restore pipeline/stages/scoring_rules.py"),
        ByHand("Ask the invariant again, alone.", "distill acceptance --check A09"),
    ),
    rank=30,
)
