"""S6.replay-log: the replay log has grown past its threshold."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition, Threshold

ID = "S6.replay-log"
LOG = str(paths.REPLAY_RUNS)
THRESHOLD_MB = Threshold("rotation", "replay_log_mb", 100.0)
GROWN = "grown"
UNKNOWN = "unknown"
CAUSES = (
    (GROWN, "Replays were logged one after the other, and the log was not rotated in time."),
    (UNKNOWN, "Its rows do not say when they were logged, so they may not be replays at all."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.WARNING,
    title="The replay log is large",
    what_you_see=f"`{LOG}` is over `[rotation] replay_log_mb` ({THRESHOLD_MB.default:g} MB unless set).",
    why="It grows with every replay until the disk is full, and then nothing can be written at all.",
    phases=("P7",),
    checks=(),
    causes=CAUSES,
    by_hand=(
        ByHand(
            "Rotate it: moved, packed, the pack read back and compared.", "distill rotate-replay-log --force"
        ),
        ByHand(
            "Without the engine: move it while no replay runs; the next one starts a fresh log.",
            f"mv -n {LOG} data/_kb/replay_runs.archive.$(date +%s).jsonl",
        ),
    ),
    rank=20,
    thresholds=(THRESHOLD_MB,),
)
