"""S4.empty-exports: run-all came out empty or far smaller, or would have and was refused."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S4.empty-exports"
NO_LINES = "no_lines"
NO_EVIDENCE = "no_evidence"
NONE_ALLOWED = "none_allowed"
NONE_EXPORTED = "none_exported"
FEWER_LINES = "fewer_lines"
FEWER_EVIDENCE = "fewer_evidence"
FEWER_ALLOWED = "fewer_allowed"
FEWER_EXPORTED = "fewer_exported"
OVER = "over"
FAILS = "run_fails"
CAUSES = (
    (NO_LINES, "The first zero is the sources (P0): what used to fill the export has no lines."),
    (NO_EVIDENCE, "The first zero is evidence (P2): there are lines, and no row is made of them."),
    (NONE_ALLOWED, "The first zero is the verdicts (P3): there is evidence, and none of it may be exported."),
    (NONE_EXPORTED, "The first zero is the exporter (P4): rows are accepted, and all of them are refused."),
    (FEWER_LINES, "The export shrinks at the sources (P0): there are fewer lines than before."),
    (FEWER_EVIDENCE, "The export shrinks at evidence (P2): of the lines, fewer become evidence than before."),
    (
        FEWER_ALLOWED,
        "The export shrinks at the verdicts (P3): of the evidence, less may be exported than before.",
    ),
    (
        FEWER_EXPORTED,
        "The export shrinks at the exporter (P4): of the accepted rows, more are refused than before.",
    ),
    (OVER, "Nothing is lost any more: the same run, tried in a copy, fills the export."),
    (FAILS, "The same run, tried in a copy, does not come to its end."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="A run came out empty",
    what_you_see="`distill run-all` ends with 1 and says that an export would become empty, or that it would "
    "shrink by more than `[export] max_shrink`; or it was allowed to (`--allow-empty`) and an export that "
    "had rows has none.",
    why="The last-good exports still stand after a refusal, and they grow old; nothing new gets through.",
    phases=("P4",),
    checks=(),
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S1.P2.materialize", "S1.P3.distribution"),
    causes=CAUSES,
    by_hand=(
        ByHand("Are there source lines, and does any become evidence?", "distill streams check"),
        ByHand("Are rows materialised, and scored?", "wc -l data/evidence/*.jsonl data/scored-runs/*.jsonl"),
        ByHand(
            "Why were lines skipped?",
            "jq -r .reason data/_kb/distillation_skips.jsonl | sort | uniq -c",
        ),
        ByHand("Why were rows refused?", "jq -r .reason exports/quarantine/sft.jsonl | sort | uniq -c"),
        ByHand(
            "The first count that is zero, or far smaller than before, names the phase: go to its page. "
            "Then run again.",
            "distill run-all",
        ),
        ByHand("If the smaller export is what is meant, once:", "distill run-all --allow-shrink"),
    ),
    rank=100,
)
