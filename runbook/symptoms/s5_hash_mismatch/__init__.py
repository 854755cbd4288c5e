"""S5.hash-mismatch: the same input gives other rows. A trained model can then never be accounted for."""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S5.hash-mismatch"
CHANGED = "code_changed"
UNKNOWN = "unknown"
CAUSES = (
    ("clock", "Code that makes rows reads a clock."),
    ("random", "Code that makes rows draws random numbers."),
    ("uuid", "Code that makes rows invents an id (uuid) instead of deriving it."),
    ("set_order", "Rows follow the order of a set, which another hash seed makes another one."),
    ("listing_order", "Rows follow the order in which a file system lists its files."),
    ("hash_seed", "Rows hold what hash() or id() gives, which differs from process to process."),
    ("machine", "Rows hold something of the machine or the process: its name, number, environment."),
    (
        "concurrent_writers",
        "Several threads or processes write at once, and whoever is first differs.",
    ),
    (CHANGED, "Code changed since the last-good tag, and nothing in its syntax tree says why."),
    (UNKNOWN, "No code differs from the last-good tag, or the code could not be examined."),
)
COMMAND = "distill determinism"

DEFINITION = Definition(
    id=ID,
    severity=Severity.CRITICAL,
    title="Two runs on the same input differ",
    what_you_see="`distill determinism` ends with 1 and names the first stage and row that differ.",
    why="Nothing that was trained on these rows can be traced or made again, and no audit can tell a "
    "change of data from chance.",
    phases=("P2", "P3", "P4"),
    checks=(),
    live=False,
    explained_by=("ENGINE.wont-start",),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "From scratch several ways, with one clock value for all; it names stage, row, field.", COMMAND
        ),
        ByHand("What changed in the stages since the tag.", 'git diff "$TAG" -- pipeline/stages/'),
        ByHand(
            "The usual suspects.",
            r"grep -rnE 'time\.|now\(|random|uuid|hash\(|listdir|set\(' pipeline/stages pipeline/engine",
        ),
        ByHand(
            "Which commit: try each in a clone of its own, never here. 0 is good, 1 is bad.",
            "git clone . /tmp/bisect && cp -rn data /tmp/bisect/ && cd /tmp/bisect && "
            'git bisect start HEAD "$TAG" && git bisect run distill determinism -C . --runs 2',
        ),
        ByHand("Put that file back (score.py here).", "distill restore pipeline/stages/score.py"),
    ),
    rank=30,
)
