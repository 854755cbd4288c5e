"""The two kinds of read-only look: a detector says whether, a probe says what speaks for which cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runbook.probes.conclusions import Found
from runbook.probes.evidence import Detection, ProbeOutput
from runbook.probes.workspace import Workspace

Detector = Callable[[Workspace], Detection]


@dataclass(frozen=True)
class Probe:
    """A read-only look with a time limit. ``look`` gets what is left of the limit, in seconds.

    A probe that raises is an output with ``trouble``; the others still run.
    """

    id: str
    title: str
    seconds: float
    look: Callable[[Workspace, float], ProbeOutput]


def record_probe(
    probe_id: str,
    title: str,
    seconds: float,
    find: Callable[[Workspace, float], Found],
    tell: Callable[[Found], Iterable[str]],
    argv: tuple[str, ...] = (),
) -> Probe:
    """A probe that finds one record, told in lines; ``found_by`` reads it back."""

    def look(workspace: Workspace, limit: float) -> ProbeOutput:
        found = find(workspace, limit)
        return ProbeOutput(
            probe_id=probe_id,
            title=title,
            argv=argv,
            text="\n".join(tell(found)),
            data=found.model_dump(mode="json"),
        )

    return Probe(probe_id, title, seconds, look)
