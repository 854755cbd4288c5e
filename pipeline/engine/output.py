"""What is known of one output file of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """One output file of a run. ``staged`` is None when the standing file was kept as it is."""

    relative: str
    staged: str | None
    bytes: int
    rows: int
    sha256: str
    rows_digest: str
