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
from pipeline.platform.lenient_json import objects_of, text_of, texts_of
from pipeline.reading.firewall_words import status_of
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.code_history import CODE, ChangedFile, code_probe, read_code
from runbook.probes.conclusions import concluded, detection_from
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.code_evidence import named, restoring, to_restore
from runbook.symptoms.offers import all_aside, set_aside
from runbook.symptoms.s1_p4_sft_leak import define
from runbook.symptoms.s1_p4_sft_leak.glance import glance
from runbook.symptoms.sft_causes import PROBE, evidence_for, judged, receipts_probe, told_wall, walls_of

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
        define.ID,
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
    sha256 = text_of(detection.facts, "sha256")
    return (receipts_probe(sha256, files_with_findings(detection)), code_probe())


def files_with_findings(detection: Detection) -> tuple[str, ...]:
    """The export, and files in trainers' formats that no receipt accounts for."""
    return tuple(dict.fromkeys(str(each.get("file")) for each in objects_of(detection.facts, "findings")))


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs[PROBE]
    seen = output.members
    standing = {"standing": seen.get("standing") or []}
    if define.SFT not in files_with_findings(detection):
        # Only files beside the export offend: the firewall found no receipt for them.
        return concluded(
            define.CAUSES,
            define.OTHER_WRITER,
            Confidence.CERTAIN,
            {},
            first=detection.evidence,
            places=files_with_findings(detection),
            facts=standing,
        )
    history = read_code(outputs.get(CODE))
    walls = walls_of(history)
    evidence = evidence_for(seen, output, history)
    cause_id, confidence = judged(seen, walls)
    loosened = walls if cause_id == define.WALLS else ()
    return concluded(
        define.CAUSES,
        cause_id,
        confidence,
        evidence,
        places=(*(told_wall(each) for each in loosened), *_places(detection, seen)),
        aside=(define.STALE, define.OTHER_WRITER, define.WALLS),
        facts={**standing, **restoring(loosened)},
    )


def _places(detection: Detection, seen: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Forbidden rows where they lie now, then what was built from them."""
    file = seen.get("file") or define.SFT
    rows = objects_of(detection.facts, "findings")
    places = dict.fromkeys(f"{file}:{each.get('line')} {each.get('run_id') or ''}".rstrip() for each in rows)
    return (*places, *(f"built from it: {name}" for name in _built(detection)))


def _built(detection: Detection) -> tuple[str, ...]:
    """Files in trainers' formats that were made of the export."""
    return tuple(str(each["file"]) for each in objects_of(detection.facts, "formatted") if each.get("file"))


def _set_aside_first(planning: Planning, repair: Draft) -> Draft:
    """The repair, after a rename of the export where it still stands: a run would end with the alarm."""
    aside = set_aside(planning, [define.SFT])
    return joined(repair.plan.title, [*aside, repair]) if aside else repair


EXPORT_AGAIN = Offer(
    "re-export",
    "Export SFT again from today's verdicts",
    "evidence and verdicts are sound; the file alone is not what they lead to",
    lambda planning, _: _set_aside_first(planning, plan_rerun(planning, "export-sft")),
)


def _restore(walls: tuple[ChangedFile, ...]) -> Offer:
    return Offer(
        "restore",
        f"Restore {named(walls)}, then export SFT again",
        "the walls stand again before anything is exported through them",
        lambda planning, _: _set_aside_first(
            planning, plan_code_repair(planning, walls, then=[("export-sft",)])
        ),
    )


def _quarantine(files: tuple[str, ...], built: tuple[str, ...]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        whole = all_aside(planning, files, "What the firewall found is set aside already.")
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
    standing = texts_of(diagnosis.facts, "standing")
    walls = to_restore(diagnosis)
    repair = _restore(walls) if walls else EXPORT_AGAIN
    ways = (repair,) if diagnosis.is_known and define.SFT in files and set(standing) <= {define.SFT} else ()
    return (*ways, quarantine) if standing else ways


SYMPTOM = diagnosed(define.DEFINITION, detect=detect, classify=classify, offers=offers, probes=probes)
