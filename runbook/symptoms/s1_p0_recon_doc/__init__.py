"""S1.P0.recon-doc: the recon doc is missing or empty."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S1.P0.recon-doc"
DOC = str(paths.RECON_DOC)
DELETED = "deleted"
NEVER_COMMITTED = "never_committed"
TAG_LACKS_IT = "tag_lacks_it"
UNKNOWN = "unknown"
CAUSES = (
    (DELETED, "The last-good tag has it: it was deleted or emptied since."),
    (NEVER_COMMITTED, "No commit ever held it."),
    (TAG_LACKS_IT, "A commit held it, but the last-good tag has none, or an empty one."),
    (UNKNOWN, "There is no history to tell it from: no repository, or no such tag."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.ERROR,
    title="The recon doc is missing or empty",
    what_you_see=f"`{DOC}` is not there, or holds nothing but white space.",
    why="Nothing documents what the sources are and why they were chosen; the audit's P0 fails.",
    phases=("P0",),
    checks=("P0.recon-doc",),
    causes=CAUSES,
    by_hand=(
        ByHand("See whether the tag holds it.", f'git ls-tree "$TAG" -- {DOC}'),
        ByHand("Put it back.", f'git cat-file blob "$TAG":{DOC} > {DOC}.new && mv {DOC}.new {DOC}'),
        ByHand("Where the tag lacks it, find the commit that had it.", f"git log --all --oneline -- {DOC}"),
    ),
    rank=10,
)
