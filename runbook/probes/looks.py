"""The two kinds of read-only look: a detector says whether, a probe says what speaks for which cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import JsonValue

from pipeline.contracts.status import Answer
from runbook.probes.evidence import OF_ANSWER, Detection, Evidence, ProbeOutput, Record
from runbook.probes.workspace import Workspace

Found = TypeVar("Found", bound=Record)
Detector = Callable[[Workspace], Detection]


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
        read_at=time.time(),
        reproduce=reproduce,
        evidence=evidence,
        facts=dict(facts),
        **repeated(answer),
    )


def repeated(answer: Answer) -> dict[str, Any]:
    """What a detection has of its answer."""
    return {name: getattr(answer, name) for name in OF_ANSWER}


@dataclass(frozen=True)
class Probe:
    """A read-only look with a time limit. ``look`` gets what is left of the limit, in seconds.

    A probe that raises is an output with ``trouble``; the others still run.
    """

    id: str
    title: str
    seconds: float
    look: Callable[[Workspace, float], ProbeOutput]


def data_probe(
    probe_id: str,
    title: str,
    seconds: float,
    find: Callable[[Workspace, float], tuple[Iterable[str], JsonValue]],
    argv: tuple[str, ...] = (),
) -> Probe:
    """A probe that finds the same twice: in lines, and as data."""

    def look(workspace: Workspace, limit: float) -> ProbeOutput:
        lines, data = find(workspace, limit)
        return ProbeOutput(probe_id=probe_id, title=title, argv=argv, text="\n".join(lines), data=data)

    return Probe(probe_id, title, seconds, look)


def record_probe(
    probe_id: str,
    title: str,
    seconds: float,
    find: Callable[[Workspace, float], Found],
    tell: Callable[[Found], Iterable[str]],
    argv: tuple[str, ...] = (),
) -> Probe:
    """A probe that finds one record, told in lines; a ``Case`` reads it back."""

    def dumped(workspace: Workspace, limit: float) -> tuple[Iterable[str], JsonValue]:
        found = find(workspace, limit)
        return tell(found), found.model_dump(mode="json")

    return data_probe(probe_id, title, seconds, dumped, argv)
