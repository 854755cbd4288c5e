"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from pipeline.contracts.check_index import required_of
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P3.distribution"
CHECKS = required_of("P3")
NOT_SCORED = "not_scored"
TOUCHED = "verdicts_touched"
CHANGED = "scorer_changed"
THRESHOLDS = "thresholds_changed"
NO_EVIDENCE = "no_evidence"
NO_SIGNAL = "no_signal"
UNKNOWN = "unknown"
CAUSES = (
    (NOT_SCORED, "Evidence was never scored, or it changed since: the verdicts are not those of its rows."),
    (TOUCHED, "The scored runs are not what the last run wrote: something else wrote to them."),
    (CHANGED, "The scorer's rules are not what they were at the last-good tag."),
    (THRESHOLDS, "The thresholds in distill.toml are not what they were at the last-good tag."),
    (NO_EVIDENCE, "There is no evidence to score."),
    (NO_SIGNAL, "Scorer and thresholds are as they were; the evidence carries no verdict, reward or marker."),
    (UNKNOWN, "Scorer, thresholds and verdicts are what the receipts say, and the runs are as judged."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="Verdicts are missing, or no run is accepted",
    what_you_see="The audit's P3 fails: no scored run, none that is accepted, an unknown category, or "
    "evidence and verdicts that do not belong together.",
    why="Without a verdict nothing may be exported; with a wrong one the wrong rows are.",
    phases=("P3",),
    checks=CHECKS,
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S1.P2.materialize"),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Is there evidence, and is it scored?", "wc -l data/evidence/*.jsonl data/scored-runs/*.jsonl"
        ),
        ByHand("Why does a run have its verdict? Take a run id of data/evidence.", "distill explain RUN_ID"),
        ByHand(
            "Did the rules or thresholds change?",
            'git diff "$TAG" -- pipeline/stages distill.toml',
        ),
        ByHand(
            "The scorer's own tests.", "distill acceptance --check A09 --check A10 --check A11 --check A12"
        ),
        ByHand("Put the scorer back.", "distill restore pipeline/stages/score.py"),
        ByHand("Score again; the exports follow.", "distill score && distill export"),
    ),
    rank=60,
)
