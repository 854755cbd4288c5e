"""S1.P0.source-missing: a stream that the pipeline is fed by has no rows."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P0.source-missing"
MOVED = "moved"
ROTATED = "rotated_away"
WRONG_PATH = "wrong_path"
EMPTIED = "emptied"
FRESH_CLONE = "fresh_clone"
GONE = "gone"
UNKNOWN = "unknown"
CAUSES = (
    (MOVED, "The file is there under another name: it was renamed or moved since a run read it."),
    (ROTATED, "The log was rotated: what a run read lies in an archive, and no new line came since."),
    (WRONG_PATH, "The stream's path finds nothing, and a file with a similar name is there."),
    (EMPTIED, "The file is there and holds nothing, though a run once read rows of it."),
    (FRESH_CLONE, "No run ever read rows here, and no source file is there: a fresh clone, say."),
    (GONE, "A run once read rows of it, and no file of the workspace holds them any more."),
    (UNKNOWN, "No run ever read rows of it, and nothing with a similar name is there."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.INFO,
    title="A source stream has no rows",
    what_you_see="A stream with `tier = 1` finds no file with a byte in it; the audit's "
    "`P0.source-STREAM` warns.",
    why="The pipeline goes on with less data, and no error says so.",
    phases=("P0",),
    checks=(),
    causes=CAUSES,
    by_hand=(
        ByHand("See which files each stream finds.", "distill streams check"),
        ByHand("Look for the file under another name, or in an archive.", "ls -la data/_kb/"),
        ByHand("See what the last runs read.", "distill runs"),
        ByHand(
            "Correct `path` of the stream in distill.toml, try it, and run.",
            "distill streams check && distill run-all",
        ),
        ByHand(
            f"Or accept it: append a line with stream, note, by and at to {paths.SOURCE_NOTES}. "
            "The next audit quotes it."
        ),
    ),
    rank=10,
)
