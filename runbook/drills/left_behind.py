"""What a drill's workspace holds besides what it held when it was sound.

Reports are records of what was done and are left out, as is what can be made again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.reading.incidents import incident_ids
from runbook.change.incident import Incident
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import fold

_LEFT_OUT = (".git/", f"{paths.STATE}/", "reports/")
# A row written again says when: that alone is no difference.
_RECORDED_AT = re.compile(rb',"recorded_at":"[^"\n]*"\}$', re.MULTILINE)
_SET_ASIDE = re.compile(r"\.(QUARANTINED|SET-ASIDE)-")


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file by its path, of rows without the time at which they were written."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(_LEFT_OUT) or "__pycache__" in name or path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if name.endswith(".jsonl"):
            data = _RECORDED_AT.sub(b"}", data)
        found[name] = hashlib.sha256(data).hexdigest()
    return found


def left_behind(
    root: Path, sound: Mapping[str, str], planted: Mapping[str, str], uncommitted: Collection[str]
) -> list[str]:
    """One line for each file that is not as when all was well, and for each incident still open.

    A repaired file that is ``uncommitted`` counts: the last commit has the fault in it.
    """
    now = digests(root)
    lines = []
    for name in sorted({*sound, *now}):
        if sound.get(name) != now.get(name):
            lines.append(
                f"{name}: {_what_became_of(name, sound.get(name), planted.get(name), now.get(name))}"
            )
        elif name in uncommitted:
            lines.append(f"{name}: as it was, and not committed")
    return lines + _open_incidents(root)


def _what_became_of(name: str, sound: str | None, planted: str | None, now: str | None) -> str:
    if _SET_ASIDE.search(name):
        return "set aside; remove it when nobody needs it any more"
    if now == planted:
        return "still as the drill left it"
    if now is None:
        return "gone"
    return "new" if sound is None else "neither as it was nor as the drill left it"


def _open_incidents(root: Path) -> list[str]:
    lines = []
    for incident_id in incident_ids(root):
        try:
            state = fold(Incident(root, incident_id).journal.entries()).state
        except OperatorError as error:
            lines.append(f"incident {incident_id}: {error.fault.what_happened}")
            continue
        if state not in wizard.OVER:
            lines.append(f"incident {incident_id}: {state}, not closed")
    return lines
