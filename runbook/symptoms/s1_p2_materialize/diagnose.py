"""S1.P2.materialize: the sources' lines do not become evidence, or evidence does not stand on them."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import objects_of
from runbook.actions.golden_line import plan_golden_line
from runbook.actions.rerun_stage import plan_rerun
from runbook.actions.settings_edit import plan_stream_edits
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.change.refusals import refused
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import code_probe
from runbook.probes.evidence import Detection, Diagnosis
from runbook.probes.settings_history import settings_probe
from runbook.symptom import Answers, Offer, Question, diagnosed
from runbook.symptoms import s1_p2_materialize as define
from runbook.symptoms.claims import claims_probe
from runbook.symptoms.field_renames import Rename
from runbook.symptoms.materialize_causes import STAGE, diagnose
from runbook.symptoms.offers import RUN_ALL, as_tagged, fitting_first, rerun_offer
from runbook.symptoms.s1_p2_materialize.glance import glance
from runbook.symptoms.stream_shapes import Shape, streams_probe

_LEAVE = "leave"
_GOLDEN = Question(
    "golden",
    "Keep one line of the new shape as a golden line?",
    kind="choice",
    choices=(
        (
            "yes",
            "Yes: a line of the source goes into tests/, which git tracks; you see it before you consent",
        ),
        ("no", "No: nothing of the source is kept"),
    ),
    default="yes",
)


detect, rerun = by_checks(define.ID, define.CHECKS, glance)


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """The way that fits the cause first; the others stay possible where there is something to do."""
    if detection.verdict is not Verdict.DETECTED or diagnosis.see is not None:
        return ()
    cause = diagnosis.cause.id
    ways = [(define.SHAPE, each) for each in edit_offers(diagnosis)]
    ways += as_tagged(diagnosis, define.TRANSFORM, define.SETTING)
    if cause in (define.TOUCHED, define.REWRITTEN):
        ways.append((cause, AGAIN))
    return fitting_first(ways, cause)


def edit_offers(diagnosis: Diagnosis) -> list[Offer]:
    """One a stream: its rules read the new names instead of the old ones."""
    shapes = [Shape.model_validate(each) for each in objects_of(diagnosis.facts, "shapes")]
    return [_edit(f"edit{'' if len(shapes) == 1 else f'-{each.stream}'}", each) for each in shapes]


def _edit(offer_id: str, shape: Shape) -> Offer:
    best = list(shape.best().items())
    questions = [_which(number, old, new) for number, (old, new) in enumerate(best)]

    def make(planning: Planning, answers: Answers) -> Draft:
        chosen = [
            (old, answers[question.id])
            for question, (old, _) in zip(questions, best, strict=True)
            if answers[question.id] != _LEAVE
        ]
        if not chosen:
            raise refused("nothing_chosen", "Every name was left as it is.", "Choose a new name for one.")
        drafts = [plan_stream_edits(planning, shape.stream, chosen)]
        title = f"{drafts[0].plan.title}, then {RUN_ALL}"
        if answers[_GOLDEN.id] == "yes":
            gives = sorted({field for old, _ in chosen for field in shape.best()[old][0].fields})
            drafts.append(plan_golden_line(planning, shape.stream, chosen[0][1], gives))
        return joined(title, [*drafts, plan_rerun(planning, RUN_ALL)])

    told = ", ".join(f"{new[0].new} instead of {old}" for old, new in best)
    return Offer(
        offer_id,
        f"Let stream {shape.stream} read {told}",
        "distill.toml is edited in its own words, tried in a dry run first, and the outputs are made again",
        make,
        (*questions, _GOLDEN),
    )


def _which(number: int, old: str, candidates: tuple[Rename, ...]) -> Question:
    return Question(
        "new" if number == 0 else f"new-{number + 1}",
        f"No line has {old}. What is it called now?",
        kind="choice",
        choices=(
            *((each.new, f"{each.new}: in {plural(each.lines, 'line')}, {each.kind}") for each in candidates),
            (_LEAVE, "none of these: leave that rule as it is"),
        ),
        default=candidates[0].new,
    )


AGAIN = rerun_offer(
    "rerun",
    f"Make evidence and all that follows from it again: {RUN_ALL}",
    "sources, rules and code are sound; what stands is not what they lead to",
    RUN_ALL,
)

# The dearest one last: a wizard that is cut off begins again with the first.
PROBES = (code_probe(), settings_probe(), claims_probe(STAGE, str(paths.EVIDENCE)), streams_probe())
SYMPTOM = diagnosed(define.DEFINITION, detect, diagnose, offers, PROBES, rerun=rerun)
