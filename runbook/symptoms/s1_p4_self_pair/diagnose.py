"""S1.P4.self-pair: an export holds what its own rules forbid; first of all a pair of a run with itself.

Pairs are looked at live. Rows that do not validate, ids used twice and runs that are in no file are
told by the audit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pipeline.contracts.status import Verdict
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import PROBE as CODE
from runbook.probes.code_history import ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.receipt_claims import PROBE, Account, accounts_probe, read_accounts, told_by_account
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms.code_evidence import named, restoring, to_restore, told_by_code, unchanged
from runbook.symptoms.pair_rows import BadPair, bad_pairs
from runbook.symptoms.s1_p4_self_pair.define import (
    _REPRODUCE,
    CAUSES,
    CHECKS,
    DEFINITION,
    GUARD,
    ID,
    MISSING,
    OTHER_WRITER,
    PAIRS,
    STALE,
    UNKNOWN,
)
from runbook.symptoms.s1_p4_self_pair.glance import glance, places_in
from runbook.tell.causes import concluded
from runbook.wizard.planning import Planning, joined
from runbook.wizard.refusals import refused

# Where pairs are made and refused.
_PAIR_CODE = (
    "pipeline/stages/export_preference.py",
    "pipeline/stages/pairing.py",
    "pipeline/engine/emit_preference.py",
    "pipeline/schemas/preference.py",
)
_by_report, _by_rerun = by_checks(ID, CHECKS, glance)


def detect(workspace: Workspace) -> Detection:
    """The pairs themselves, then what the last audit says of all three exports."""
    found = bad_pairs(workspace.root)
    return _by_rows(found) if found else _naming_files(_by_report(workspace))


def rerun(workspace: Workspace) -> Detection:
    """The same by the audit's own checks, asked anew."""
    found = bad_pairs(workspace.root)
    return _by_rows(found) if found else _naming_files(_by_rerun(workspace))


def _by_rows(found: Sequence[BadPair]) -> Detection:
    now = time.time()
    return Detection(
        symptom_id=ID,
        verdict=Verdict.DETECTED,
        observed=f"{PAIRS}:{found[0].line}: {found[0].says}"
        + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""),
        read_at=now,
        as_of=now,
        reproduce=_REPRODUCE,
        evidence=tuple(
            Evidence(
                stance=Stance.FOR,
                says=f"{each.row_id}: {each.says}",
                source=f"{PAIRS}:{each.line}",
                read_at=now,
            )
            for each in found
        ),
        facts={"checks": [CHECKS[0]], "files": [PAIRS]},
    )


def _naming_files(seen: Detection) -> Detection:
    files = places_in(line for each in seen.evidence for line in each.lines)
    return seen.model_copy(update={"facts": {**seen.facts, "files": [*files]}})


def probes(detection: Detection) -> tuple[Probe, ...]:
    return (accounts_probe(_files(detection)), code_probe())


def _files(detection: Detection) -> list[str]:
    found = detection.facts.get("files")
    return [str(each) for each in found] if isinstance(found, list) and found else [PAIRS]


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    accounts, history = read_accounts(outputs.get(PROBE)), read_code(outputs.get(CODE))
    code = history.of_phase("P1", "P4")
    cause_id, confidence = _judged(detection, accounts, code, history)
    read_at = outputs[PROBE].read_at if PROBE in outputs else detection.read_at
    evidence = _evidence(accounts, code, history, read_at)
    rows = tuple(each.source for each in detection.evidence) if detection.source == "live" else ()
    lines = tuple(line for each in detection.evidence for line in each.lines)
    writers = tuple(
        f"{each.path}: last written {each.last_written} by user id {each.owner_uid}"
        for each in accounts
        if each.file and not each.as_written
    )
    guards = tuple(each.told for each in code) if cause_id == GUARD else ()
    facts = restoring(code if cause_id == GUARD else ())
    standing = [each.path for each in accounts if each.stands]
    return concluded(
        CAUSES,
        cause_id,
        confidence,
        evidence,
        first=detection.evidence,
        places=(*dict.fromkeys((*rows, *lines)), *writers, *guards),
        aside=(GUARD, OTHER_WRITER, STALE),
        facts={**facts, "standing": [*standing]},
    )


def _judged(
    detection: Detection, accounts: Sequence[Account], code: Sequence[ChangedFile], history: CodeHistory
) -> tuple[str, Confidence]:
    """Whose bytes decides first: a changed guard does not explain a row that no run wrote."""
    known = [each for each in accounts if each.file is not None]
    if not known:
        return (MISSING, Confidence.CERTAIN) if accounts else (UNKNOWN, Confidence.UNKNOWN)
    strange = [each for each in known if not each.as_written]
    if strange:
        sure = all(each.lines_after is not None for each in strange)
        return OTHER_WRITER, Confidence.CERTAIN if sure and not code else Confidence.LIKELY
    pairs_only = detection.facts.get("files") == [PAIRS]
    if code and pairs_only and any(each.path in _PAIR_CODE for each in code):
        return GUARD, Confidence.CERTAIN if history.source == "workspace" else Confidence.LIKELY
    if any(each.changed_since for each in known):
        return STALE, Confidence.LIKELY if code else Confidence.CERTAIN
    return (GUARD, Confidence.LIKELY) if code else (UNKNOWN, Confidence.UNKNOWN)


def _evidence(
    accounts: Sequence[Account], code: Sequence[ChangedFile], history: CodeHistory, read_at: float
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""
    told = tuple(told_by_account(each, read_at) for each in accounts)
    by_run = tuple(_turned(each) for each in told)
    what = "All code that validates and writes exports"
    changed = told_by_code(history, code, read_at) if code else (unchanged(history, what, read_at),)
    moved = sorted({path for each in accounts for path in each.changed_since})
    since = Evidence(
        stance=Stance.FOR if moved else Stance.AGAINST,
        says="Evidence or verdicts changed since that export."
        if moved
        else "Evidence and verdicts are those that the export was made from.",
        source=next((each.receipt for each in accounts if each.receipt), "reports"),
        read_at=read_at,
        lines=tuple(moved),
    )
    return {
        GUARD: (*changed, *by_run),
        OTHER_WRITER: told,
        STALE: (since, *by_run),
        MISSING: told,
        UNKNOWN: (*by_run, *changed, since),
    }


def _turned(evidence: Evidence) -> Evidence:
    """The same fact for a cause that needs the run itself to have written the file."""
    turned = {Stance.FOR: Stance.AGAINST, Stance.AGAINST: Stance.FOR}
    return evidence.model_copy(update={"stance": turned.get(evidence.stance, evidence.stance)})


def offers(_detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """The file out of sight, its cause back, a new export: one plan, one consent."""
    if diagnosis is None:
        return ()
    found = diagnosis.facts.get("standing")
    standing = [str(each) for each in found] if isinstance(found, list) else []
    ways: list[Offer] = []
    if diagnosis.cause.id == GUARD:
        ways.append(_repair(standing, to_restore(diagnosis)))
    elif diagnosis.is_known:
        ways.append(_export_again(standing))
    return (*ways, _quarantine(standing)) if standing else tuple(ways)


def _aside(planning: Planning, files: Sequence[str]) -> list[Draft]:
    return [plan_quarantine(planning, path) for path in files if not planning.state(path).is_absent]


def _repair(files: Sequence[str], code: Sequence[ChangedFile]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        repair = plan_code_repair(planning, code, [("export",)])
        # Installed code is put back by a person, so nothing here can make the export again.
        if not planning.workspace.runs_own_engine:
            return repair
        title = f"Quarantine the export, restore {named(code)}, export again"
        return joined(title, [*_aside(planning, files), repair])

    return Offer(
        "repair",
        f"Quarantine the export, restore {named(code)} from the last-good tag, export again",
        "the guard is what keeps such rows out of every later export",
        make,
    )


def _export_again(files: Sequence[str]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        again = plan_rerun(planning, "export")
        return joined(title, [*_aside(planning, files), again])

    title = "Quarantine the file and export again" if files else "Export again"
    return Offer(
        "re-export",
        f"{title}, from today's verdicts",
        "evidence and verdicts are sound; the file alone is not what they lead to",
        make,
    )


def _quarantine(files: Sequence[str]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        drafts = _aside(planning, files)
        if not drafts:
            raise refused("nothing_there", "It is set aside already.", "Diagnose on.")
        return drafts[0] if len(drafts) == 1 else joined(f"Quarantine {len(drafts)} files", drafts)

    return Offer(
        "quarantine",
        f"Quarantine {', '.join(files)} only",
        "nobody reads it meanwhile; the cause is still to be found",
        make,
    )


SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=probes,
    rerun=rerun,
)
