"""S1.P4.sft-leak: the firewall finds a forbidden row in a training file."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import TAG, ByHand, Definition

ID = "S1.P4.sft-leak"
STALE = "stale_export"
OTHER_WRITER = "other_writer"
WALLS = "walls_loosened"
SETS = "sets_changed"
UNKNOWN = "unknown"
CAUSES = (
    (STALE, "The export is just what a run wrote, and its runs were scored again since."),
    (OTHER_WRITER, "The file is not what any receipt accounts for: something else wrote to it."),
    (WALLS, "The export is just what a run wrote, and the schema or the exporter was changed since the tag."),
    (SETS, "The export is just what a run wrote, and evaluation sets were declared or changed since."),
    (UNKNOWN, "None of these is so; what let the rows through is not known."),
)
SFT = str(paths.SFT_EXPORT)
EXPORTS = tuple(map(str, paths.EXPORT_FILES.values()))
# The walls that the engine's own code holds, and what each is called.
OWN_WALLS = {
    "pipeline/schemas/sft.py": "the schema's type",
    "pipeline/schemas/parts.py": "the schema's type",
    "pipeline/schemas/written.py": "the schema's type, of the written bytes",
    "pipeline/stages/export_sft.py": "the exporter's never-list",
    "pipeline/engine/row_builder.py": "the schema's call",
    "pipeline/engine/reduce.py": "the conflict guard",
    "pipeline/engine/emit_export.py": "the conflict guard",
    "pipeline/evaluation/overlap.py": "the evaluation sets",
    "pipeline/evaluation/sets.py": "the evaluation sets",
    "pipeline/evaluation/tokens.py": "the evaluation sets",
    "pipeline/engine/staged_exports.py": "the scan before the commit",
    "pipeline/platform/firewall.py": "how the firewall is asked",
}

DEFINITION = Definition(
    id=ID,
    severity=Severity.CRITICAL,
    title="A forbidden row is in an export file",
    what_you_see="The firewall says BREACH and `distill firewall` ends with 10.",
    why="A rejected or unjudged run, or an item of a test set, would be used for training.",
    phases=("P4",),
    checks=("P4.sft-firewall",),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Move the export away, so that nothing reads it, and each other file that the firewall names. "
            "Nothing is overwritten, nothing is lost.",
            f'mv -n {SFT} "{SFT}.QUARANTINED-$(date +%s)"',
        ),
        ByHand(
            "The forbidden rows are in the file that was just renamed. By label only some are found; "
            "the firewall, given the file by name, finds all of them.",
            'jq -c \'select(.quality_score != "accepted" and .quality_score != "partially_accepted") '
            f"| [.id, .source_run_id, .quality_score]' {SFT}.QUARANTINED-*",
        ),
        ByHand(
            "Stop whatever trains on it, and look for files in exports/formatted/ that were built from it."
        ),
        ByHand(
            "See whether a wall was loosened: the schema's type, the exporter's never-list, the scan.",
            f"git diff {TAG} -- {' '.join(OWN_WALLS)}",
        ),
        ByHand("Export again from the verdicts and evaluation sets as they are now.", "distill export"),
        ByHand(
            "Check again. Exit code 0 is clear; 10 is a finding, 5 is no file.",
            "distill firewall && echo clear",
        ),
    ),
    rank=10,
)
