"""When anything that checks judge was touched last: code, settings, sources, outputs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts import paths

_ENGINE = "pipeline"
_JUDGED = (
    paths.SETTINGS,
    paths.RECON_DOC,
    paths.KNOWLEDGE_BASE,
    paths.EVIDENCE,
    paths.SCORED_RUNS,
    paths.EXPORTS,
)


def is_touched_since(root: Path, when: float | None, *, own_engine: bool) -> bool:
    """True for an unknown time, too. ``when`` is seconds since the epoch.

    Told by inode change times, which no copy or restore can set back. ``own_engine``: the code below
    ``root`` is what runs here, so it is judged as well.
    """
    return when is None or any(touched > when for touched in _touches(root, own_engine))


def last_touch(root: Path, *, own_engine: bool) -> float:
    """The latest of them; 0 where there is nothing at all."""
    return max(_touches(root, own_engine), default=0.0)


def _touches(root: Path, own_engine: bool) -> Iterator[float]:
    for path in (*_JUDGED, *((_ENGINE,) if own_engine else ())):
        yield from _touches_below(root / path)


def _touches_below(top: Path) -> Iterator[float]:
    try:
        yield top.lstat().st_ctime
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield math.inf  # refused to us: nobody can say that it is as it was
        return
    for folder, folders, files in os.walk(top):
        folders[:] = [each for each in folders if each != "__pycache__"]
        # The audit itself appends to journals; they are not what it judges.
        for name in (*folders, *(each for each in files if each.split(".")[0] not in paths.JOURNAL_STEMS)):
            try:
                yield os.lstat(f"{folder}/{name}").st_ctime
            except OSError:
                continue
