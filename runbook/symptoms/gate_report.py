"""What the acceptance gate says, and whether the real data agree: told once for two symptoms.

A red gate is S1.P6.acceptance while another required check is not green either, and S3.divergence
while all of them are: never both, never neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.check_report import ACCEPTANCE, AUDIT, Check, CheckReport, told
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import as_old
from runbook.symptoms.s1_p6_acceptance import GATE

DIVERGENCE = "S3.divergence"
NOT_ALONE = "S1.P6.acceptance"


@dataclass(frozen=True)
class GateState:
    """``red`` and ``blind`` are invariants; ``others`` the other required checks that are not green.

    ``audited`` is whether any audit has told of the real data; ``root`` is the kept temp root.
    """

    red: tuple[Check, ...]
    blind: tuple[Check, ...]
    others: tuple[Check, ...]
    audited: bool
    root: str | None
    source: str
    as_of: float | None

    @property
    def is_divergence(self) -> bool:
        return not self.others


def state_by_reports(
    audit: CheckReport | None, gate: CheckReport | None
) -> tuple[GateState | None, CheckReport | None]:
    """The state, and the later of the two reports; None without any."""
    reports = [each for each in (audit, gate) if each is not None]
    if not reports or (gate is None and audit is not None and GATE not in audit.checks):
        return None, None
    latest = max(reports, key=lambda each: each.finished_at or 0.0)
    invariants = _invariants(audit, gate, latest)
    told_by_gate = gate is not None and all(each in gate.checks.values() for each in invariants)
    kept = gate.raw.get("temp_root") if gate is not None and told_by_gate else None
    others = [each for each in audit.checks.values() if each.required] if audit is not None else []
    others = [each for each in others if each.id != GATE and (each.is_red or each.is_blind)]
    # That nothing else is red is as old as the audit that says so.
    times = [each.finished_at for each in (reports if not others else [latest])]
    state = GateState(
        red=tuple(each for each in invariants if each.is_red),
        blind=tuple(each for each in invariants if each.is_blind),
        others=tuple(others),
        audited=audit is not None,
        root=str(kept) if kept else None,
        source=ACCEPTANCE if told_by_gate else latest.source,
        as_of=min((each for each in times if each is not None), default=None),
    )
    return state, latest


def _invariants(audit: CheckReport | None, gate: CheckReport | None, latest: CheckReport) -> list[Check]:
    """The gate's own report, unless a later audit was handed another one: then what that says."""
    own = list(gate.checks.values()) if gate is not None else []
    told = audit.checks.get(GATE) if audit is not None else None
    if told is None or latest is gate:
        return own
    named = named_in(told)
    bad = {each.id for each in own if each.is_red or each.is_blind}
    # The audit names ten at most, and none of a gate that gave no report.
    return own if bool(bad) == bool(named) and {each.id for each in named} <= bad | {GATE} else named


def named_in(check: Check) -> list[Check]:
    """The invariants that P6 names in its examples, ``A09: what is wrong``; itself when it names none."""
    if not (check.is_red or check.is_blind):
        return []
    found = []
    for example in check.example_lines:
        name, colon, detail = example.partition(": ")
        if colon and name.startswith("A") and name[1:].isdigit():
            found.append(replace(check, id=name, detail=detail, examples=()))
    return found or [check]


# Which of the two symptoms a red gate is.
def is_alone(state: GateState) -> bool:
    return state.is_divergence


def is_not_alone(state: GateState) -> bool:
    return not state.is_divergence


def gate_answer(state: GateState | None, is_ours: Callable[[GateState], bool], told_by: str) -> Answer:
    """``is_ours`` says which of the two symptoms a red gate is; ``told_by`` names the other one."""
    if state is None:
        said = "acceptance has never run here"
        return Answer(Verdict.UNKNOWN, said, None, ACCEPTANCE, nothing_yet=True)
    if not is_ours(state):
        said = f"told by {told_by}" if state.red or state.blind else "no invariant fails"
        return Answer(Verdict.CLEAR, said, state.as_of, state.source)
    if state.red:
        return Answer(Verdict.DETECTED, told(state.red), state.as_of, state.source)
    if state.blind:
        said = "; ".join(f"{each.id} {each.status}: {each.detail}" for each in state.blind)
        return Answer(Verdict.UNKNOWN, said, state.as_of, state.source)
    return Answer(Verdict.CLEAR, "no invariant fails", state.as_of, state.source)


def answer_now(
    facts: Facts, state: GateState | None, is_ours: Callable[[GateState], bool], told_by: str
) -> Answer:
    """The same as far as it may be believed. A report that cannot be read hides no red of the other."""
    answer = as_old(gate_answer(state, is_ours, told_by), facts)
    if answer.is_detected:
        return answer
    return facts.cannot_read(ACCEPTANCE) or facts.cannot_read(AUDIT) or answer


def gate_glance(is_ours: Callable[[GateState], bool], told_by: str) -> Callable[[Facts], Answer]:
    def glance(facts: Facts) -> Answer:
        state, _ = state_by_reports(facts.audit, facts.acceptance)
        return answer_now(facts, state, is_ours, told_by)

    return glance
