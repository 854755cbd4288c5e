"""Whether the recon doc is there and says anything."""

from __future__ import annotations

from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import Gone, read_bytes
from pipeline.reading.facts import Facts
from runbook.symptoms.s1_p0_recon_doc import DOC

# A longer document is not read to see whether it says anything.
_SHORT_BYTES = 64 * 1024


def glance(facts: Facts) -> Answer:
    path = facts.root / DOC
    found = read_bytes(path, most_bytes=_SHORT_BYTES)
    if isinstance(found, Gone):
        return Answer(Verdict.DETECTED, f"{DOC} is missing", facts.now)
    if isinstance(found, bytes):
        is_blank = not found.strip()
        said = "is empty" if is_blank else "is there"
        return Answer(Verdict.DETECTED if is_blank else Verdict.CLEAR, f"{DOC} {said}", facts.now)
    try:
        is_long = path.is_file() and path.stat().st_size > _SHORT_BYTES
    except OSError:
        is_long = False
    if is_long:
        return Answer(Verdict.CLEAR, f"{DOC} is there", facts.now)
    return Answer(Verdict.UNKNOWN, f"{DOC} cannot be read: {found.why}", facts.now)
