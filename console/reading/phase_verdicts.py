"""PURE: the ten phases' states from what reports say, with the age and freshness of each.

Receipts speak for P2 to P5, the audit for P0 to P8, acceptance for P6, the release manifest for
P9; of two reports on one phase the later one stands. A failure stays a failure when it grows
old; a pass does not stay a pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import (
    PHASE_NAMES,
    Answer,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    Verdict,
)
from pipeline.contracts.symptoms import Definition
from pipeline.platform.lenient_json import Json, flag_of, number_of, objects_of, text_of
from pipeline.reading import staleness

# The check that stands for all invariants, A01 to A22.
_GATE = "P6.acceptance"
_INVARIANT = re.compile(r"A\d\d\Z")


def verdict(
    phase: str,
    word: PhaseState,
    *,
    source: str,
    as_of: float | None,
    now: float,
    changed: str = "",
    elapsed_seconds: float | None = None,
    detail: str = "",
    failed_checks: tuple[str, ...] = (),
) -> PhaseStatus:
    """A phase as a report has it, dimmed when ``changed`` names an input that moved since."""
    freshness = staleness.of_verdict(as_of, now, inputs_changed=bool(changed))
    if word in (PhaseState.OK, PhaseState.WARN) and freshness is not Freshness.FRESH:
        word = PhaseState.STALE if freshness is Freshness.STALE else PhaseState.UNKNOWN
    return PhaseStatus(
        phase,
        PHASE_NAMES[phase],
        word,
        Origin(source, as_of, freshness, changed),
        elapsed_seconds,
        detail,
        failed_checks,
    )


def of_receipt(phase: str, body: Json, *, source: str, now: float, changed: str = "") -> PhaseStatus:
    """P2, P3 or P4 as the stage's own receipt has it."""
    ok = flag_of(body, "ok")
    word = PhaseState.UNKNOWN if ok is None else PhaseState.OK if ok else PhaseState.FAIL
    return verdict(
        phase,
        word,
        source=source,
        as_of=epoch_seconds(body.get("finished_at")),
        now=now,
        changed=changed,
        elapsed_seconds=number_of(body, "elapsed_seconds"),
        detail="the stage ended with a failure" if ok is False else "",
    )


def word_of_checks(checks: Sequence[Json]) -> tuple[PhaseState, tuple[str, ...]]:
    """The worst of some checks, and the ids of those that failed. No check at all is UNKNOWN."""
    failed = tuple(
        text_of(check, "id") or "?" for check in checks if text_of(check, "status") in ("fail", "error")
    )
    required = [check for check in checks if flag_of(check, "required") is not False]
    words = {text_of(check, "status") for check in required}
    if words & {"fail", "error"}:
        return PhaseState.FAIL, failed
    if not checks or not words <= {"pass", "warn", "info"}:
        return PhaseState.UNKNOWN, failed
    if failed or "warn" in {text_of(check, "status") for check in checks}:
        return PhaseState.WARN, failed
    return PhaseState.OK, failed


def of_audit(audit: Json, *, source: str, now: float, changed: str) -> list[PhaseStatus]:
    """One status for each phase that the audit checked, and P8 for the audit as a whole."""
    as_of = report_time(audit)
    by_phase: dict[str, list[Json]] = {}
    checks = objects_of(audit, "checks")
    for check in checks:
        phase = text_of(check, "phase")
        if phase in PHASE_NAMES and phase != "P8":
            by_phase.setdefault(phase, []).append(check)
    statuses = []
    for phase, group in by_phase.items():
        word, failed = word_of_checks(group)
        elapsed = [seconds for check in group if (seconds := number_of(check, "elapsed_seconds")) is not None]
        statuses.append(
            verdict(
                phase,
                word,
                source=source,
                as_of=as_of,
                now=now,
                changed=changed,
                elapsed_seconds=sum(elapsed) if elapsed else None,
                failed_checks=failed,
            )
        )
    word, failed = word_of_checks(checks)
    whole = verdict(
        "P8",
        word,
        source=source,
        as_of=as_of,
        now=now,
        changed=changed,
        elapsed_seconds=number_of(audit, "elapsed_seconds"),
        failed_checks=failed,
    )
    return [*statuses, whole]


def of_acceptance(report: Json, *, source: str, now: float, changed: str = "") -> PhaseStatus:
    """P6. Acceptance runs on the fixture, so changed data does not make it stale; age and code do."""
    word, failed = word_of_checks(objects_of(report, "checks"))
    return verdict(
        "P6",
        word,
        source=source,
        as_of=report_time(report),
        now=now,
        changed=changed,
        elapsed_seconds=number_of(report, "elapsed_seconds"),
        failed_checks=failed,
    )


def of_release(manifest: Json, *, source: str, now: float, changed: str) -> PhaseStatus:
    gates = objects_of(manifest, "gates")
    failed = tuple(text_of(gate, "name") or "?" for gate in gates if text_of(gate, "status") != "pass")
    word = PhaseState.FAIL if failed else PhaseState.OK if gates else PhaseState.UNKNOWN
    return verdict(
        "P9",
        word,
        source=source,
        as_of=report_time(manifest),
        now=now,
        changed=changed,
        failed_checks=failed,
    )


def of_replay_log(rows: Sequence[Json], *, source: str, now: float) -> PhaseStatus | None:
    """P7 from the last replay that was logged; None when none was."""
    if not rows:
        return None
    last = rows[-1]
    ok = flag_of(last.get("validation_result"), "ok")
    word = PhaseState.UNKNOWN if ok is None else PhaseState.OK if ok else PhaseState.FAIL
    failed = ("P7.replay",) if word is PhaseState.FAIL else ()
    return verdict("P7", word, source=source, as_of=report_time(last), now=now, failed_checks=failed)


def unread(phases: Sequence[PhaseStatus], reasons: Mapping[str, str]) -> tuple[PhaseStatus, ...]:
    """Phases whose last report cannot be read: what it says is not known, and nothing is green.

    ``reasons`` are by phase. A failure that another report tells stays one.
    """
    return tuple(
        replace(phase, state=PhaseState.UNKNOWN, detail=reasons[phase.id])
        if phase.id in reasons and phase.state is not PhaseState.FAIL
        else phase
        for phase in phases
    )


def looked_at_since(
    phases: Sequence[PhaseStatus], definitions: Sequence[Definition], answers: Sequence[Answer]
) -> tuple[PhaseStatus, ...]:
    """A report's failure that a later look at its symptoms found gone is an old one, and no failure now."""
    leads: dict[str, list[str]] = {}
    for definition in definitions:
        for check in definition.checks:
            leads.setdefault(check, []).append(definition.id)
    known = {answer.id: answer for answer in answers}
    return tuple(_looked_at(phase, leads, known) for phase in phases)


def _looked_at(
    phase: PhaseStatus, leads: Mapping[str, Sequence[str]], known: Mapping[str, Answer]
) -> PhaseStatus:
    if phase.state is not PhaseState.FAIL or phase.origin.as_of is None:
        return phase
    later = []
    for check in phase.failed_checks:
        # An invariant's symptom is that of the gate.
        ids = leads.get(check) or (leads.get(_GATE, ()) if _INVARIANT.match(check) else ())
        found = [known[each] for each in ids if each in known]
        if any(answer.verdict is not Verdict.CLEAR for answer in found):
            return phase
        newer = [answer.id for answer in found if (answer.as_of or 0.0) > phase.origin.as_of]
        if ids and not newer:
            return phase
        later += newer
    if not later:
        return phase
    why = f"{', '.join(dict.fromkeys(later))} found it gone since; a new report tells all of it"
    return replace(
        phase, state=PhaseState.STALE, origin=replace(phase.origin, freshness=Freshness.STALE, why=why)
    )


def report_time(report: Json) -> float | None:
    """When a report was true: its end, else the one clock value that it was stamped with."""
    for key in ("finished_at", "released_at", "recorded_at", "at"):
        if (moment := epoch_seconds(report.get(key))) is not None:
            return moment
    return None


def latest_of_each(statuses: Sequence[PhaseStatus]) -> tuple[PhaseStatus, ...]:
    """All ten phases, each with the latest report on it; the rest were never evaluated."""
    chosen = {key: PhaseStatus(key, name) for key, name in PHASE_NAMES.items()}
    for status in statuses:
        known = chosen[status.id]
        if known.state is PhaseState.NEVER or (status.origin.as_of or 0.0) >= (known.origin.as_of or 0.0):
            # A later receipt does not know how the audit's checks of the same phase went.
            keeps = known.state is PhaseState.FAIL and known.failed_checks and not status.failed_checks
            chosen[status.id] = (
                replace(status, detail=status.detail or f"before: {', '.join(known.failed_checks)} failed")
                if keeps
                else status
            )
    return tuple(chosen.values())
