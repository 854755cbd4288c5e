"""Journals that are not as audits read them: seen, told, and the two ways out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pydantic import JsonValue

from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import objects_of
from runbook.actions.restore_journal import plan_adopt_journals, plan_restore_journals
from runbook.probes.evidence import Diagnosis, Evidence, Stance
from runbook.probes.journal_copies import BrokenJournal, broken_journals, with_copy
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, Question
from runbook.symptoms.s2_drift import JOURNALS
from runbook.symptoms.s2_drift.glance import and_broken

BROKEN = "journals"
COPIES = "copies"
WHY = Question("note", "Why is it as it is? The next shift reads it.")


def look(root_of: Workspace) -> tuple[list[BrokenJournal], str]:
    """The broken journals now, and why they could not be looked at."""
    try:
        return broken_journals(root_of.root), ""
    except OSError as error:
        return [], f"{JOURNALS}: what audits read of the journals cannot be read: {error.strerror or error}"


def with_look(answer: Answer, broken: Sequence[BrokenJournal], trouble: str) -> Answer:
    """``answer`` with what was seen of the journals now."""
    if broken:
        return and_broken(answer, [each.told for each in broken], len(broken))
    if trouble and answer.verdict is Verdict.CLEAR:
        return Answer(Verdict.UNKNOWN, trouble, time.time(), "live")
    return answer


def as_facts(broken: Sequence[BrokenJournal]) -> list[JsonValue]:
    return [each.model_dump(mode="json") for each in broken]


def from_facts(facts: object) -> list[BrokenJournal]:
    return [BrokenJournal.model_validate(each) for each in objects_of(facts, BROKEN)]


def evidence_of(broken: Sequence[BrokenJournal], source: str, read_at: float) -> tuple[Evidence, ...]:
    return tuple(
        Evidence.of(
            Stance.FOR,
            each.told,
            source,
            read_at,
            (f"a good copy: {each.copy_at}",) if each.copy_at else (),
        )
        for each in broken
    )


def find_copies(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    """The broken journals again, each with a good copy where one is found."""
    found = [with_copy(workspace, each) for each in broken_journals(workspace.root)]
    lines = [f"{each.file}: {each.copy_at or 'no good copy was found'}" for each in found]
    return lines or ["every journal begins as audits read it"], {BROKEN: as_facts(found)}


def journal_offers(diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """Back from copies where there are any; as it is, with a reason."""
    broken = from_facts(diagnosis.facts)
    if not broken:
        return ()
    copies = [each for each in broken if each.copy_at]
    ways = []
    if copies:
        names = ", ".join(each.file for each in copies)
        rest = len(broken) - len(copies)
        ways.append(
            Offer(
                "restore-journal",
                f"Restore {names}{f', and adopt {rest} without a copy' if rest else ''}",
                f"{copies[0].copy_at} begins with just the bytes that the last audit read",
                lambda planning, answers: plan_restore_journals(planning, broken, answers.get(WHY.id, "")),
                (WHY,) if rest else (),
            )
        )
    ways.append(
        Offer(
            "adopt-journal",
            "Adopt the journals as they are",
            "audits hold them to what they are now; what was in them before is not read any more",
            lambda planning, answers: plan_adopt_journals(planning, broken, answers[WHY.id]),
            (WHY,),
        )
    )
    return tuple(ways)
