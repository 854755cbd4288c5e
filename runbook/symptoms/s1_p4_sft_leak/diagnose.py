"""S1.P4.sft-leak: the firewall finds a forbidden row in a training file.

Contained first, understood afterwards: quarantine stands before any diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.finding_words import EVALUATION
from pipeline.contracts.status import Answer, FirewallWord, Verdict
from pipeline.platform.lenient_json import objects_of, text_of, texts_of
from pipeline.reading.firewall_words import status_of
from runbook.case import Case
from runbook.change.files import state_of
from runbook.probes.code_history import ChangedFile, CodeHistory, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import Probe, data_probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import diagnosed
from runbook.symptoms import s1_p4_sft_leak as define
from runbook.symptoms.offers import restoring
from runbook.symptoms.receipt_claims import (
    PROBE,
    Account,
    account_at,
    account_of,
    quarantined,
    told_by_account,
)
from runbook.symptoms.s1_p4_sft_leak import OTHER_WRITER, OWN_WALLS, SETS, SFT, STALE, UNKNOWN, WALLS
from runbook.symptoms.s1_p4_sft_leak.evaluation_sets import new_sets, sets_evidence, sets_of
from runbook.symptoms.s1_p4_sft_leak.glance import glance
from runbook.symptoms.s1_p4_sft_leak.ways_out import (
    SET_ASIDE,
    built,
    containment,
    files_with_findings,
    offers,
)

_FINDINGS_KEPT = 20
_REPRODUCE = "distill firewall --json"


def receipts_probe(sha256: str | None, files: Sequence[str]) -> Probe:
    """Compare the export that offends, SFT first, with the newest receipt that claims it.

    ``sha256`` is what the firewall read of SFT: by it the bytes are found again after a quarantine.
    ``files`` are those with findings; ``standing`` tells which of them readers still meet.
    """

    def find(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
        data = _compared(workspace.root, sha256, files)
        return [f"{name}: {value}" for name, value in data.items()], data

    return data_probe(PROBE, "The export against its receipt", 30.0, find)


def _compared(root: Path, sha256: str | None, files: Sequence[str]) -> dict[str, JsonValue]:
    offending = next((path for path in define.EXPORTS if path in files and path != SFT), SFT)
    export = SFT if SFT in files else offending
    account = account_at(root, SFT, _where(root, sha256)) if export == SFT else account_of(root, export)
    return {
        **sets_of(root, account.receipt),
        **account.model_dump(mode="json", exclude={"path"}),
        "export": export,
        "standing": [name for name in files if not state_of(root, name).is_absent],
        "begins_as_written": account.lines_after is not None,
    }


def _where(root: Path, sha256: str | None) -> str | None:
    """The export, or the name under which just these bytes are quarantined."""
    if not state_of(root, SFT).is_absent and state_of(root, SFT).sha256 == sha256:
        return SFT
    return next((path for path in quarantined(root, SFT) if state_of(root, path).sha256 == sha256), None)


def walls_of(history: CodeHistory) -> tuple[ChangedFile, ...]:
    """What changed of schemas, exporters and the engine's walls."""
    return tuple(each for each in history.files if each.phase in ("P1", "P4") or each.path in OWN_WALLS)


def told_wall(file: ChangedFile) -> str:
    """Which wall, where, by whom, and what the first changed constant was and is."""
    wall = OWN_WALLS.get(file.path, "beside the walls")
    change = next((f": {each.before} → {each.after}" for each in file.constants), "")
    return f"{wall}: {file.told}{change}"


def judged(
    seen: Mapping[str, JsonValue], walls: Sequence[ChangedFile], *, only_test_items: bool = False
) -> tuple[str, Confidence]:
    """``only_test_items``: all that was found are items of evaluation sets."""
    if seen.get("file") is None:
        return UNKNOWN, Confidence.UNKNOWN
    if seen.get("as_written"):
        if seen.get("changed_since"):
            return STALE, Confidence.CERTAIN
        if only_test_items and new_sets(seen):
            return SETS, Confidence.CERTAIN
        if only_test_items and not walls:
            return SETS, Confidence.LIKELY
        if not walls:
            return UNKNOWN, Confidence.UNKNOWN
        own = any(each.path in OWN_WALLS for each in walls)
        return WALLS, Confidence.CERTAIN if own else Confidence.LIKELY
    return OTHER_WRITER, Confidence.CERTAIN if seen.get("begins_as_written") else Confidence.LIKELY


def evidence_for(case: Case) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it; of bytes that are gone nothing can be said."""
    seen = case.outputs[PROBE].members
    source = str(seen.get("receipt") or paths.REPORTS)
    if seen.get("file") is None:
        why = case.trouble(PROBE) or "The bytes that the firewall read are not there any more."
        gone = case.fact(Stance.UNKNOWN, why, source, by=PROBE)
        return dict.fromkeys((STALE, OTHER_WRITER, WALLS, SETS, UNKNOWN), (gone,))
    known = {name: seen[name] for name in Account.model_fields if name in seen}
    account = Account.model_validate({"receipt": None, **known, "path": str(seen.get("export") or SFT)})
    by_other = told_by_account(account, case.read_at(PROBE))
    by_run = by_other.turned
    says = "Evidence or verdicts changed since that export."
    rescored = case.fact(Stance.FOR, says, source, account.changed_since, by=PROBE)
    says = "Evidence and verdicts are those that the export was made from."
    settled = case.fact(Stance.FOR, says, source, by=PROBE)
    code = case.code_facts(walls_of(case.code), "Schemas and exporters")
    return {
        STALE: (by_run, rescored if account.changed_since else settled.turned),
        OTHER_WRITER: (by_other,),
        WALLS: (by_run, *code),
        SETS: (by_run, sets_evidence(case, seen, source)),
        UNKNOWN: (by_run, settled, *code) if account.as_written else (by_other,),
    }


def detect(workspace: Workspace) -> Detection:
    """The installed firewall, in a process of its own, on the live export. Absent is not clear."""
    said, looked_at = workspace.firewall()
    now = time.time()
    firewall = status_of(said, looked_at)
    seen = replace(workspace.facts(), firewall=firewall)
    answer = glance(seen)
    aside = seen.set_aside if answer is not None and answer.by_glance else None
    report = aside.report if aside is not None else said.report
    findings = [dict(each) for each in report.findings[:_FINDINGS_KEPT]]
    facts: dict[str, JsonValue] = {
        "state": said.state,
        "cause": report.cause,
        "sha256": report.sha256,
        "rows_read": report.rows_read,
        "forbidden_rows": report.forbidden_rows,
        "findings_count": report.findings_count,
        "walls": [*sorted(report.by_wall)],
        "formatted": report.said.get("formatted"),
        "findings": [*findings],
        SET_ASIDE: [aside.kept, aside.answer] if aside is not None else [],
    }
    return detection_from(
        define.ID,
        answer or Answer(Verdict.UNKNOWN, f"{firewall.state}: {firewall.detail}", now),
        reproduce=_REPRODUCE,
        evidence=_shown(findings, now) if aside or firewall.state is FirewallWord.BREACH else (),
        facts=facts,
    )


def _shown(findings: list[dict[str, Any]], now: float) -> tuple[Evidence, ...]:
    return tuple(
        Evidence.of(
            Stance.FOR,
            f"{each.get('wall')} wall: {each.get('run_id') or 'no run id'}: {each.get('detail')}",
            f"{each.get('file')}:{each.get('line')}",
            now,
        )
        for each in findings
    )


def probes(detection: Detection) -> tuple[Probe, ...]:
    sha256 = text_of(detection.facts, "sha256")
    return (receipts_probe(sha256, files_with_findings(detection)), code_probe())


def classify(case: Case) -> Diagnosis:
    files = files_with_findings(case.detection)
    if aside := texts_of(case.detection.facts, SET_ASIDE):
        return _of_what_is_set_aside(case, aside)
    seen = case.outputs[PROBE].members
    standing = {"standing": seen.get("standing") or []}
    if not set(define.EXPORTS) & set(files):
        # Only files beside the export offend: the firewall found no receipt for them.
        return case.concluded(OTHER_WRITER, Confidence.CERTAIN, {}, places=files, facts=standing)
    walls = walls_of(case.code)
    only_test_items = texts_of(case.detection.facts, "walls") == (EVALUATION,)
    cause_id, confidence = judged(seen, walls, only_test_items=only_test_items)
    loosened = walls if cause_id == WALLS else ()
    return case.concluded(
        cause_id,
        confidence,
        evidence_for(case),
        first=(),
        places=(*(told_wall(each) for each in loosened), *_places(case.detection, seen)),
        aside=(STALE, OTHER_WRITER, WALLS, SETS),
        facts={**standing, **restoring(loosened)},
    )


def _of_what_is_set_aside(case: Case, places: tuple[str, ...]) -> Diagnosis:
    """What the firewall said of the bytes by the receipt of that time; today's is that of another file."""
    said = {"stale_export": STALE, "not_in_receipt": OTHER_WRITER, "sets_changed": SETS}
    cause = said.get(text_of(case.detection.facts, "cause") or "", UNKNOWN)
    confidence = Confidence.UNKNOWN if cause == UNKNOWN else Confidence.LIKELY
    return case.concluded(cause, confidence, {}, places=places)


def _places(detection: Detection, seen: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Forbidden rows where they lie now, then what was built from them."""
    path, lies_at = seen.get("export"), seen.get("file")
    places: dict[str, None] = {}
    for each in objects_of(detection.facts, "findings"):
        file = lies_at if lies_at and each.get("file") == path else each.get("file")
        places[f"{file}:{each.get('line')} {each.get('run_id') or ''}".rstrip()] = None
    return (*places, *(f"built from it: {name}" for name in built(detection)))


SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes, at_once=containment)
