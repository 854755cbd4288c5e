"""PURE: a diagnosis put together from what was judged: the cause, and the causes set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from runbook.probes.evidence import Cause, Confidence, Diagnosis, Evidence


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
