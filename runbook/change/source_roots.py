"""Source roots of a throw-away copy: what lies outside of a workspace lies outside of its copy, too.

``../outside`` leads elsewhere from a copy. There a link is put that leads to the real folder, which
is only read; the copy lies so deep in its throw-away folder that nothing is made outside of that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.platform.lenient_json import object_of, texts_of


def place_of_copy(top: Path, settings: Mapping[str, Any], name: str) -> Path:
    """Where in ``top`` a copy called ``name`` has to lie; the folders above it are made. Raises OSError."""
    plain = (PurePosixPath(os.path.normpath(root)) for root in _roots(settings))
    depth = max((root.parts.count("..") for root in plain), default=0)
    above = top.joinpath(*["in"] * depth)
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    return above / name


def link_source_roots(root: Path, settings: Mapping[str, Any], copy: Path, top: Path) -> None:
    """Let the relative source roots of the workspace ``root`` be found from ``copy``. Raises OSError."""
    for relative in sorted(_roots(settings), key=len):
        place, real = Path(os.path.normpath(copy / relative)), root / relative
        if place.is_relative_to(top) and not os.path.lexists(place) and real.is_dir():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.symlink_to(real.resolve())


def _roots(settings: Mapping[str, Any]) -> tuple[str, ...]:
    named = texts_of(object_of(settings, "workspace"), "source_roots")
    return tuple(root for root in named if root and "\0" not in root)
