"""What the acceptance gate says, and whether the real data agree: told once for two symptoms.

A red gate is S1.P6.acceptance while another required check is not green either, and S3.divergence
while all of them are: never both, never neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pipeline.contracts.status import Verdict
from runbook.probes.check_reports import (
    ACCEPTANCE,
    CheckReport,
    SeenCheck,
    last_acceptance,
    last_audit,
    look_again,
    red_again,
)
from runbook.probes.evidence import Detection, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p6_acceptance.define import GATE
from runbook.wizard.asked_again import AskedAgain
from runbook.wizard.touched import is_touched_since

# Two symptoms ask the same, at once.
_AGAIN: AskedAgain[dict[str, SeenCheck]] = AskedAgain()


@dataclass(frozen=True)
class GateState:
    """``red`` and ``blind`` are invariants; ``others`` the other required checks that are not green.

    ``audited`` is whether any audit has told of the real data; ``root`` is the kept temp root.
    """

    red: tuple[SeenCheck, ...]
    blind: tuple[SeenCheck, ...]
    others: tuple[SeenCheck, ...]
    audited: bool
    root: str | None
    source: str
    as_of: float | None

    @property
    def is_divergence(self) -> bool:
        return not self.others


def read_gate(workspace: Workspace) -> GateState | None:
    """By the last reports; what is red there is asked again where they are too old. None without any."""
    state, latest = _by_reports(workspace)
    if (
        state is None
        or latest is None
        or not state.red
        or not is_touched_since(workspace, latest.finished_at)
    ):
        return state
    asked = tuple(each.id for each in state.red)
    again = _AGAIN.answer(workspace, asked, lambda: look_again(workspace, asked))
    audit = last_audit(workspace)
    others = {each.id: each for each in state.others} | (red_again(workspace, audit) if audit else {})
    return _answered(state, others | again)


def ask_gate(workspace: Workspace) -> GateState:
    """The invariants that failed anew, or all of them where none did. The data are not asked again."""
    state, _ = _by_reports(workspace)
    asked = [each.id for each in (*state.red, *state.blind)] if state is not None else []
    seen = look_again(workspace, asked or [GATE])
    known = state or GateState((), (), (), False, None, ACCEPTANCE, None)
    return _answered(known, {**seen, **{each.id: each for each in known.others}})


def _by_reports(workspace: Workspace) -> tuple[GateState | None, CheckReport | None]:
    audit, gate = last_audit(workspace), last_acceptance(workspace)
    reports = [each for each in (audit, gate) if each is not None]
    if not reports or (gate is None and audit is not None and GATE not in audit.checks):
        return None, None
    latest = max(reports, key=lambda each: each.finished_at or 0.0)
    invariants = _invariants(audit, gate, latest)
    told_by_gate = gate is not None and all(each in gate.checks.values() for each in invariants)
    kept = gate.raw.get("temp_root") if gate is not None and told_by_gate else None
    others = [each for each in audit.checks.values() if each.required] if audit is not None else []
    state = GateState(
        red=tuple(each for each in invariants if each.is_red),
        blind=tuple(each for each in invariants if each.is_blind),
        others=tuple(each for each in others if each.id != GATE and (each.is_red or each.is_blind)),
        audited=audit is not None,
        root=str(kept) if kept else None,
        source=ACCEPTANCE if told_by_gate else latest.source,
        as_of=latest.finished_at,
    )
    return state, latest


def _invariants(audit: CheckReport | None, gate: CheckReport | None, latest: CheckReport) -> list[SeenCheck]:
    """The gate's own report, unless a later audit was handed another one: then what that says."""
    own = list(gate.checks.values()) if gate is not None else []
    told = audit.checks.get(GATE) if audit is not None else None
    if told is None or latest is gate:
        return own
    named = _named_in(told)
    bad = {each.id for each in own if each.is_red or each.is_blind}
    # The audit names ten at most, and none of a gate that gave no report.
    return own if bool(bad) == bool(named) and {each.id for each in named} <= bad | {GATE} else named


def _named_in(check: SeenCheck) -> list[SeenCheck]:
    """The invariants that P6 names in its examples, ``A09: what is wrong``; itself when it names none."""
    if not (check.is_red or check.is_blind):
        return []
    found = []
    for example in check.examples:
        name, colon, detail = example.partition(": ")
        if colon and name.startswith("A") and name[1:].isdigit():
            found.append(replace(check, id=name, detail=detail, examples=()))
    return found or [check]


def _answered(state: GateState, seen: dict[str, SeenCheck]) -> GateState:
    invariants: list[SeenCheck] = []
    others = []
    for each in seen.values():
        if each.id == GATE:
            invariants += _named_in(each)
        elif each.phase == "P6":
            invariants.append(each)
        elif each.is_red or each.is_blind:
            others.append(each)
    return replace(
        state,
        red=tuple(each for each in invariants if each.is_red),
        blind=tuple(each for each in invariants if each.is_blind),
        others=tuple(others),
        source="distill acceptance",
        as_of=time.time(),
    )


def detection_of_gate(
    symptom_id: str, state: GateState | None, is_ours: Callable[[GateState], bool], told_by: str
) -> Detection:
    """``is_ours`` says which of the two symptoms a red gate is; ``told_by`` names the other one."""
    now = time.time()
    if state is None:
        verdict, observed = Verdict.UNKNOWN, "acceptance was never run here"
    elif not is_ours(state):
        verdict = Verdict.CLEAR
        observed = f"told by {told_by}" if state.red or state.blind else "no invariant fails"
    elif state.red:
        verdict = Verdict.DETECTED
        observed = "; ".join(f"{each.id}: {each.detail}" for each in state.red)
    elif state.blind:
        verdict = Verdict.UNKNOWN
        observed = "; ".join(f"{each.id} {each.status}: {each.detail}" for each in state.blind)
    else:
        verdict, observed = Verdict.CLEAR, "no invariant fails"
    red = state.red if state is not None else ()
    return Detection(
        symptom_id=symptom_id,
        verdict=verdict,
        observed=observed,
        read_at=now,
        as_of=state.as_of if state is not None else None,
        source=state.source if state is not None else ACCEPTANCE,
        reproduce=" ".join(("distill acceptance", *(f"--check {each.id}" for each in red))),
        evidence=_evidence(state, now) if verdict is Verdict.DETECTED and state is not None else (),
        facts={
            "checks": [each.id for each in red],
            "others": [each.id for each in state.others] if state is not None else [],
            "root": state.root if state is not None else None,
        },
    )


def _evidence(state: GateState, now: float) -> tuple[Evidence, ...]:
    fixture = [_told(each, now) for each in state.red]
    if not state.audited:
        says, stance = "No audit has told how the real data stand.", Stance.UNKNOWN
    elif state.is_divergence:
        says, stance = "Every other required check of the last audit is green.", Stance.FOR
    else:
        return (*fixture, *(_told(each, now) for each in state.others))
    return (*fixture, Evidence(stance=stance, says=says, source="distill audit-full", read_at=now))


def _told(check: SeenCheck, now: float) -> Evidence:
    return Evidence(
        stance=Stance.FOR,
        says=f"{check.id} {check.status}: {check.detail}",
        source=check.source,
        read_at=now,
        lines=check.examples,
    )


def red_invariants(detection: Detection) -> tuple[str, ...]:
    found = detection.facts.get("checks")
    return _texts(found) if isinstance(found, list) else ()


def other_checks(detection: Detection) -> tuple[str, ...]:
    found = detection.facts.get("others")
    return _texts(found) if isinstance(found, list) else ()


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(each) for each in values)
