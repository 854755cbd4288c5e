"""The size of the replay log against ``[rotation] replay_log_mb``. No log is an empty one."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.facts import Facts
from runbook.symptoms.s6_replay_log import LOG, THRESHOLD_MB

MEGABYTE = 1e6


def glance(facts: Facts) -> Answer:
    if facts.settings.trouble:
        return Answer(Verdict.UNKNOWN, facts.settings.trouble, facts.now)
    limit = facts.settings.number(THRESHOLD_MB)
    try:
        size = size_of_log(facts.root)
    except OSError as error:
        return Answer(Verdict.UNKNOWN, f"{LOG} cannot be looked at: {error.strerror}", facts.now)
    verdict = Verdict.DETECTED if size / MEGABYTE > limit else Verdict.CLEAR
    said = f"{LOG} has {size / MEGABYTE:,.3g} MB; the threshold is {limit:g} MB"
    return Answer(verdict, said, facts.now)


def size_of_log(root: Path) -> int:
    """Bytes; no log is an empty one. Raises OSError."""
    try:
        return (root / LOG).stat(follow_symlinks=False).st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
