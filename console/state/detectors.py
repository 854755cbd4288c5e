"""The runbook's light half as the console asks it. A runbook that is broken costs the runbook alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.symptoms import LEAK, Definition

if TYPE_CHECKING:
    from pipeline.reading.facts import Facts

_BROKEN = "RUNBOOK.cannot-be-loaded"


@cache
def definitions() -> tuple[Definition, ...]:
    """Every symptom; where they cannot be loaded, one that says so and is never clear."""
    try:
        from runbook import symptoms

        return symptoms.definitions()
    except Exception as error:  # noqa: BLE001 - as above
        why = f"{type(error).__name__}: {error}"
        title = "The runbook cannot be loaded"
        leak = Definition(LEAK, Severity.CRITICAL, "A forbidden row is in an export file", "", "", (), ())
        return leak, Definition(_BROKEN, Severity.ERROR, title, why, "", (), ())


def definition_of(symptom_id: str) -> Definition | None:
    return next((each for each in definitions() if each.id == symptom_id), None)


def answers_at(facts: Facts, looks: Mapping[str, Answer]) -> tuple[Answer, ...]:
    """What is known of every symptom now, by files and by the looks that were kept."""
    try:
        from runbook.answers import answers_now

        return answers_now(facts, looks)
    except Exception as error:  # noqa: BLE001 - as above
        said = f"the runbook's detectors cannot be loaded: {type(error).__name__}: {error}"
        return (Answer(Verdict.UNKNOWN, said, facts.now, id=_BROKEN),)
