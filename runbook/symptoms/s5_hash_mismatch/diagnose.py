"""S5.hash-mismatch: the same input gives other rows. A trained model can then never be accounted for."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import object_or_none
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_command
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.check_reports import AnswerCache
from runbook.probes.code_history import ChangedFile, CodeHistory, code_probe
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import Probe, detection_from
from runbook.probes.nondeterminism import Kind, Suspect
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.determinism import (
    BISECT,
    REPORT,
    SUSPECTS,
    DeterminismReport,
    bisect_probe,
    report_of,
    suspects_in,
    suspects_probe,
)
from runbook.symptoms.offers import named, restoring, to_restore
from runbook.symptoms.s5_hash_mismatch import CHANGED, COMMAND, DEFINITION, ID, UNKNOWN
from runbook.symptoms.s5_hash_mismatch.glance import SOON_SECONDS, answer_of, glance

_SECONDS = 1800.0
# A report that took longer than this is believed until somebody asks anew.
_AGAIN: AnswerCache[Detection] = AnswerCache()


def detect(workspace: Workspace) -> Detection:
    """By the last report. A red one is asked again, if that is soon done, once code or data moved."""
    facts = workspace.facts()
    report, seen = report_of(facts.determinism), glance(facts)
    is_old = seen.is_detected and facts.is_touched_since(seen.as_of)
    if report is None or not is_old or report.elapsed_seconds > SOON_SECONDS:
        return _detection(report, seen)
    question = (str(seen.as_of), str(report.runs))
    return _AGAIN.answer(workspace, question, lambda: rerun(workspace))


def rerun(workspace: Workspace) -> Detection:
    """As many runs as it took to see it, from scratch; the last report stays as it is."""
    facts = workspace.facts()
    report = report_of(facts.determinism)
    runs = ("--runs", str(report.runs)) if report is not None and glance(facts).is_detected else ()
    ran = workspace.engine(("determinism", *runs, "--no-report", "--json"), seconds=_SECONDS)
    printed = object_or_none(ran.stdout)
    found = report_of(printed)
    blind = Answer(Verdict.UNKNOWN, ran.reason, None, COMMAND)
    return _detection(found, blind if found is None else answer_of(printed, COMMAND))


def _detection(report: DeterminismReport | None, answer: Answer) -> Detection:
    difference = report.difference if report is not None else None
    says = f"The first row that differs is in {difference.place}." if difference else answer.observed
    lines = difference.diff if difference else ()
    evidence = Evidence.of(Stance.FOR, says, answer.source, answer.as_of or time.time(), lines)
    return detection_from(
        ID,
        answer,
        reproduce=COMMAND,
        evidence=(evidence,) if answer.is_detected else (),
        facts={
            "runs": report.runs if report is not None else None,
            "place": difference.place if difference else None,
        },
    )


def _runs(detection: Detection) -> int:
    found = detection.facts.get("runs")
    return found if isinstance(found, int) else 2


def classify(case: Case) -> Diagnosis:
    """The commit that bisecting names, and the new suspects in the files it touched."""
    history, (new, found) = case.code, suspects_in(case)
    bisected = case.outputs.get(BISECT)
    seen = bisected.members if bisected is not None else {}
    commit, said = seen.get("commit"), str(seen.get("says") or case.trouble(BISECT))
    files = _culprits(history, commit if isinstance(commit, str) else None, found if new else [])
    accused = [each for each in found if new and each.path in {file.path for file in files}]
    cause_id = str(min((each.kind for each in accused), key=list(Kind).index)) if accused else CHANGED
    if not files:
        cause_id = UNKNOWN
    evidence: list[Evidence] = []
    if SUSPECTS in case.outputs:
        evidence.append(_of_suspects(case, accused or found, bool(accused)))
    if bisected is not None:
        stance, who = (Stance.FOR, "the first bad commit is ") if commit else (Stance.UNKNOWN, "")
        source, log = " ".join(bisected.argv) or "git bisect", str(seen.get("log") or "").splitlines()
        evidence.append(case.fact(stance, f"git bisect: {who}{said}", source, log, by=BISECT))
    evidence += case.code_facts(files, "All of the engine")
    confidence = Confidence.LIKELY if accused or commit else Confidence.POSSIBLE
    if accused and (commit or len(history.files) == 1):
        confidence = Confidence.CERTAIN
    place = case.detection.facts.get("place")
    found_cause = case.concluded(
        cause_id,
        confidence if files else Confidence.UNKNOWN,
        {cause_id: evidence},
        places=(
            *((f"commit {said}",) if commit else ()),
            *(each.told for each in accused or files),
            *((f"first seen in {place}",) if place else ()),
        ),
        facts=restoring(files) | {"commit": said if commit else None},
    )
    innocent = [each for each in history.files if each not in files]
    return found_cause.model_copy(update={"considered": _set_aside(case, innocent)})


def _culprits(history: CodeHistory, commit: str | None, new: Sequence[Suspect]) -> tuple[ChangedFile, ...]:
    """What the accused commit touched, with a suspect in it if any; without a commit, by suspects alone."""
    suspected = {each.path for each in new}
    touched = [
        each for each in history.files if commit and any(one.startswith(commit[:12]) for one in each.commits)
    ]
    if commit is None:
        touched = [each for each in history.files if each.path in suspected] or list(history.files)
    return tuple([each for each in touched if each.path in suspected] or touched)


def _of_suspects(case: Case, found: Sequence[Suspect], accused: bool) -> Evidence:
    says = "New in the suspected code." if accused else "The suspected code has no such pattern."
    stance, told = Stance.FOR if accused else Stance.UNKNOWN, [each.told for each in found]
    return case.fact(stance, case.trouble(SUSPECTS, says), "the code's syntax tree", told, by=SUSPECTS)


def _set_aside(case: Case, innocent: Sequence[ChangedFile]) -> tuple[Cause, ...]:
    if not innocent:
        return ()
    told = case.changed_code(innocent, stance=Stance.AGAINST)
    sentence = "Other code changed as well, and is not suspected."
    return (Cause(id=CHANGED, sentence=sentence, confidence=Confidence.UNKNOWN, evidence=told),)


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """The accused file back, with or without a new run; the report is made anew either way."""
    files = to_restore(diagnosis)
    if not files:
        return ()
    commit, runs = diagnosis.facts.get("commit"), _runs(detection)

    def restoring_then(*commands: tuple[str, ...]) -> Offer:
        def make(planning: Planning, _answers: Answers) -> Draft:
            return _plan(planning, files, commands, str(commit) if commit else None, runs)

        rest = f", then {', '.join(words[0] for words in commands)}" if commands else ""
        why = "rows that were made with it stay" if not commands else "and the rows are made again"
        name = "restore-and-run" if commands else "restore"
        return Offer(name, f"Restore {named(files)}{rest}", f"removes the suspected code; {why}", make)

    return (restoring_then(), restoring_then(("run-all",)))


def _plan(
    planning: Planning,
    files: Sequence[ChangedFile],
    commands: Sequence[tuple[str, ...]],
    commit: str | None,
    runs: int,
) -> Draft:
    draft = plan_code_repair(planning, files, then=commands)
    notes = [f"the commit that brought it: {commit}"] if commit else []
    notes += [
        f"{each.path} goes back past {len(each.commits)} commits" for each in files if len(each.commits) > 1
    ]
    if planning.workspace.runs_own_engine:
        again = plan_command(
            planning,
            ["determinism", "--runs", str(runs)],
            title="Compare two runs again",
            touches=[REPORT],
            ends_with=(ExitCode.OK, ExitCode.CHECK_FAILED),
        )
        draft = joined(draft.plan.title, [draft, again])
    return draft.noting(*notes)


def probes(detection: Detection) -> tuple[Probe, ...]:
    return (
        code_probe(title="The engine's code since the last-good tag"),
        suspects_probe(),
        bisect_probe(_runs(detection)),
    )


SYMPTOM = diagnosed(DEFINITION, detect, classify, offers, probes, rerun=rerun)
