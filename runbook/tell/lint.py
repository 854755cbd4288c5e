"""What the runbook names must be there: commands, checks, other symptoms, offers.

It cannot rot unseen, because the tests run this on every symptom.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence

from pipeline.contracts.check_index import REQUIRED_CHECKS
from pipeline.contracts.symptoms import ByHand
from runbook.symptom import Symptom


def lint(symptoms: Sequence[Symptom], commands: Collection[str]) -> list[str]:
    """Everything that the symptoms name and that is not there, one a line."""
    problems: list[str] = []
    ids = [symptom.id for symptom in symptoms]
    problems += [f"{each}: listed more than once" for each in sorted(set(ids)) if ids.count(each) > 1]
    answered = {check for symptom in symptoms for check in symptom.checks}
    problems += [f"no symptom answers {check}" for check in REQUIRED_CHECKS if check not in answered]
    for symptom in symptoms:
        problems += _of_symptom(symptom, set(ids), commands)
    return problems


def _of_symptom(symptom: Symptom, ids: set[str], commands: Collection[str]) -> Iterable[str]:
    for check in symptom.checks:
        if check not in REQUIRED_CHECKS:
            yield f"{symptom.id}: there is no required check {check}"
    for other in symptom.explained_by:
        if other not in ids:
            yield f"{symptom.id}: there is no symptom {other}"
    if not symptom.causes:
        yield f"{symptom.id}: names no cause"
    if not symptom.by_hand:
        yield f"{symptom.id}: says nothing for the night on which the tool is down"
    for line in symptom.by_hand:
        yield from _of_command(symptom.id, line, commands)


def _of_command(symptom_id: str, line: ByHand, commands: Collection[str]) -> Iterable[str]:
    """Every ``distill NAME`` of a command line, pipes and substitutions included."""
    try:
        words = shlex.split(line.command, comments=True)
    except ValueError as error:
        yield f"{symptom_id}: {line.command!r} is no command line: {error}"
        return
    for index, word in enumerate(words[:-1]):
        if word == "distill" and words[index + 1] not in commands and not words[index + 1].startswith("-"):
            yield f"{symptom_id}: there is no command distill {words[index + 1]}"
