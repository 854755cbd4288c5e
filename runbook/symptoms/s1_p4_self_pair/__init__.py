"""S1.P4.self-pair: an export holds what its own rules forbid; first of all a pair of a run with itself."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.check_index import required_of
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P4.self-pair"
PAIRS = str(paths.PREFERENCE_EXPORT)
CHECKS = required_of("P4")
GUARD = "guard_gone"
OTHER_WRITER = "other_writer"
STALE = "stale_export"
MISSING = "missing"
UNKNOWN = "unknown"
CAUSES = (
    (GUARD, "The file is just what a run wrote, and the code that should have refused it was changed."),
    (OTHER_WRITER, "The file is not what any receipt accounts for: something else wrote to it."),
    (STALE, "The file is just what a run wrote, and its evidence or verdicts were changed since."),
    (MISSING, "The file is not there at all."),
    (UNKNOWN, "The file is what a run wrote, and no code that could explain it differs."),
)
REPRODUCE = "distill audit-full --check P4.preference-pairs"

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="A pair of a run with itself, or another row that no export may hold",
    what_you_see=f"A pair in `{PAIRS}` has one run or one text on both sides; or the audit's P4 names rows "
    "that do not validate, or runs that are in neither export nor quarantine.",
    why="A model learns from a pair what to prefer; a pair that says nothing, or the wrong thing, teaches "
    "that. Rows that are in no file were lost without a reason.",
    phases=("P4",),
    checks=CHECKS,
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema"),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Which pairs: the guard's own question, asked of the file.",
            f"jq -c 'select(.chosen_run_id == .rejected_run_id) | .id' {PAIRS}",
        ),
        ByHand("Move the file away, so that nothing reads it.", f"distill quarantine {PAIRS}"),
        ByHand(
            "What changed where pairs are made: the equality guards must remain.",
            'git diff "$TAG" -- pipeline/stages/export_preference.py pipeline/stages/pairing.py',
        ),
        ByHand("Put that code back.", "distill restore pipeline/stages/export_preference.py"),
        ByHand("Export again, all three: each receipt then holds what stands.", "distill export"),
        ByHand("Check again.", REPRODUCE),
    ),
    rank=70,
)
