"""S1.P4.self-pair: an export holds what its own rules forbid; first of all a pair of a run with itself.

Pairs are looked at live, without the engine's comparison, which may be what is broken; what no JSON
reader can read is left to the audit. Rows that do not validate, ids used twice and runs that are in
no file are told by the audit.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.status import Answer, Verdict
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_or_empty, texts_of
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ChangedFile, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import Probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s1_p4_self_pair as define
from runbook.symptoms.by_report import in_words_of
from runbook.symptoms.offers import (
    all_aside,
    code_offer,
    named,
    rerun_offer,
    restoring,
    set_aside,
    to_restore,
)
from runbook.symptoms.receipt_claims import PROBE, Account, accounts_in, accounts_probe, told_by_account
from runbook.symptoms.s1_p4_self_pair.glance import glance, places_in

# Larger files are left to the audit: a live detector answers within a second.
MOST_BYTES = 64 * 2**20
MOST_FOUND = 20
# Where pairs are made and refused.
_PAIR_CODE = (
    "pipeline/stages/export_preference.py",
    "pipeline/stages/pairing.py",
    "pipeline/engine/emit_preference.py",
    "pipeline/schemas/preference.py",
)
_by_report, _by_rerun = by_checks(define.ID, define.CHECKS, glance)


@dataclass(frozen=True)
class BadPair:
    """``line`` is counted from 1."""

    line: int
    row_id: str
    says: str


def bad_pairs(root: Path) -> list[BadPair] | None:
    """The first of them, in order; None where the file is too large or not there to be read."""
    path = root / define.PAIRS
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        found = []
        with disk.open_to_read(path) as file:
            for number, line in enumerate(file, 1):
                says = _problem(line)
                if says is not None:
                    found.append(BadPair(number, *says))
                    if len(found) == MOST_FOUND:
                        break
    except OSError:
        return None
    return found


def _problem(line: bytes) -> tuple[str, str] | None:
    row = object_or_empty(line)
    chosen = row.get("chosen_run_id")
    if isinstance(chosen, str) and chosen == row.get("rejected_run_id"):
        return str(row.get("id")), f"both sides are run {chosen}"
    if "chosen" in row and _said(row["chosen"]) == _said(row.get("rejected")):
        return str(row.get("id")), "both sides are the same text"
    return None


def _said(answer: object) -> object:
    """What an assistant said and called, without differences at line ends and of composition."""
    if isinstance(answer, str):
        return _normal(answer)
    turns = [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
    return [
        (_normal(str(each.get("content") or "")), _calls(each))
        for each in turns
        if each.get("role") == "assistant"
    ]


def _calls(turn: dict[str, Any]) -> list[tuple[object, object]]:
    """A list of calls, or that list as JSON text, as rows hold it since version 2.

    A text that is no such list is compared as it stands; what is wrong with it the audit tells.
    """
    calls = turn.get("tool_calls")
    if isinstance(calls, str) and calls:
        listed = object_or_empty(f'{{"calls":{calls}}}').get("calls")
        calls = listed if isinstance(listed, list) else [{"name": calls}]
    return [
        (each.get("name"), each.get("arguments"))
        for each in (calls if isinstance(calls, list) else ())
        if isinstance(each, dict)
    ]


def _normal(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def detect(workspace: Workspace) -> Detection:
    """The pairs themselves, then what the last audit says of all three exports."""
    found = bad_pairs(workspace.root)
    if not found:
        return _naming_files(_by_report(workspace))
    return in_words_of(glance(workspace.facts()), _by_rows(found))


def rerun(workspace: Workspace) -> Detection:
    """The same by the audit's own checks, asked anew."""
    found = bad_pairs(workspace.root)
    return _by_rows(found) if found else _naming_files(_by_rerun(workspace))


def _by_rows(found: Sequence[BadPair]) -> Detection:
    now = time.time()
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    observed = f"{define.PAIRS}:{found[0].line}: {found[0].says}{more}"
    return detection_from(
        define.ID,
        Answer(Verdict.DETECTED, observed, now),
        reproduce=define.REPRODUCE,
        evidence=tuple(
            Evidence.of(Stance.FOR, f"{each.row_id}: {each.says}", f"{define.PAIRS}:{each.line}", now)
            for each in found
        ),
        facts={"checks": [define.CHECKS[0]], "files": [define.PAIRS]},
    )


def _naming_files(seen: Detection) -> Detection:
    files = places_in(line for each in seen.evidence for line in each.lines)
    return seen.model_copy(update={"facts": {**seen.facts, "files": [*files]}})


def probes(detection: Detection) -> tuple[Probe, ...]:
    return (accounts_probe(_files(detection)), code_probe())


def _files(detection: Detection) -> tuple[str, ...]:
    return texts_of(detection.facts, "files") or (define.PAIRS,)


def classify(case: Case) -> Diagnosis:
    detection, accounts, code = case.detection, accounts_in(case), case.code.of_phase("P1", "P4")
    cause_id, confidence = _judged(case, accounts, code)
    rows = tuple(each.source for each in detection.evidence) if detection.source == "live" else ()
    lines = tuple(line for each in detection.evidence for line in each.lines)
    writers = (
        f"{each.path}: last written {each.last_written} by user id {each.owner_uid}"
        for each in accounts
        if each.file and not each.as_written
    )
    guards = code if cause_id == define.GUARD else ()
    return case.concluded(
        cause_id,
        confidence,
        _evidence(case, accounts, code),
        places=(*dict.fromkeys((*rows, *lines)), *writers, *(each.told for each in guards)),
        aside=(define.GUARD, define.OTHER_WRITER, define.STALE),
        facts={**restoring(guards), "standing": [each.path for each in accounts if each.stands]},
    )


def _judged(case: Case, accounts: Sequence[Account], code: Sequence[ChangedFile]) -> tuple[str, Confidence]:
    """Whose bytes decides first: a changed guard does not explain a row that no run wrote."""
    known = [each for each in accounts if each.file is not None]
    if not known:
        return (define.MISSING, Confidence.CERTAIN) if accounts else (define.UNKNOWN, Confidence.UNKNOWN)
    strange = [each for each in known if not each.as_written]
    if strange:
        sure = all(each.lines_after is not None for each in strange)
        return define.OTHER_WRITER, Confidence.CERTAIN if sure and not code else Confidence.LIKELY
    pairs_only = case.detection.facts.get("files") == [define.PAIRS]
    if code and pairs_only and any(each.path in _PAIR_CODE for each in code):
        return define.GUARD, Confidence.CERTAIN if case.code.source == "workspace" else Confidence.LIKELY
    if any(each.changed_since for each in known):
        return define.STALE, Confidence.LIKELY if code else Confidence.CERTAIN
    return (define.GUARD, Confidence.LIKELY) if code else (define.UNKNOWN, Confidence.UNKNOWN)


def _evidence(
    case: Case, accounts: Sequence[Account], code: Sequence[ChangedFile]
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""
    told = tuple(told_by_account(each, case.read_at(PROBE)) for each in accounts)
    by_run = tuple(each.turned for each in told)
    changed = case.code_facts(code, "All code that validates and writes exports")
    moved = sorted({path for each in accounts for path in each.changed_since})
    receipt = next((each.receipt for each in accounts if each.receipt), "reports")
    says = "Evidence or verdicts changed since that export."
    unless = "Evidence and verdicts are those that the export was made from."
    since = case.judged(moved, says, unless, receipt, moved, by=PROBE)
    return {
        define.GUARD: (*changed, *by_run),
        define.OTHER_WRITER: told,
        define.STALE: (since, *by_run),
        define.MISSING: told,
        define.UNKNOWN: (*by_run, *changed, since),
    }


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """The file out of sight, its cause back, a new export: one plan, one consent."""
    standing = texts_of(diagnosis.facts, "standing")

    def aside(planning: Planning) -> list[Draft]:
        return set_aside(planning, standing)

    if diagnosis.cause.id == define.GUARD:
        code = to_restore(diagnosis)
        title = f"Quarantine the export, restore {named(code)} from the last-good tag, export again"
        why = "the guard is what keeps such rows out of every later export"
        shorter = title.replace(" from the last-good tag", "")
        then = [("export",)]
        yield code_offer(code, title, why, offer_id="repair", then=then, first=aside, plan_title=shorter)
    elif diagnosis.is_known:
        title = "Quarantine the file and export again" if standing else "Export again"
        why = "evidence and verdicts are sound; the file alone is not what they lead to"
        told = f"{title}, from today's verdicts"
        yield rerun_offer("re-export", told, why, "export", first=aside, plan_title=title)
    if standing:
        yield Offer(
            "quarantine",
            f"Quarantine {', '.join(standing)} only",
            "nobody reads it meanwhile; the cause is still to be found",
            lambda planning, _: all_aside(planning, standing, "It is set aside already."),
        )


SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes, rerun=rerun)
