"""LAST.nuclear: nothing else worked."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "LAST.nuclear"
DIFFERS = "differs_from_tag"
AS_TAGGED = "as_tagged"
UNKNOWN = "unknown"
CAUSES = (
    (DIFFERS, "The workspace is not what the last-good tag holds; the difference, by phase, is the bug."),
    (AS_TAGGED, "Nothing that git holds differs from the tag: the fault is in data, machine or tag."),
    (UNKNOWN, "There is no repository, or no such tag, to hold the workspace to."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.CRITICAL,
    title="Nothing else worked",
    what_you_see="A repair was applied, its symptom is still detected, and no incident of it is open; or "
    "checks fail in three or more phases, and code or documents of as many differ from the last-good tag.",
    why="Repairing consequences one by one makes a state that nobody knows. The tag is a state that was "
    "proven, and the difference to it is a bug that can be read.",
    phases=("P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"),
    checks=(),
    live=False,
    explained_by=("ENGINE.wont-start",),
    causes=CAUSES,
    by_hand=(
        ByHand("Fetch the tags: is the tag here, and the same at the remote?", "git fetch --tags"),
        ByHand("Keep what is not committed.", "git -c core.hooksPath=/dev/null stash --include-untracked"),
        ByHand(
            "Everything as it was when it was last good.",
            'git -c core.hooksPath=/dev/null checkout "$TAG"',
        ),
        ByHand("Run, then prove it: 22 of 22.", "distill run-all && distill acceptance"),
        ByHand("And 16 of 16.", "distill audit-full"),
        ByHand(
            "The difference to where you were is the bug (BRANCH is where you were).",
            'git diff "$TAG"..BRANCH -- pipeline/',
        ),
        ByHand(
            "Back to where you were.",
            "git -c core.hooksPath=/dev/null checkout BRANCH && git stash pop",
        ),
    ),
    rank=40,
)
