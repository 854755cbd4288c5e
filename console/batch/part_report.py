"""PURE: from what a part printed and how it ended to its outcome.

The exit code decides; a part that ended well without a report did not end well. Members of a
report are read leniently, but for the checks: one that cannot be read is an error of that check.
"""

from __future__ import annotations

from pydantic import ValidationError

from console.batch.child import PartEnded
from console.batch.outcome import PartOutcome, PartState, Symptom
from console.batch.parts import Part
from console.presentation.counts import measured
from console.state.detectors import definitions
from console.state.runbook_state import known_symptoms
from console.state.symptoms_now import open_command
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow, DriftStatus
from pipeline.contracts.faults import ExitCode, worst
from pipeline.contracts.plurals import plural
from pipeline.contracts.severity import Severity
from pipeline.contracts.untrusted import visible
from pipeline.platform.firewall import Absent, Answer, Breach, Clear, Unknown, judged_report
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from pipeline.reading.firewall_words import firewall_status
from pipeline.reading.symptom_answers import not_evaluated, tally

DETAIL_CHARACTERS = 2000
_PLACES = 3
_FLAGGED = (DriftStatus.WARN, DriftStatus.MISSING)


def outcome_of(part: Part, ended: PartEnded) -> PartOutcome:
    """The outcome of a part that ran, in full or until it was ended."""
    report = ended.report or {}
    checks = tuple(_check(part, check) for check in objects_of(report, "checks")) if _has_checks(part) else ()
    drift = tuple(row for found in objects_of(report, "drift") if (row := _drift_row(found)) is not None)
    symptoms = _symptoms(report) if part is Part.SYMPTOMS else ()
    code, why = _code(part, ended, symptoms)
    timed_out = ended.timed_out
    return PartOutcome(
        part=part,
        state=PartState.TIMED_OUT if timed_out else PartState.RAN,
        exit_code=None if timed_out else code,
        elapsed_seconds=ended.elapsed_seconds,
        said=_said(part, ended, report, checks, symptoms),
        detail=visible("time is up" if timed_out else why, DETAIL_CHARACTERS),
        warnings=_warnings(part, report, checks, drift, symptoms),
        checks=checks,
        drift=drift,
        symptoms=symptoms,
        report=report,
    )


def _has_checks(part: Part) -> bool:
    return part in (Part.ACCEPTANCE, Part.AUDIT)


def _check(part: Part, found: Json) -> CheckResult:
    try:
        return CheckResult.model_validate(found)
    except ValidationError as error:
        return CheckResult(
            id=text_of(found, "id") or f"{part}.unreadable",
            phase=text_of(found, "phase") or "P8",
            required=True,
            status=CheckStatus.ERROR,
            examined=0,
            failed=0,
            detail=f"the report's entry cannot be read: {plural(error.error_count(), 'error')}",
        )


def _drift_row(found: Json) -> DriftRow | None:
    try:
        return DriftRow.model_validate(found)
    except ValidationError:
        return None


def _symptoms(report: Json) -> tuple[Symptom, ...]:
    """Those that show. All that was looked for stays in the report."""
    return tuple(
        Symptom(each.id, each.severity, each.observed, open_command(each.id))
        for each in known_symptoms(report)
        if each.is_detected
    )


def _code(part: Part, ended: PartEnded, symptoms: tuple[Symptom, ...]) -> tuple[int, str]:
    """The exit code that counts, and a sentence when it is not 0."""
    words = " / ".join(ended.words[-3:])
    if part in (Part.STANDING, Part.FIREWALL):
        return _code_of_firewall(part, _answer(ended))
    if ended.returncode is None:
        return ExitCode.NOT_EVALUABLE, f"could not be started: {words}"
    if ended.returncode < 0:
        return ExitCode.NOT_EVALUABLE, f"ended by signal {-ended.returncode}" + (
            f": {words}" if words else ""
        )
    if ended.returncode not in list(ExitCode):
        return ExitCode.NOT_EVALUABLE, f"ended with the unknown exit code {ended.returncode}: {words}"
    if ended.report is None:
        code = ended.returncode or int(ExitCode.NOT_EVALUABLE)
        return code, words or f"gave no report (exit {ended.returncode})"
    reported = count_of(ended.report, "exit_code")
    code = worst([ended.returncode, ended.returncode if reported is None else reported])
    if code == ExitCode.OK:
        return code, ""
    if part is Part.SYMPTOMS:
        shown = "; ".join(f"{one.id}: {one.observed}" for one in symptoms if _is_severe(one))
        return code, shown or _not_evaluated(ended.report) or words
    return code, text_of(ended.report, "verdict") or words


def _not_evaluated(report: Json) -> str:
    """Why a look that found nothing is no look at all of them."""
    now = number_of(report, "at") or 0.0
    asked = [each.answer for each in known_symptoms(report) if not each.nothing_yet]
    return "; ".join(not_evaluated(asked, now))


def _answer(ended: PartEnded) -> Answer:
    return judged_report(ended.returncode, ended.report, " / ".join(ended.words[-3:]))


def _code_of_firewall(part: Part, answer: Answer) -> tuple[int, str]:
    """Its answer, not its exit code: nothing but CLEAR is clear. Before the run nothing need stand."""
    match answer:
        case Clear():
            return ExitCode.OK, ""
        case Absent(report):
            return ExitCode.OK if part is Part.STANDING else ExitCode.NOT_EVALUATED, report.detail
        case Breach(report):
            shown = report.findings[:_PLACES]
            places = ", ".join(map(_place, shown))
            more = " …" if report.findings_count > len(shown) else ""
            return ExitCode.FIREWALL_BREACH, f"{report.found}: {places}{more}"
        case Unknown(why):
            return ExitCode.NOT_EVALUABLE, why


def _place(finding: Json) -> str:
    """``lineage line 71``; of another file than the SFT export ``evaluation exports/…/pairs.jsonl:3``."""
    wall, file, line = text_of(finding, "wall"), text_of(finding, "file"), count_of(finding, "line")
    return f"{wall} line {line}" if file in (None, str(paths.SFT_EXPORT)) else f"{wall} {file}:{line}"


def _is_severe(symptom: Symptom) -> bool:
    return symptom.severity in (Severity.ERROR, Severity.CRITICAL)


def _said(
    part: Part, ended: PartEnded, report: Json, checks: tuple[CheckResult, ...], symptoms: tuple[Symptom, ...]
) -> str:
    """A few words on what was found, for the verdict's line."""
    match part:
        case Part.RUN_ALL:
            counts = object_of(report, "counts")
            evidence = count_of(counts, "evidence")
            return "" if evidence is None else f"{evidence:,} evidence rows"
        case Part.STANDING | Part.FIREWALL:
            answer = _answer(ended)
            said = firewall_status(answer.report.said, 0.0).said_of_walls
            return ", ".join((answer.state, *said))
        case Part.ACCEPTANCE | Part.AUDIT:
            required = [check for check in checks if check.required]
            good = sum(check.status in (CheckStatus.PASS, CheckStatus.WARN) for check in required)
            bad = [check.id for check in required if check.status not in (CheckStatus.PASS, CheckStatus.WARN)]
            return (f"{good}/{len(required)}" if required else "") + (f" ({', '.join(bad)})" if bad else "")
        case Part.DETERMINISM:
            runs = len(objects_of(report, "runs"))
            return plural(runs, "run") if runs else ""
        case Part.SYMPTOMS:
            shown = ", ".join(symptom.id for symptom in symptoms) or "none"
            return f"{shown} ({_looked(report)})" if report else ""


def _looked(report: Json) -> str:
    """How much was looked for, in the words of every other face."""
    now = number_of(report, "at") or 0.0
    answers = [each.answer for each in known_symptoms(report)]
    return tally(definitions(), answers, now).in_words(now) if answers else ""


def _warnings(
    part: Part,
    report: Json,
    checks: tuple[CheckResult, ...],
    drift: tuple[DriftRow, ...],
    symptoms: tuple[Symptom, ...],
) -> tuple[str, ...]:
    found = [f"{check.id}: {check.detail}" for check in checks if check.status is CheckStatus.WARN]
    found += [
        f"drift {row.metric}: {measured(row.baseline)} → {measured(row.current)} ({row.status})"
        for row in drift
        if row.status in _FLAGGED and row.dismissed is None
    ]
    found += [
        f"{symptom.id}: {symptom.observed}" for symptom in symptoms if symptom.severity == Severity.WARNING
    ]
    if part is Part.RUN_ALL:
        found += texts_of(report, "warnings")
    return tuple(visible(text, 300) for text in found)


def acceptance_root(outcome: PartOutcome | None) -> str | None:
    """Where acceptance kept its temp root; None when it removed it."""
    if outcome is None or flag_of(outcome.report, "temp_root_kept") is False:
        return None
    return text_of(outcome.report, "temp_root")
