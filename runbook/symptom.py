"""What a symptom is made of beside its definition: a detector, probes, a classification, offers.

Each ``symptoms/<id>/diagnose.py`` builds one ``Symptom``. Detectors and probes only read. ``classify``
and ``offers`` are pure: they are called again when an incident is re-opened, from what its
journal kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from pipeline.contracts.status import Answer
from pipeline.contracts.symptoms import Definition
from pipeline.reading.facts import Facts
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.looks import Detector, Probe
from runbook.probes.workspace import Workspace


@dataclass(frozen=True)
class Question:
    """Asked on a screen, at a prompt or by a flag, answered in the same words everywhere.

    An answer is never taken from silence: a closed link or an empty line answers nothing, unless
    there is a ``default``, which is shown.
    """

    id: str
    text: str
    kind: Literal["choice", "text", "code"] = "text"
    choices: tuple[tuple[str, str], ...] = ()  # value, what it means
    default: str | None = None
    help: str = ""

    def problem(self, answer: str) -> str | None:
        """Why ``answer`` will not do; None when it will."""
        if self.kind == "choice":
            values = [value for value, _ in self.choices]
            return None if answer in values else f"one of: {', '.join(values)}"
        return None if answer.strip() else "an answer is needed"


Answers = Mapping[str, str]


@dataclass(frozen=True)
class Offer:
    """A way out. ``make`` turns it into a plan once its ``questions`` are answered.

    ``immediate`` offers stand before any diagnosis (containment); they must need no rehearsal.
    ``make`` raises OperatorError when the workspace does not allow it, with what to do instead.
    """

    id: str
    title: str
    why: str
    make: Callable[[Planning, Answers], Draft]
    questions: tuple[Question, ...] = ()
    immediate: bool = False


@dataclass(frozen=True, kw_only=True)
class Symptom(Definition):
    """The definition with what diagnoses and repairs it. ``detect`` is the look; ``rerun`` looks anew
    where ``detect`` reads the last report, ``glance`` what files alone tell.
    """

    detect: Detector
    classify: Callable[[Detection, Mapping[str, ProbeOutput]], Diagnosis]
    offers: Callable[[Detection, Diagnosis | None], tuple[Offer, ...]]
    probes: Callable[[Detection], tuple[Probe, ...]] = lambda _detection: ()
    rerun: Detector | None = None
    glance: Callable[[Facts], Answer | None] | None = None

    def look_anew(self, workspace: Workspace) -> Detection:
        """The detector at its most thorough: what verifies a repair."""
        return (self.rerun or self.detect)(workspace)


def diagnosed(
    definition: Definition,
    detect: Detector,
    classify: Callable[[Case], Diagnosis],
    offers: Callable[[Detection, Diagnosis], Iterable[Offer]],
    probes: tuple[Probe, ...] | Callable[[Detection], tuple[Probe, ...]] = (),
    *,
    rerun: Detector | None = None,
    at_once: Callable[[Detection], tuple[Offer, ...]] = lambda _detection: (),
) -> Symptom:
    """The symptom that ``definition`` puts into words. ``offers`` follow a diagnosis; those ``at_once``
    stand before it.
    """

    def classified(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
        return classify(Case(definition.causes, detection, outputs))

    def offered(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
        return at_once(detection) if diagnosis is None else tuple(offers(detection, diagnosis))

    return Symptom(
        **{field.name: getattr(definition, field.name) for field in fields(definition)},
        detect=detect,
        classify=classified,
        offers=offered,
        probes=probes if callable(probes) else lambda _detection: probes,
        rerun=rerun,
    )
