"""Pack an incident for somebody elsewhere: journal, page, facts, and what was kept.

The pack is a tar with names and bytes alone: no owners, no times, no links.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from pipeline.platform import disk
from pipeline.reading.incidents import FACTS, HEAD, JOURNAL
from runbook.change.incident import KEPT, Incident
from runbook.wizard.incident_page import PAGE

MOST_KEPT_BYTES = 1 * 2**20


def export_incident(incident: Incident, target: Path) -> tuple[int, list[str]]:
    """Write the pack to ``target``; returns its size and the kept files that were left out as too large.

    Raises StorageError.
    """
    left_out: list[str] = []
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as pack:
        for name in (JOURNAL, HEAD, FACTS, PAGE):
            if (incident.folder / name).is_file():
                _add(pack, f"{incident.id}/{name}", (incident.folder / name).read_bytes())
        kept = incident.folder / KEPT
        for path in sorted(kept.iterdir()) if kept.is_dir() else ():
            if path.stat().st_size > MOST_KEPT_BYTES:
                left_out.append(path.name)
            else:
                _add(pack, f"{incident.id}/{KEPT}/{path.name}", path.read_bytes())
    data = buffer.getvalue()
    disk.write_file(target, data, parents=False)
    return len(data), left_out


def _add(pack: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    pack.addfile(member, io.BytesIO(data))
