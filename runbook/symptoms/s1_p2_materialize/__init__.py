"""S1.P2.materialize: the sources' lines do not become evidence, or evidence does not stand on them."""

from __future__ import annotations

from pipeline.contracts.check_index import required_of
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P2.materialize"
CHECKS = required_of("P2")
SHAPE = "source_shape"
TRANSFORM = "transform_changed"
SETTING = "settings_changed"
UNUSABLE = "unusable_lines"
EMPTY = "sources_empty"
REWRITTEN = "source_rewritten"
TOUCHED = "outputs_touched"
UNKNOWN = "unknown"
CAUSES = (
    (SHAPE, "The source's lines have another shape: names that the stream's rules read are not in them."),
    (TRANSFORM, "The code that reads lines or maps them is not what it was at the last-good tag."),
    (SETTING, "The stream's rules in distill.toml are not what they were at the last-good tag."),
    (UNUSABLE, "Rules and code are as they were; the lines themselves cannot be used."),
    (EMPTY, "No source has a line."),
    (REWRITTEN, "A source was rewritten since the last run: its evidence stands on bytes that are gone."),
    (TOUCHED, "Evidence or skips are not what the last run wrote: something else wrote to them."),
    (UNKNOWN, "Rules, code, sources and outputs are what the receipts say; none of it explains the failure."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="Source lines do not become evidence",
    what_you_see="The audit's P2 fails: a stream that has lines yields no row, lines are in neither "
    "evidence nor skips, or an evidence row does not stand on its source's bytes.",
    why="Whatever is not in evidence is neither scored nor exported, and nobody is told.",
    phases=("P2",),
    checks=CHECKS,
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema"),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Per stream: lines, skips with their reasons, names that no line has.", "distill streams check"
        ),
        ByHand("Look at a line itself.", "head -n 1 data/_kb/*.jsonl"),
        ByHand(
            "A name changed: let the stream read the new one in distill.toml, and try it.",
            "distill materialize --dry-run",
        ),
        ByHand(
            "The code changed: see what differs from the last-good tag.",
            'git diff "$TAG" -- pipeline/streams pipeline/storage distill.toml',
        ),
        ByHand("Put the file that differs back.", "distill restore pipeline/streams"),
        ByHand("Make the outputs again, and look again.", "distill run-all && distill audit-full"),
    ),
    rank=50,
)
