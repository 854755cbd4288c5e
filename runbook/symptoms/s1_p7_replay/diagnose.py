"""S1.P7.replay: replayed tasks find no playbook, or the model's answer does not pass the validator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Verdict
from pipeline.reading.check_report import answer_of_report
from runbook.actions.settings_edit import plan_default_model, plan_unset
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ENGINE, ChangedFile, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms import s1_p7_replay as define
from runbook.symptoms.offers import code_offer, named, rerun_offer, restoring, to_restore
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


def classify(case: Case) -> Diagnosis:
    nothing = ReplayLook(model="", origin="", playbooks=None)
    look = case.found(PROBE, nothing)
    if look is nothing:
        return case.unknown(define.UNKNOWN, case.trouble(PROBE, "not examined"), define.CHECK, by=PROBE)
    code = case.code.of_phase("P7")
    cause_id, confidence = _judged(case, look, code)
    # A model that is silent was swapped as well; that speaks against nothing.
    swapped = () if cause_id == define.SILENT else (define.SWAPPED,)
    return case.concluded(
        cause_id,
        confidence,
        _evidence(case, look, code),
        places=_places(case, cause_id, look, code),
        aside=(define.EMPTY, *swapped, define.CODE_CHANGED),
        facts={
            **restoring(code if cause_id == define.CODE_CHANGED else ()),
            "model": look.model,
            "origin": look.origin,
        },
    )


def _judged(case: Case, look: ReplayLook, code: Sequence[ChangedFile]) -> tuple[str, Confidence]:
    """What the default model makes of the same task tells a swapped model from a broken judge."""
    if not look.playbooks:
        return define.EMPTY, Confidence.CERTAIN
    if look.model != define.DEFAULT_MODEL:
        default, reply = look.by_default, look.reply
        helps = default is not None and default.ok and (reply is None or not reply.ok)
        silent = reply is not None and bool(reply.trouble)
        if helps or not code:
            cause = define.SILENT if silent else define.SWAPPED
            return cause, Confidence.CERTAIN if helps else Confidence.LIKELY
    if code:
        is_own = case.code.source == "workspace"
        return define.CODE_CHANGED, Confidence.CERTAIN if is_own else Confidence.LIKELY
    return define.UNKNOWN, Confidence.UNKNOWN


def _places(case: Case, cause_id: str, look: ReplayLook, code: Sequence[ChangedFile]) -> tuple[str, ...]:
    if cause_id == define.EMPTY:
        return (f"{PLAYBOOKS}: {'no such file' if look.playbooks is None else 'no rows'}",)
    if cause_id == define.CODE_CHANGED:
        return tuple(each.told for each in code)
    if cause_id == define.UNKNOWN:
        return ()
    if look.origin == "environment":
        return (f"environment variable {define.VARIABLE}={look.model}",)
    who = next((each.told for each in case.code.files if each.path == _TOML), "as in the last-good tag")
    return (f'{_TOML} [replay] model = "{look.model}"', who)


def _evidence(case: Case, look: ReplayLook, code: Sequence[ChangedFile]) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""

    def fact(holds: object, says: str, source: str = "distill replay --no-log") -> Evidence:
        return case.judged(holds, says, says, source, by=PROBE)

    count = "There is no such file." if look.playbooks is None else f"It has {plural(look.playbooks, 'row')}."
    rows = fact(not look.playbooks, count, PLAYBOOKS)
    swapped = look.model != define.DEFAULT_MODEL
    where = define.VARIABLE if look.origin == "environment" else f"{_TOML} [replay]"
    names = f"The model is {look.model}, from {look.origin}; the default is {define.DEFAULT_MODEL}."
    model = fact(swapped, names, where)
    told = []
    if look.task is not None:
        passed = look.passed_at is not None
        before = (
            f"passed at {look.passed_at} with {look.passed_by}" if passed else "is a playbook's own title"
        )
        if look.reply is not None:
            says = f"“{look.task[:_TASK_SHOWN]}” {before}; now {look.reply.told}."
            now = fact(not look.reply.ok, says)
            told.append(now if swapped else case.fact(Stance.UNKNOWN, says, now.source, by=PROBE))
        if look.by_default is not None:
            told.append(fact(look.by_default.ok, f"The same task by the default: {look.by_default.told}."))
    changed = case.code_facts(code, "All code of replay and its validator")
    return {
        define.EMPTY: (rows,),
        define.SWAPPED: (model, *told),
        define.SILENT: (model, *told),
        define.CODE_CHANGED: (*changed, *(() if swapped else told)),
        define.UNKNOWN: (rows, model, *told, *changed),
    }


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    cause = diagnosis.cause.id
    if cause == define.EMPTY:
        yield EXPORT_RAG
    elif cause == define.CODE_CHANGED:
        code = to_restore(diagnosis)
        title = f"Restore {named(code)} from the last-good tag"
        yield code_offer(code, title, "the tag's code asked and judged well with these playbooks")
    elif cause in (define.SWAPPED, define.SILENT):
        yield _default_model(str(diagnosis.facts.get("model")), str(diagnosis.facts.get("origin")))


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


PROBES = (replay_probe(), code_probe((ENGINE, _TOML)))
SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, PROBES, rerun=rerun)
