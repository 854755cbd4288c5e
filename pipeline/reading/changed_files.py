"""Whether the files that a receipt vouches for are still those files, told cheaply.

Size and time decide where they can. A file of the same size that was touched since (a copied
workspace, a checkout) is hashed while the round's budget lasts; beyond it the file counts as
*not compared*, which is neither changed nor unchanged.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.platform import disk
from pipeline.platform.lenient_json import Json, count_of, inside, text_of
from pipeline.reading import reach

HASH_BYTES_PER_ROUND = 32 * 1024 * 1024
# File systems with coarse clocks stamp a write up to this long after the commit that ordered it.
TOUCH_SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """``touched_at`` is when each file that is there was last touched, in seconds since the epoch.

    What the system does not let us look at is ``out_of_reach``, which is no change of it.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    out_of_reach: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    touched_at: Mapping[str, float] = field(default_factory=dict)


@dataclass
class ChangeDetector:
    """Remembers digests by size and mtime, so that a quiet workspace is only ever stat-ed."""

    root: Path
    _digests: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    _budget: int = HASH_BYTES_PER_ROUND

    def start_round(self) -> None:
        self._budget = HASH_BYTES_PER_ROUND

    def compare(self, claims: Iterable[Json], since: float | None) -> Comparison:
        """Files of ``claims`` against the disk. ``since`` is when the claims were true."""
        changed: list[str] = []
        missing: list[str] = []
        out_of_reach: list[str] = []
        not_compared: list[str] = []
        touched_at: dict[str, float] = {}
        for claim in claims:
            relative = inside(claim.get("path"))
            if relative is None:
                continue
            name = str(relative)
            try:
                found = (self.root / relative).stat()
            except OSError as error:
                (missing if error.errno in reach.GONE else out_of_reach).append(name)
                continue
            touched_at[name] = max(found.st_mtime, found.st_ctime)
            if not stat.S_ISREG(found.st_mode) or found.st_size != count_of(claim, "bytes"):
                changed.append(name)
            elif since is None or found.st_mtime > since + TOUCH_SLACK_SECONDS:
                digest = self._digest(name, found)
                if digest is None:
                    not_compared.append(name)
                elif digest != text_of(claim, "sha256"):
                    changed.append(name)
        return Comparison(
            tuple(changed), tuple(missing), tuple(out_of_reach), tuple(not_compared), touched_at
        )

    def touched_at(self, relative: str) -> float | None:
        """When a file, or for one that is gone its folder, was last touched; None when neither is there.

        The inode's own time counts too: a copy that keeps the old time is no old file.
        """
        path = self.root / relative
        for place in (path, path.parent):
            try:
                found = place.stat()
            except OSError:
                continue
            return max(found.st_mtime, found.st_ctime)
        return None

    def _digest(self, name: str, found: os.stat_result) -> str | None:
        known = self._digests.get(name)
        if known is not None and known[:2] == (found.st_size, found.st_mtime_ns):
            return known[2]
        if found.st_size > self._budget:
            return None
        self._budget -= found.st_size
        try:
            with disk.open_to_read(self.root / name) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        self._digests[name] = (found.st_size, found.st_mtime_ns, digest)
        return digest
