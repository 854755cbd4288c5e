"""What the acceptance gate says, and whether the real data agree: told once for two symptoms.

A red gate is S1.P6.acceptance while another required check is not green either, and S3.divergence
while all of them are: never both, never neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pipeline.platform.lenient_json import texts_of
from pipeline.reading.check_report import ACCEPTANCE, Check, CheckReport
from runbook.probes.answer_cache import AnswerCache
from runbook.probes.check_reports import last_acceptance, last_audit, look_again, red_again
from runbook.probes.conclusions import detection_from
from runbook.probes.evidence import Detection, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptoms.gate_report import GateState, gate_answer, named_in, state_by_reports
from runbook.symptoms.s1_p6_acceptance.define import GATE

# Two symptoms ask the same, at once.
_AGAIN: AnswerCache[dict[str, Check]] = AnswerCache()


def read_gate(workspace: Workspace) -> GateState | None:
    """By the last reports; what is red there is asked again where they are too old. None without any."""
    state, latest = _by_reports(workspace)
    if state is None or latest is None or not state.red or not workspace.is_touched_since(latest.finished_at):
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
    return state_by_reports(last_audit(workspace), last_acceptance(workspace))


def _answered(state: GateState, seen: dict[str, Check]) -> GateState:
    invariants: list[Check] = []
    others = []
    for each in seen.values():
        if each.id == GATE:
            invariants += named_in(each)
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
    answer = gate_answer(state, is_ours, told_by)
    red = state.red if state is not None else ()
    return detection_from(
        symptom_id,
        answer,
        reproduce=" ".join(("distill acceptance", *(f"--check {each.id}" for each in red))),
        evidence=_evidence(state) if answer.is_detected and state is not None else (),
        facts={
            "checks": [each.id for each in red],
            "others": [each.id for each in state.others] if state is not None else [],
            "root": state.root if state is not None else None,
        },
    )


def _evidence(state: GateState) -> tuple[Evidence, ...]:
    fixture = [_evidence_of(each) for each in state.red]
    if not state.audited:
        says, stance = "No audit has told how the real data stand.", Stance.UNKNOWN
    elif state.is_divergence:
        says, stance = "Every other required check of the last audit is green.", Stance.FOR
    else:
        return (*fixture, *(_evidence_of(each) for each in state.others))
    return (
        *fixture,
        Evidence.of(stance, says, "distill audit-full", state.as_of or time.time()),
    )


def _evidence_of(check: Check) -> Evidence:
    return Evidence(
        stance=Stance.FOR,
        says=f"{check.id} {check.status}: {check.detail}",
        source=check.source,
        read_at=check.as_of or time.time(),
        lines=check.example_lines,
    )


def red_invariants(detection: Detection) -> tuple[str, ...]:
    return texts_of(detection.facts, "checks")


def other_checks(detection: Detection) -> tuple[str, ...]:
    return texts_of(detection.facts, "others")
