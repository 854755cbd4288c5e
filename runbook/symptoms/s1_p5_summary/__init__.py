"""S1.P5.summary: the last run's summary is no summary, or its receipts are not what lies on the disk."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P5.summary"
SUMMARY, RECEIPTS = "P5.summary-valid", "P5.receipts-match"
FILE = "file_changed"
HARNESS = "harness_changed"
SETTINGS = "settings_changed"
SOURCES = "source_changed"
STAGE_ALONE = "stage_alone"
UNKNOWN = "unknown"
CAUSES = (
    (FILE, "A summary, receipt or output was changed after the run: it is not what pins it says."),
    (HARNESS, "The files are as the run wrote them, and the code that writes or checks them was changed."),
    (SETTINGS, "Settings that touch rows were changed since the run; outputs and claims are the run's."),
    (SOURCES, "A source no longer begins with the bytes that the run read."),
    (STAGE_ALONE, "A stage was exported alone over files that were not as claimed; its receipt has gaps."),
    (UNKNOWN, "Every file is what pins it, and no code that could explain it differs."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="The last run's summary or receipts do not hold",
    what_you_see="The audit's P5 is red: the summary does not validate, or a digest, a count or the run_hash "
    "is not what the files on the disk give.",
    why="Receipts are what says which run made which bytes from which sources. Where they do not hold, "
    "nobody can say what the exports are.",
    phases=("P5",),
    checks=(SUMMARY, RECEIPTS),
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S1.P4.sft-leak", "S1.P4.self-pair"),
    causes=CAUSES,
    by_hand=(
        ByHand("Which field, file or count: the checks name it.", f"distill audit-full --check {SUMMARY}"),
        ByHand("And which claim of which receipt.", f"distill audit-full --check {RECEIPTS}"),
        ByHand(
            "Was the summary changed after the run? Compare its digest with that of the last event.",
            f"LATEST=$(ls -1dt {paths.REPORTS}/*/summary.json | head -1); "
            'sha256sum "$LATEST"; tail -n 1 "$(dirname "$LATEST")/events.jsonl"',
        ),
        ByHand("Did the harness change?", 'git diff "$TAG" -- pipeline/engine/ pipeline/schemas/'),
        ByHand("Put that file back.", "distill restore pipeline/engine/receipts.py"),
        ByHand("Set a bad summary aside.", 'mv -n "$LATEST" "$LATEST.SET-ASIDE-$(date +%s)"'),
        ByHand("Run again: what is not as claimed is replaced.", "distill run-all"),
    ),
    rank=80,
)
