"""Which paths a stream may read: below the workspace, or below one of its ``source_roots``.

The check is made on the written pattern and again on what the file system makes of it, since
a link can lead out of a directory that looks harmless. Files that a glob finds later are
checked one by one with ``is_inside``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.settings.model import Settings

_WILDCARD = re.compile(r"[*?\[]")
# What the pipeline writes itself. A stream that read it would feed on its own output.
OUTPUTS = (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS, PurePosixPath("reports"), paths.STATE)


def resolved(path: Path) -> Path:
    """``path`` with its links followed. Raises OSError where that cannot be told."""
    try:
        return path.resolve()
    except (RuntimeError, ValueError) as cause:
        raise OSError(f"{path}: {cause}") from cause


def source_roots(workspace: Path, settings: Settings) -> tuple[Path, ...]:
    """The directories outside the workspace that streams may read. They need not exist now."""
    return tuple(resolved(workspace / root) for root in settings.workspace.source_roots)


def is_inside(path: Path, workspace: Path, roots: Sequence[Path]) -> bool:
    """Whether ``path``, its links followed, lies in the workspace or in one of ``roots``."""
    try:
        real = resolved(path)
    except OSError:
        return False
    return any(real.is_relative_to(root) for root in (resolved(workspace), *roots))


def root_complaint(workspace: Path, root: str) -> str | None:
    """Why ``root`` cannot be one of ``source_roots``, or None."""
    try:
        real = resolved(workspace / root)
    except OSError:
        return "cannot be resolved"
    if resolved(workspace).is_relative_to(real):
        return "contains the workspace itself, so that no path would be outside"
    return None


def pattern_complaint(workspace: Path, roots: Sequence[Path], pattern: str) -> str | None:
    """Why a stream may not read ``pattern``, or None."""
    written = PurePosixPath(pattern)
    literal = literal_part(written)
    if ".." in written.parts[len(literal.parts) :]:
        return 'has ".." after a wildcard'
    # normpath, not resolve: the first question is what the text says, links aside.
    lexical = Path(os.path.normpath(workspace / literal))
    allowed = (workspace, *roots)
    if not any(lexical.is_relative_to(root) for root in allowed):
        return "leaves the workspace and is in none of its source_roots"
    if not is_inside(workspace / literal, workspace, roots):
        return "leaves the workspace through a link"
    for output in OUTPUTS:
        if lexical.is_relative_to(workspace / output):
            return f"is in {output}/, which the pipeline writes itself"
    return None


def literal_part(pattern: PurePosixPath) -> PurePosixPath:
    """The leading parts of ``pattern`` that hold no wildcard."""
    literal = []
    for part in pattern.parts:
        if _WILDCARD.search(part):
            break
        literal.append(part)
    return PurePosixPath(*literal)
