"""S1.P1.schema: golden rows are treated as they must not be, or a fingerprint moved under its version."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P1.schema"
VERSIONS = "P1.versions-pinned"
GOLDEN = "P1.validators-hold"
SCHEMA_CHANGED = "schema_changed"
LOCK_CHANGED = "lock_changed"
ROWS_CHANGED = "golden_rows_changed"
RAISED = "version_raised"
UNKNOWN = "unknown"
CAUSES = (
    (SCHEMA_CHANGED, "A schema's code is not that of the last-good tag, and its version was not raised."),
    (LOCK_CHANGED, "The schemas are as tagged; the lock that pins them was edited, damaged or removed."),
    (ROWS_CHANGED, "Schemas and lock are as tagged; the golden rows that try them were edited."),
    (RAISED, "A version was raised on purpose, and the lock still holds the one before."),
    (UNKNOWN, "No code that could explain it differs from what was last good."),
)
COMMAND = "distill schema check"
FOLDER = "pipeline/schemas"

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="A schema changed under its version, or a validator does not hold",
    what_you_see="`distill schema check` ends with 1: a fingerprint is not the locked one, or a golden row "
    "is taken that must be refused, or the reverse.",
    why="Whatever reads these rows trusts the schema: loosened, it lets in what no reader expects, "
    "and one broken schema turns checks of every later phase red.",
    phases=("P1",),
    checks=(VERSIONS, GOLDEN),
    explained_by=("ENGINE.wont-start",),
    causes=CAUSES,
    by_hand=(
        ByHand("Which schema and field: the check names them, as they were and as they are.", COMMAND),
        ByHand("What changed since the tag, and by whom.", f'git diff "$TAG" -- {FOLDER}/'),
        ByHand("Put that file back (sft.py stands for the one named).", f"distill restore {FOLDER}/sft.py"),
        ByHand(
            "Meant? Then raise its SCHEMA_VERSION, add the step to migrations.py, and pin it.",
            "distill schema lock",
        ),
    ),
    rank=20,
)
