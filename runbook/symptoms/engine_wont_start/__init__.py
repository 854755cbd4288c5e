"""ENGINE.wont-start: the engine ends before it can say anything."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "ENGINE.wont-start"
CHANGED = "code_changed"
SETTINGS_REFUSED = "settings_refused"
UNKNOWN = "unknown"
CAUSES = (
    (CHANGED, "The workspace's own engine fails in its code, and that code differs from the last-good tag."),
    (SETTINGS_REFUSED, "The engine refuses the settings: a key or a value of distill.toml is wrong."),
    (
        UNKNOWN,
        "No code of the workspace explains it; an installed engine is repaired by installing it again.",
    ),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.CRITICAL,
    title="The engine does not start",
    what_you_see="Engine commands end at once with an error of Python, and `distill doctor` names a file of "
    "the engine that does not load; or they end with 2 and name a line of `distill.toml`.",
    why="No command of the pipeline can run, check or repair anything.",
    phases=(),
    checks=(),
    causes=CAUSES,
    by_hand=(
        ByHand("Every module is imported; the first broken file is named.", "distill doctor"),
        ByHand(
            "Where the settings are refused: it names line, key and reason. Correct them.",
            "distill config show",
        ),
        ByHand("Or see what was edited since, and take that back.", 'git diff "$TAG" -- distill.toml'),
        ByHand("If the doctor itself fails, read the last lines.", "distill config --help"),
        ByHand(
            "Where the workspace runs its own engine, put that file back.", "distill restore pipeline/FILE"
        ),
        ByHand('Run the installed engine until then: set [engine] source = "installed" in distill.toml.'),
    ),
    rank=20,
)
