"""S1.P4.sft-leak: the firewall finds a forbidden row in the SFT export.

Contained first, understood afterwards: quarantine stands before any diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Answer, FirewallWord, Verdict
from pipeline.reading.firewall_words import status_of
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.probes.code_history import PROBE as CODE
from runbook.probes.code_history import ChangedFile, code_probe, read_code
from runbook.probes.evidence import (
    Cause,
    Confidence,
    Detection,
    Diagnosis,
    Evidence,
    ProbeOutput,
    Stance,
    detection_from,
)
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms.code_evidence import named, restoring, to_restore
from runbook.symptoms.s1_p4_sft_leak.define import (
    CAUSES,
    DEFINITION,
    ID,
    OTHER_WRITER,
    SFT,
    STALE,
    WALLS,
)
from runbook.symptoms.s1_p4_sft_leak.glance import glance
from runbook.symptoms.sft_causes import evidence_for, judged, told_wall, walls_of
from runbook.symptoms.sft_receipts import PROBE, receipts_probe
from runbook.tell.causes import concluded
from runbook.wizard.planning import Planning, joined
from runbook.wizard.refusals import refused

SCAN_SECONDS = 300.0
_FINDINGS_KEPT = 20
_REPRODUCE = "distill firewall --json"
_MANIFEST = str(paths.EXPORT_MANIFEST)


def detect(workspace: Workspace) -> Detection:
    """The installed firewall, in a process of its own, on the live export. Absent is not clear."""
    said = workspace.firewall(seconds=SCAN_SECONDS)
    now = time.time()
    report = said.report
    firewall = status_of(said, now)
    answer = glance(replace(workspace.facts(), firewall=firewall))
    findings = [dict(each) for each in report.findings[:_FINDINGS_KEPT]]
    facts: dict[str, JsonValue] = {
        "state": said.state,
        "cause": report.cause,
        "sha256": report.sha256,
        "rows_read": report.rows_read,
        "forbidden_rows": report.forbidden_rows,
        "findings_count": report.findings_count,
        "formatted": report.said.get("formatted"),
        "findings": [*findings],
    }
    return detection_from(
        ID,
        answer or Answer(Verdict.UNKNOWN, f"{firewall.state}: {firewall.detail}", now),
        reproduce=_REPRODUCE,
        evidence=_shown(findings, now) if firewall.state is FirewallWord.BREACH else (),
        facts=facts,
    )


def _shown(findings: list[dict[str, Any]], now: float) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            stance=Stance.FOR,
            says=f"{each.get('wall')} wall: {each.get('run_id') or 'no run id'}: {each.get('detail')}",
            source=f"{each.get('file')}:{each.get('line')}",
            read_at=now,
        )
        for each in findings
    )


def probes(detection: Detection) -> tuple[Probe, ...]:
    sha256 = detection.facts.get("sha256")
    receipts = receipts_probe(sha256 if isinstance(sha256, str) else None, files_with_findings(detection))
    return (receipts, code_probe())


def files_with_findings(detection: Detection) -> tuple[str, ...]:
    """The export, and files in trainers' formats that no receipt accounts for."""
    findings = detection.facts.get("findings")
    rows = [each for each in findings if isinstance(each, dict)] if isinstance(findings, list) else []
    return tuple(dict.fromkeys(str(each.get("file")) for each in rows))


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs[PROBE]
    seen = output.data if isinstance(output.data, dict) else {}
    standing = {"standing": seen.get("standing") or []}
    if SFT not in files_with_findings(detection):
        return Diagnosis(cause=_stray(detection), facts=standing)
    history = read_code(outputs.get(CODE))
    walls = walls_of(history)
    evidence = evidence_for(seen, output, history)
    cause_id, confidence = judged(seen, walls)
    loosened = walls if cause_id == WALLS else ()
    return concluded(
        CAUSES,
        cause_id,
        confidence,
        evidence,
        places=(*(told_wall(each) for each in loosened), *_places(detection, seen)),
        aside=(STALE, OTHER_WRITER, WALLS),
        facts={**standing, **restoring(loosened)},
    )


def _stray(detection: Detection) -> Cause:
    """Only files beside the export offend: the firewall found no receipt for them."""
    return Cause(
        id=OTHER_WRITER,
        sentence=dict(CAUSES)[OTHER_WRITER],
        confidence=Confidence.CERTAIN,
        places=files_with_findings(detection),
        evidence=detection.evidence,
    )


def _places(detection: Detection, seen: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Forbidden rows where they lie now, then what was built from them."""
    file = seen.get("file") or SFT
    findings = detection.facts.get("findings")
    rows = [each for each in findings if isinstance(each, dict)] if isinstance(findings, list) else []
    places = dict.fromkeys(f"{file}:{each.get('line')} {each.get('run_id') or ''}".rstrip() for each in rows)
    return (*places, *(f"built from it: {name}" for name in _built(detection)))


def _built(detection: Detection) -> tuple[str, ...]:
    """Files in trainers' formats that were made of the export."""
    formatted = detection.facts.get("formatted")
    found = [each for each in formatted if isinstance(each, dict)] if isinstance(formatted, list) else []
    return tuple(str(each["file"]) for each in found if each.get("file"))


def _export_again(planning: Planning, _answers: Answers) -> Draft:
    return _set_aside_first(planning, plan_rerun(planning, "export-sft"))


def _set_aside_first(planning: Planning, repair: Draft) -> Draft:
    """The repair, after a rename of the export where it still stands: a run would end with the alarm."""
    if planning.state(SFT).is_absent:
        return repair
    return joined(repair.plan.title, [plan_quarantine(planning, SFT), repair])


EXPORT_AGAIN = Offer(
    "re-export",
    "Export SFT again from today's verdicts",
    "evidence and verdicts are sound; the file alone is not what they lead to",
    _export_again,
)


def _restore(walls: tuple[ChangedFile, ...]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        return _set_aside_first(planning, plan_code_repair(planning, walls, then=[("export-sft",)]))

    why = "the walls stand again before anything is exported through them"
    return Offer("restore", f"Restore {named(walls)}, then export SFT again", why, make)


def _quarantine(files: tuple[str, ...], built: tuple[str, ...]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        drafts = [plan_quarantine(planning, name) for name in files if not planning.state(name).is_absent]
        if not drafts:
            raise refused("nothing_there", "What the firewall found is set aside already.", "Diagnose on.")
        whole = drafts[0] if len(drafts) == 1 else joined(f"Quarantine {len(drafts)} files", drafts)
        notes = (*whole.plan.notes, *_still_pointing(planning, built))
        return whole.model_copy(update={"plan": whole.plan.model_copy(update={"notes": notes})})

    return Offer(
        "quarantine",
        f"Quarantine {', '.join(files)} now",
        "whoever reads it trains on forbidden rows; a rename stops that and takes nothing away",
        make,
        immediate=True,
    )


def _still_pointing(planning: Planning, built: tuple[str, ...]) -> list[str]:
    """What a rename alone does not reach; voiding it too would need a rehearsal, and time."""
    notes = []
    if not planning.state(_MANIFEST).is_absent:
        notes.append(
            f"{_MANIFEST} lists the file until the next export: `distill verify-export` calls the folder "
            "broken, and a copy that was made before still agrees with the manifest beside it"
        )
    notes += [f"{name} was built from it and is not renamed" for name in built]
    return notes


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """Quarantine while something stands; a new export once the export alone offends."""
    files = files_with_findings(detection)
    if detection.verdict is not Verdict.DETECTED or not files:
        return ()
    quarantine = _quarantine(files, _built(detection))
    if diagnosis is None:
        return (quarantine,)
    found = diagnosis.facts.get("standing")
    standing = found if isinstance(found, list) else []
    walls = to_restore(diagnosis)
    repair = _restore(walls) if walls else EXPORT_AGAIN
    ways = (repair,) if diagnosis.is_known and SFT in files and set(standing) <= {SFT} else ()
    return (*ways, quarantine) if standing else ways


SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=probes,
)
