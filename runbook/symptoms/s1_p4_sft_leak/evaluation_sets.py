"""Which evaluation sets an export's run looked for, and which are declared now."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_in, objects_of, text_of, texts_of
from runbook.case import Case
from runbook.change.files import state_of
from runbook.probes.evidence import Evidence, Stance
from runbook.symptoms.claims import read_json
from runbook.symptoms.receipt_claims import PROBE

_REPORT = str(paths.DECONTAMINATION)
_MOST_REPORT_BYTES = 64 * 2**20


def sets_of(root: Path, receipt: str | None) -> dict[str, JsonValue]:
    """``sets_looked_for`` by the run of the receipt (None: not known), ``sets_declared`` in the settings."""
    looked_for: list[JsonValue] | None = None
    if receipt is not None:
        claims = objects_of(read_json(root, receipt), "outputs")
        claim = next((each for each in claims if text_of(each, "path") == _REPORT), None)
        if claim is None:
            looked_for = []  # a run writes its report where it looks for sets
        elif state_of(root, _REPORT).sha256 == claim.get("sha256"):
            report = object_in(root / _REPORT, most_bytes=_MOST_REPORT_BYTES) or {}
            looked_for = [text_of(each, "name") or "" for each in objects_of(report, "sets")]
    return {"sets_looked_for": looked_for, "sets_declared": [*_declared(root)]}


def _declared(root: Path) -> list[str]:
    try:
        settings = tomllib.loads(disk.read_plain(root / paths.SETTINGS).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
    return [text_of(each, "name") or "" for each in objects_of(settings, "evaluation")]


def new_sets(seen: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Declared sets that the run is known not to have looked for."""
    if not isinstance(seen.get("sets_looked_for"), list):
        return ()
    looked_for = texts_of(seen, "sets_looked_for")
    return tuple(name for name in texts_of(seen, "sets_declared") if name not in looked_for)


def sets_evidence(case: Case, seen: Mapping[str, JsonValue], source: str) -> Evidence:
    """What speaks for sets that were declared or changed after the export."""
    declared = ", ".join(texts_of(seen, "sets_declared")) or "none"
    if not isinstance(seen.get("sets_looked_for"), list):
        says = "Which evaluation sets the run looked for is not known."
        return case.fact(Stance.UNKNOWN, says, source, by=PROBE)
    looked_for = ", ".join(texts_of(seen, "sets_looked_for")) or "none"
    says = f"The run looked for evaluation sets: {looked_for}. Declared now: {declared}."
    stance = Stance.FOR if new_sets(seen) else Stance.AGAINST if declared == "none" else Stance.UNKNOWN
    return case.fact(stance, says, source, by=PROBE)
