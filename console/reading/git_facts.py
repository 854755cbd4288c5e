"""Branch, head, dirty and last-good tag, as the console shows them. An answer that is late is "not known"."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.status import GitStatus, Origin
from pipeline.platform.git import GitError, is_repository, look_up, read_git_state
from pipeline.reading import staleness

GIT_SECONDS = 2.0
CACHE_SECONDS = 5.0


class GitReader:
    """Answers are kept for some seconds: a dashboard asks more often than a tree changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: GitStatus | None = None
        self._asked_for = ""

    def read(self, last_good_tag: str, now: float) -> GitStatus:
        known = self._known
        if known is not None and self._asked_for == last_good_tag:
            age = staleness.age_seconds(known.origin.as_of, now)
            if age is not None and age <= CACHE_SECONDS:
                return known
        self._known, self._asked_for = read_git(self._root, last_good_tag, now), last_good_tag
        return self._known


def read_git(root: Path, last_good_tag: str, now: float) -> GitStatus:
    """What git says of the workspace. Never raises; what it could not tell is None with a note."""
    origin = Origin("live", now, staleness.of_live(now, now))
    state = read_git_state(root, limit_seconds=GIT_SECONDS)
    if state.problem:
        return GitStatus(is_repository(root), last_good_tag=last_good_tag, origin=origin, note=state.problem)
    tag, note, lacks_tag = None, "", False
    try:
        if last_good_tag:
            tag = look_up(root, f"refs/tags/{last_good_tag}", limit_seconds=GIT_SECONDS)
            lacks_tag = tag is None
            note = f"no tag {last_good_tag}" if lacks_tag else ""
    except GitError as error:
        note = str(error)
    return GitStatus(True, state.branch, state.head, state.dirty, last_good_tag, tag, origin, note, lacks_tag)
