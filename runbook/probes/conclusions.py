"""Detections, diagnoses and what probes found, put together from what was seen and judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from pydantic import JsonValue

from pipeline.contracts.status import Answer
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Record

Found = TypeVar("Found", bound=Record)


def detection_from(
    symptom_id: str,
    answer: Answer,
    *,
    reproduce: str,
    evidence: tuple[Evidence, ...] = (),
    facts: Mapping[str, JsonValue] = MappingProxyType({}),
) -> Detection:
    """What ``answer`` says, with what a diagnosis needs beside it."""
    return Detection(
        symptom_id=symptom_id,
        verdict=answer.verdict,
        observed=answer.observed,
        read_at=time.time(),
        as_of=answer.as_of,
        source=answer.source,
        reproduce=reproduce,
        evidence=evidence,
        facts=dict(facts),
        nothing_yet=answer.nothing_yet,
        explained_by=answer.explained_by,
    )


def found_by(output: ProbeOutput | None, kind: type[Found]) -> Found | None:
    """The record that a ``record_probe`` found; None after one that failed, or never looked."""
    return None if output is None or output.data is None else kind.model_validate(output.data)


def why_blind(output: ProbeOutput | None, otherwise: str) -> str:
    """Why a probe found nothing; ``otherwise`` where none was run."""
    return (output.trouble if output is not None else "") or otherwise


def concluded(
    causes: Sequence[tuple[str, str]],
    cause_id: str,
    confidence: Confidence,
    evidence: Mapping[str, Sequence[Evidence]],
    *,
    first: Sequence[Evidence] = (),
    places: Iterable[str] = (),
    aside: Iterable[str] = (),
    facts: Mapping[str, JsonValue] | None = None,
    see: str | None = None,
) -> Diagnosis:
    """``causes`` are a symptom's (id, sentence); ``evidence`` is what speaks for or against each.

    ``first`` stands before the cause's own evidence: what the detector saw. Of ``aside`` the cause
    itself is left out.
    """
    sentences = dict(causes)
    return Diagnosis(
        cause=Cause(
            id=cause_id,
            sentence=sentences[cause_id],
            confidence=confidence,
            places=tuple(places),
            evidence=(*first, *evidence.get(cause_id, ())),
        ),
        considered=tuple(
            Cause(
                id=other,
                sentence=sentences[other],
                confidence=Confidence.UNKNOWN,
                evidence=tuple(evidence[other]),
            )
            for other in aside
            if other != cause_id
        ),
        facts=dict(facts or {}),
        see=see,
    )
