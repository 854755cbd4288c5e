"""What is known of every symptom now: the newer of a glance at files and the last look that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.facts import Facts
from pipeline.reading.symptom_answers import as_kept, is_taken_back, newer
from runbook import symptoms

_NOT_LOOKED_FOR = Answer(Verdict.UNKNOWN, "not run yet: distill runbook detect", None, nothing_yet=True)


def answers_now(facts: Facts, looks: Mapping[str, Answer]) -> tuple[Answer, ...]:
    """In the symptoms' order. One that takes a process to see, and that nobody has looked for, says so."""
    glances = symptoms.glances()
    known = []
    for definition in symptoms.definitions():
        glance = glances.get(definition.id)
        look = looks.get(definition.id)
        kept = as_kept(look, facts.touched_at) if look is not None else None
        glanced = glance_at(facts, glance) if glance is not None else None
        if kept is not None and is_taken_back(kept, glanced):
            kept = None
        answer = newer(glanced, kept, facts.now) or (_NOT_LOOKED_FOR if glance is None else None)
        if answer is not None:
            known.append(replace(answer, id=definition.id))
    return tuple(known)


def glance_at(facts: Facts, glance: symptoms.Glance) -> Answer | None:
    """A glance that raises could not look."""
    try:
        return glance(facts)
    except Exception as error:  # noqa: BLE001 - one broken glance must not silence the others
        return Answer(Verdict.UNKNOWN, f"not examined: {type(error).__name__}: {error}", facts.now)
