"""SIGKILL at random moments: whole files each time, and the next try ends where an undisturbed one does."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from tests.faults.trial import Running, Subject, copied, unfinished, what_is_wrong

_TRIES = 20


def kill_trial(subject: Subject, number: int, seed: int, folder: Path) -> tuple[str, list[str]]:
    """When it was killed, empty where the command was quicker each time; and what that broke."""
    moments = random.Random(f"{seed} {subject.name} {number}")  # noqa: S311 - to be repeated is the point
    longest = subject.seconds
    for _ in range(_TRIES):
        root = copied(subject.start, folder / "trial")
        moment = moments.uniform(0.0, longest)
        running = Running(subject.argv, root, folder / "output")
        if running.wait(moment) is not None:
            longest *= 0.8
            continue
        running.kill()
        ended = running.wait()
        if ended is None or ended.code != -signal.SIGKILL:
            continue
        wrong = what_is_wrong(subject, root, ended, folder / "settled", killed=True)
        return f"after {moment:.3f} s", wrong + unfinished(subject, root, folder / "output")
    return "", []
