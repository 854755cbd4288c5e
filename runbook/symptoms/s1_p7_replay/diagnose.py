"""S1.P7.replay: replayed tasks find no playbook, or the model's answer does not pass the validator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Verdict
from pipeline.reading.check_report import answer_of_report
from runbook.actions.settings_edit import plan_default_model, plan_unset
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import CODE, ENGINE, ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe, concluded, found_by
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms import s1_p7_replay as define
from runbook.symptoms.code_evidence import code_evidence, named, restoring, to_restore
from runbook.symptoms.offers import code_offer, rerun_offer
from runbook.symptoms.replay_look import (
    PLAYBOOKS,
    PROBE,
    ReplayLook,
    refused_since_it_passed,
    replay_probe,
)
from runbook.symptoms.s1_p7_replay.glance import LOG, glance, is_silent

_TOML = str(paths.SETTINGS)
_TASK_SHOWN = 200
_by_report, _check_anew = by_checks(define.ID, (define.CHECK,), glance)


def detect(workspace: Workspace) -> Detection:
    """By the last audit; anew where it is not the audit that rings, but a replay that was logged since,
    and where the model gave no answer, once something was touched since."""
    facts = workspace.facts()
    report = facts.audit
    was_silent = is_silent(answer_of_report((define.CHECK,), report))
    if was_silent and report is not None and facts.is_touched_since(report.finished_at):
        return rerun(workspace)
    seen = _by_report(workspace)
    return rerun(workspace) if seen.verdict is Verdict.DETECTED and seen.source == LOG else seen


def rerun(workspace: Workspace) -> Detection:
    """The check anew; where it passes, the task that the log saw refused, if it ever passed before."""
    seen = _check_anew(workspace)
    refused = refused_since_it_passed(workspace) if seen.verdict is Verdict.CLEAR else None
    if refused is None:
        return seen
    task, reply = refused
    observed = f"a task that used to pass: {reply.told}"
    said = Evidence.of(Stance.FOR, observed, LOG, seen.read_at, (task[:_TASK_SHOWN],))
    facts = {**seen.facts, "checks": [define.CHECK]}
    return seen.model_copy(
        update={"verdict": Verdict.DETECTED, "observed": observed, "evidence": (said,), "facts": facts}
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    look, history = found_by(outputs.get(PROBE), ReplayLook), read_code(outputs.get(CODE))
    read_at = outputs[PROBE].read_at if PROBE in outputs else detection.read_at
    code = history.of_phase("P7")
    if look is None:
        said = outputs[PROBE].trouble if PROBE in outputs else "nobody looked"
        blind = Evidence.of(Stance.UNKNOWN, said, define.CHECK, read_at)
        cause = Cause(id=define.UNKNOWN, sentence=said, confidence=Confidence.UNKNOWN, evidence=(blind,))
        return Diagnosis(cause=cause)
    cause_id, confidence = _judged(look, code, history)
    evidence = _evidence(look, code, history, read_at)
    facts = restoring(code if cause_id == define.CODE_CHANGED else ())
    return concluded(
        define.CAUSES,
        cause_id,
        confidence,
        evidence,
        first=detection.evidence,
        places=_places(cause_id, look, code, history),
        # A model that is silent was swapped as well; that speaks against nothing.
        aside=(define.EMPTY, define.CODE_CHANGED)
        if cause_id == define.SILENT
        else (define.EMPTY, define.SWAPPED, define.CODE_CHANGED),
        facts={**facts, "model": look.model, "origin": look.origin},
    )


def _judged(look: ReplayLook, code: Sequence[ChangedFile], history: CodeHistory) -> tuple[str, Confidence]:
    """What the default model makes of the same task tells a swapped model from a broken judge."""
    if not look.playbooks:
        return define.EMPTY, Confidence.CERTAIN
    if look.model != define.DEFAULT_MODEL:
        default, reply = look.by_default, look.reply
        helps = default is not None and default.ok and (reply is None or not reply.ok)
        silent = reply is not None and bool(reply.trouble)
        if helps or not code:
            return (
                define.SILENT if silent else define.SWAPPED
            ), Confidence.CERTAIN if helps else Confidence.LIKELY
    if code:
        return define.CODE_CHANGED, Confidence.CERTAIN if history.source == "workspace" else Confidence.LIKELY
    return define.UNKNOWN, Confidence.UNKNOWN


def _places(
    cause_id: str, look: ReplayLook, code: Sequence[ChangedFile], history: CodeHistory
) -> tuple[str, ...]:
    if cause_id == define.EMPTY:
        return (f"{PLAYBOOKS}: {'no such file' if look.playbooks is None else 'no rows'}",)
    if cause_id == define.CODE_CHANGED:
        return tuple(each.told for each in code)
    if cause_id == define.UNKNOWN:
        return ()
    if look.origin == "environment":
        return (f"environment variable {define.VARIABLE}={look.model}",)
    who = next((each.told for each in history.files if each.path == _TOML), "as in the last-good tag")
    return (f'{_TOML} [replay] model = "{look.model}"', who)


def _evidence(
    look: ReplayLook, code: Sequence[ChangedFile], history: CodeHistory, read_at: float
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""

    def fact(stance: Stance, says: str, source: str = "distill replay --no-log") -> Evidence:
        return Evidence.of(stance, says, source, read_at)

    count = "There is no such file." if look.playbooks is None else f"It has {plural(look.playbooks, 'row')}."
    rows = fact(Stance.AGAINST if look.playbooks else Stance.FOR, count, PLAYBOOKS)
    swapped = look.model != define.DEFAULT_MODEL
    where = define.VARIABLE if look.origin == "environment" else f"{_TOML} [replay]"
    model = fact(
        Stance.FOR if swapped else Stance.AGAINST,
        f"The model is {look.model}, from {look.origin}; the default is {define.DEFAULT_MODEL}.",
        where,
    )
    told = []
    if look.task is not None:
        passed = look.passed_at is not None
        before = (
            f"passed at {look.passed_at} with {look.passed_by}" if passed else "is a playbook's own title"
        )
        task = f"“{look.task[:_TASK_SHOWN]}” {before}"
        if look.reply is not None:
            stance = Stance.AGAINST if look.reply.ok else Stance.FOR
            told.append(fact(stance if swapped else Stance.UNKNOWN, f"{task}; now {look.reply.told}."))
        if look.by_default is not None:
            stance = Stance.FOR if look.by_default.ok else Stance.AGAINST
            told.append(fact(stance, f"The same task by the default: {look.by_default.told}."))
    what = "All code of replay and its validator"
    changed = code_evidence(history, code, what, read_at)
    return {
        define.EMPTY: (rows,),
        define.SWAPPED: (model, *told),
        define.SILENT: (model, *told),
        define.CODE_CHANGED: (*changed, *(() if swapped else told)),
        define.UNKNOWN: (rows, model, *told, *changed),
    }


def offers(_detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    if diagnosis is None:
        return ()
    match diagnosis.cause.id:
        case define.EMPTY:
            return (EXPORT_RAG,)
        case define.CODE_CHANGED:
            code = to_restore(diagnosis)
            title = f"Restore {named(code)} from the last-good tag"
            return (code_offer(code, title, "the tag's code asked and judged well with these playbooks"),)
        case define.SWAPPED | define.SILENT:
            return (_default_model(str(diagnosis.facts.get("model")), str(diagnosis.facts.get("origin"))),)
        case _:
            return ()


def _default_model(model: str, origin: str) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        if origin == "environment":
            return plan_unset(planning, define.VARIABLE, model)
        return plan_default_model(planning)

    return Offer(
        "default-model",
        f"Back to the default model, {define.DEFAULT_MODEL}, from {model}",
        "it answers from the playbooks themselves, offline and always alike",
        make,
    )


EXPORT_RAG = rerun_offer(
    "export-rag",
    "Export the playbooks again from today's verdicts",
    "retrieval reads nothing else; where no run is accepted it stays empty, and scoring comes first",
    "export-rag",
)


def probes(_detection: Detection) -> tuple[Probe, ...]:
    return (replay_probe(), code_probe((ENGINE, _TOML)))


SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes, rerun)
