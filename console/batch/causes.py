"""PURE: what went wrong in a batch, as causes with what follows from each.

One forbidden row turns the firewall, the audit's check, the audit and a symptom red. Whoever reads a report
must see the row first and the rest beneath it. What is known of causes is the order of the parts, the index
of checks and the runbook's definitions; what none of them explains is a cause of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from console.batch.outcome import BAD_CHECKS, TROUBLE, BatchOutcome, PartOutcome, Symptom, Word
from console.batch.parts import Part
from console.state.detectors import definition_of
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.contracts.faults import PRECEDENCE
from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ENGINE_DOES_NOT_START, LEAK
from pipeline.platform.lenient_json import count_of, objects_of, text_of

Kind = Literal["part", "check", "symptom"]
_LOOKS = (Part.STANDING, Part.RUN_ALL, Part.FIREWALL)
_ALARM = next(spec.id for spec in AUDIT if spec.alarm)
_GATE = next(spec.id for spec in AUDIT if spec.phase == ACCEPTANCE[0].phase)
_PLACES = 20
# The worst first; what is not among them comes last.
_ORDER = ("breach", "fail", "critical", "error", "timed_out", "not_evaluated")


@dataclass(frozen=True, slots=True)
class Place:
    """``file`` is relative to the workspace, and data; ``line`` counts from 1, None for the whole file."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that went wrong. ``message`` and ``places`` are data; ``again`` is a command."""

    kind: Kind
    id: str
    word: str
    message: str
    again: str = ""
    places: tuple[Place, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class Cause:
    trouble: Trouble
    consequences: tuple[Trouble, ...] = ()


def causes(batch: BatchOutcome) -> tuple[Cause, ...]:
    """Every trouble once: as a cause, the worst first, or as what follows from one."""
    found = list(_troubles(batch))
    parents = {each.key: _parent(each, found, batch) for each in found}
    beneath: dict[tuple[str, str], list[Trouble]] = {}
    roots: list[Trouble] = []
    for each in found:
        root = _root(each, parents)
        if root is each:
            roots.append(each)
        else:
            beneath.setdefault(root.key, []).append(each)
    roots.sort(key=lambda each: _ORDER.index(each.word) if each.word in _ORDER else len(_ORDER))
    return tuple(Cause(each, tuple(beneath.get(each.key, ()))) for each in roots)


def followed(found: Sequence[Cause]) -> dict[tuple[str, str], str]:
    """The id of the cause, by the key of what follows from it."""
    return {each.key: cause.trouble.id for cause in found for each in cause.consequences}


def _root(trouble: Trouble, parents: dict[tuple[str, str], Trouble | None]) -> Trouble:
    seen = {trouble.key}
    while (parent := parents[trouble.key]) is not None and parent.key not in seen:
        seen.add(parent.key)
        trouble = parent
    return trouble


def _troubles(batch: BatchOutcome) -> Iterator[Trouble]:
    """In the order of the parts, a part before what it found."""
    for part in batch.parts:
        bad = [check for check in part.checks if check.required and check.status in BAD_CHECKS]
        severe = [each for each in part.symptoms if each.severity in (Severity.CRITICAL, Severity.ERROR)]
        yield from map(_of_check, bad)
        yield from map(_of_symptom, severe)
        # What a part found says more than the part itself, where it found something.
        if part.word in (*TROUBLE, Word.NOT_RUN) and not bad and not severe:
            yield _of_part(part)


def _of_part(part: PartOutcome) -> Trouble:
    places = [
        Place(file, count_of(each, "line") or None)
        for each in objects_of(part.report, "findings")[:_PLACES]
        if (file := text_of(each, "file"))
    ]
    again = f"distill --batch --only {Part.FIREWALL if part.part is Part.STANDING else part.part}"
    message = part.detail or next(iter(part.warnings), "") or part.said
    return Trouble("part", part.part, part.word, message, again, tuple(dict.fromkeys(places)))


def _of_check(check: CheckResult) -> Trouble:
    places = tuple(dict.fromkeys(Place(each.file, each.line) for each in check.examples if each.file))
    return Trouble("check", check.id, check.status, check.detail, check.reproduce, places)


def _of_symptom(symptom: Symptom) -> Trouble:
    return Trouble("symptom", symptom.id, symptom.severity, symptom.observed, symptom.next_step)


def _parent(trouble: Trouble, found: Sequence[Trouble], batch: BatchOutcome) -> Trouble | None:
    """What explains it directly; None for a cause."""
    known = {each.key: each for each in found}
    for key in _explanations(trouble, batch):
        if key in known and key != trouble.key:
            return known[key]
    return None


def _explanations(trouble: Trouble, batch: BatchOutcome) -> Iterator[tuple[str, str]]:
    """Keys of what may explain it, the likeliest first."""
    match trouble.kind:
        case "part":
            yield from _of_a_part(trouble, batch)
        case "check":
            yield from _of_a_check(trouble, batch)
        case "symptom":
            yield from _of_a_symptom(trouble, batch)


def _of_a_part(trouble: Trouble, batch: BatchOutcome) -> Iterator[tuple[str, str]]:
    if trouble.word == Word.BREACH:
        yield from _breaches(batch, before=trouble.id)
    if trouble.word == Word.ERROR:
        yield "symptom", ENGINE_DOES_NOT_START
    if trouble.word == Word.NOT_RUN:
        for part in batch.parts:
            if part.word is Word.TIMED_OUT or (part.exit_code or 0) not in PRECEDENCE:
                yield "part", part.part
    if trouble.word == Word.NOT_EVALUATED and trouble.id == Part.FIREWALL:
        yield "part", Part.RUN_ALL


def _of_a_check(trouble: Trouble, batch: BatchOutcome) -> Iterator[tuple[str, str]]:
    if trouble.id == _ALARM:
        yield from _breaches(batch)
    if trouble.id == _GATE:
        gate = batch.part(Part.ACCEPTANCE)
        if gate is not None:
            yield from (("check", each.id) for each in gate.checks if each.status in BAD_CHECKS)
            yield "part", Part.ACCEPTANCE
    if trouble.word in (CheckStatus.ERROR, CheckStatus.NOT_EVALUATED):
        yield "symptom", ENGINE_DOES_NOT_START
        yield "part", Part.RUN_ALL


def _of_a_symptom(trouble: Trouble, batch: BatchOutcome) -> Iterator[tuple[str, str]]:
    if trouble.id == LEAK:
        yield from _breaches(batch)
    definition = definition_of(trouble.id)
    if definition is not None:
        yield from (("check", name) for name in definition.checks)
        yield from (("symptom", name) for name in definition.explained_by)


def _breaches(batch: BatchOutcome, before: str = "") -> Iterator[tuple[str, str]]:
    """The looks that found a forbidden row, the first one first."""
    for name in _LOOKS:
        if name == before:
            return
        part = batch.part(name)
        if part is not None and part.word is Word.BREACH:
            yield "part", name
