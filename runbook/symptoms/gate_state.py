"""What the acceptance gate says, and whether the real data agree: told once for two symptoms.

A red gate is S1.P6.acceptance while another required check is not green either, and S3.divergence
while all of them are: never both, never neither. Which code may be behind
a red invariant is told by what that one watches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.contracts.status import Answer
from pipeline.platform.lenient_json import texts_of
from pipeline.reading.check_report import ACCEPTANCE, Check
from pipeline.reading.facts import Facts
from runbook.case import Case
from runbook.probes.check_reports import AnswerCache, look_again, red_again
from runbook.probes.code_history import ChangedFile, CodeHistory
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import Detector, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptoms import s1_p6_acceptance as define
from runbook.symptoms.gate_report import GateState, answer_now, gate_answer, named_in, state_by_reports
from runbook.symptoms.offers import restoring
from runbook.symptoms.s1_p6_acceptance import GATE

# Two symptoms ask the same, at once.
_AGAIN: AnswerCache[dict[str, Check]] = AnswerCache()
_GATE = "P6"
_RUN = ("P2", "P3", "P4", "P5")


def read_gate(workspace: Workspace, facts: Facts) -> GateState | None:
    """By the last reports; what of them is older than code or data is asked again where the gate is red:
    its invariants, and the checks of the real data, green ones too. None without any report.
    """
    state, latest = state_by_reports(facts.audit, facts.acceptance)
    if state is None or latest is None or not state.red:
        return state
    known = {each.id: each for each in (*state.red, *state.blind, *state.others)}
    asked = [each.id for each in state.red] if facts.is_touched_since(latest.finished_at) else []
    again: dict[str, Check] = {}
    if facts.audit is not None and facts.is_touched_since(facts.audit.finished_at):
        again = red_again(workspace, facts.audit)
        # The green of other code says nothing of this one: an engine that fails now is no divergence.
        required = (each.id for each in facts.audit.checks.values() if each.required and each.id != GATE)
        asked += [each for each in required if each not in again]
    if asked:
        again = again | _AGAIN.answer(workspace, tuple(asked), lambda: look_again(workspace, asked))
    return _answered(state, known | again) if again else state


def ask_gate(workspace: Workspace, facts: Facts) -> GateState:
    """The invariants that failed anew, or all of them where none did. The data are not asked again."""
    state, _ = state_by_reports(facts.audit, facts.acceptance)
    asked = [each.id for each in (*state.red, *state.blind)] if state is not None else []
    seen = look_again(workspace, asked or [GATE])
    known = state or GateState((), (), (), False, None, ACCEPTANCE, None)
    return _answered(known, {**seen, **{each.id: each for each in known.others}})


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


def gate_looks(
    symptom_id: str, is_ours: Callable[[GateState], bool], told_by: str
) -> tuple[Detector, Detector]:
    """Two looks: by the last acceptance and audit, with what was red asked again where code or data moved
    since; and the failed invariants anew. What else was red in the last audit has symptoms of its own.

    ``is_ours`` says which of the two symptoms a red gate is; ``told_by`` names the other one.
    """

    def detect(workspace: Workspace) -> Detection:
        facts = workspace.facts()
        state = read_gate(workspace, facts)
        return _detection(symptom_id, state, answer_now(facts, state, is_ours, told_by))

    def rerun(workspace: Workspace) -> Detection:
        state = ask_gate(workspace, workspace.facts())
        return _detection(symptom_id, state, gate_answer(state, is_ours, told_by))

    return detect, rerun


def _detection(symptom_id: str, state: GateState | None, answer: Answer) -> Detection:
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
        says, stance = "No audit of the real data has run.", Stance.UNKNOWN
    elif state.is_divergence:
        says, stance = "Every other required check of the last audit is green.", Stance.FOR
    else:
        return (*fixture, *(_evidence_of(each) for each in state.others))
    return (*fixture, Evidence.of(stance, says, "distill audit-full", state.as_of or time.time()))


def _evidence_of(check: Check) -> Evidence:
    says, read_at = f"{check.id} {check.status}: {check.detail}", check.as_of or time.time()
    return Evidence.of(Stance.FOR, says, check.source, read_at, check.example_lines)


def red_invariants(detection: Detection) -> tuple[str, ...]:
    return texts_of(detection.facts, "checks")


def other_checks(detection: Detection) -> tuple[str, ...]:
    return texts_of(detection.facts, "others")


@dataclass(frozen=True)
class Watched:
    """``phases`` in order of suspicion: the first group in which code changed is taken.

    ``sees`` says what the fixture holds, or does, that a workspace's own data seldom do.
    """

    phases: tuple[tuple[str, ...], ...]
    sees: str


WATCHED: dict[str, Watched] = {
    "A01": Watched((_RUN, ("P7",)), "It watches every write, also those outside of the workspace."),
    "A02": Watched((), "It tries settings that no workspace would keep."),
    "A03": Watched(
        (("P1",),), "It tries each schema with rows that must be refused, and real runs write none."
    ),
    "A04": Watched(
        (("P2",), ("P4", "P5")), "Its lines have none, one and many parts; real streams have one part each."
    ),
    "A05": Watched(
        (("P2",), ("P4", "P5")), "Torn, nested, oversized and lying lines, and names that steer a terminal."
    ),
    "A06": Watched((("P2",), ("P5",), ("P4",)), "It reads every offset back, also in packed files."),
    "A07": Watched((("P2",), ("P4", "P5")), "The same lines in two files and in the opposite order."),
    "A08": Watched((("P5",), _RUN), "It runs twice on files that only changed their times."),
    "A09": Watched((("P3",), ("P2",)), "Each kind of signal is there and counted by hand."),
    "A10": Watched((("P3",),), "Rewards just below and just above each threshold."),
    "A11": Watched((("P3",),), "A person's decision against every other signal."),
    "A12": Watched((("P3",),), "Runs whose signals contradict each other."),
    "A13": Watched(
        (("P4",), ("P1",)),
        "It takes two of the three walls away and looks whether the third holds alone; in a real run "
        "the other two still stand.",
    ),
    "A14": Watched((("P4",),), "Rows planted in SFT as a forger would; the firewall is the installed one."),
    "A15": Watched((("P4",), ("P3",)), "Tasks in which every kind of pair could be made, good and bad."),
    "A16": Watched((("P4",),), "Runs of every category with playbooks worth keeping."),
    "A17": Watched((("P4",), ("P5",)), "Copies, conflicts and refusals of every kind, counted one by one."),
    "A18": Watched((("P5",), ("P4",)), "It works out every claim of the receipts from the files again."),
    "A19": Watched(
        (_RUN,), "It runs under other hash seeds, zones, locales, umasks, workers and chunk sizes."
    ),
    "A20": Watched((("P5",), _RUN), "It kills runs at every commit point; real ones are seldom killed."),
    "A21": Watched((("P7",), ("P4",)), "A task whose one right playbook is known."),
    "A22": Watched(
        (("P7",),), "Answers that say nothing, and none at all; the built-in model gives no such."
    ),
}


def suspicion(case: Case) -> Diagnosis:
    """Who may be behind the red invariants, with what speaks for and against it."""
    ids, history = red_invariants(case.detection), case.code
    files, cause_id = _suspects(ids, history)
    rest = [each for each in history.files if each not in files]
    confidence = Confidence.UNKNOWN
    if files:
        alone = not rest and len({each.phase for each in files}) == 1
        sure = cause_id != define.SHARED_CHANGED and alone and history.source == "workspace"
        confidence = Confidence.CERTAIN if sure else Confidence.LIKELY
    aside = _set_aside(case, cause_id, ids, rest)
    return case.concluded(
        cause_id,
        confidence,
        {**aside, cause_id: case.code_facts(files, "All of the engine's code")},
        places=(*(f"{each} watches {_phases(each)}" for each in ids), *(each.told for each in files)),
        aside=aside,
        facts=restoring(files),
    )


def _suspects(ids: Sequence[str], history: CodeHistory) -> tuple[tuple[ChangedFile, ...], str]:
    gate = history.of_phase(_GATE)
    found = {each.path: each for name in ids for each in _of_watched(name, history)}
    if found or gate:
        chosen = {**found, **{each.path: each for each in gate}}
        cause = define.PHASE_CHANGED if found else define.GATE_EDITED
        return tuple(chosen[path] for path in sorted(chosen)), cause
    return (history.files, define.SHARED_CHANGED) if history.files else ((), define.UNKNOWN)


def _of_watched(name: str, history: CodeHistory) -> tuple[ChangedFile, ...]:
    groups = WATCHED[name].phases if name in WATCHED else ()
    return next((files for group in groups if (files := history.of_phase(*group))), ())


def _phases(name: str) -> str:
    watched = WATCHED[name].phases if name in WATCHED else ()
    phases = dict.fromkeys(phase for group in watched for phase in group)
    return ", ".join(phases) or "what serves all phases"


def _set_aside(
    case: Case, cause_id: str, ids: Sequence[str], rest: Sequence[ChangedFile]
) -> dict[str, tuple[Evidence, ...]]:
    found: dict[str, tuple[Evidence, ...]] = {}
    if cause_id != define.PHASE_CHANGED:
        watched = ", ".join(dict.fromkeys(_phases(name) for name in ids))
        found[define.PHASE_CHANGED] = (case.unchanged_code(f"The code of {watched}"),)
    if cause_id not in (define.GATE_EDITED, define.UNKNOWN) and not case.code.of_phase(_GATE):
        found[define.GATE_EDITED] = (case.unchanged_code("The gate and its fixture"),)
    if cause_id != define.SHARED_CHANGED and rest:
        found[define.SHARED_CHANGED] = case.changed_code(rest, stance=Stance.UNKNOWN)
    return found
